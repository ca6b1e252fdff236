"""Section 4 of the paper, to the end: why it gave NaN, the training curves, spectrograms and sounds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from terzetto.audio.phase import recover, spectral_convergence
from terzetto.drums.drum_map import CLASSES
from terzetto.errors import InputError
from terzetto.evaluate.intervals import interval
from terzetto_export.card import data_hash
from terzetto_export.drum_sounds.one_shots import SAMPLE_RATE
from terzetto_export.latent_sequencing import sound_figures as figures
from terzetto_export.latent_sequencing import sound_stability
from terzetto_export.latent_sequencing.sound_long_run import SoundPlan, long_run
from terzetto_export.latent_sequencing.sound_network import LATENT, SoundAutoencoder
from terzetto_export.latent_sequencing.sound_run import Run
from terzetto_export.latent_sequencing.sound_spectrograms import (
    LEAD,
    RANGE_DB,
    Float,
    Spectrograms,
    fitted,
    read_spectrograms,
    to_levels,
    to_magnitude,
    transform,
)
from terzetto_export.latent_sequencing.sound_training import Tell

ROUNDS = 30  # of Griffin-Lim, after heap integration
COLUMNS = ("the sound", "the network's mean", "the mean training sound", "drawn from the prior")


def reproduce_sounds(plan: SoundPlan, out: Path, tell: Tell) -> tuple[OrderedDict[str, Any], list[str]]:
    """Look for NaN, train, draw and play; return what ``results.json`` holds and lines for the terminal.

    Raises
    ------
    InputError
        A number of 0 where it asks for nothing, too few sounds, or NaN in the long run.
    """
    if min(plan.batch, plan.nan_steps, plan.nan_batch) < 1 or not (plan.minutes is None or plan.minutes > 0):
        raise InputError(
            f"batches of {plan.batch} and {plan.nan_batch}, {plan.nan_steps} steps, {plan.minutes} minutes: give more "
            "than 0 of each"
        )
    data = read_spectrograms(plan.tiers, plan.most, tell)
    out.mkdir(parents=True, exist_ok=True)
    learned = data.magnitude[data.trained]
    results: OrderedDict[str, Any] = OrderedDict(
        plan=asdict(plan), sounds=len(data.sounds), learned=len(learned), data=data_hash(s.path for s in data.sounds)
    )
    lines = [f"sounds: {len(data.sounds)} of {len({s.kit for s in data.sounds})} kits, {len(learned)} learned from"]
    if plan.nan_seeds:
        seeds = range(plan.seed, plan.seed + plan.nan_seeds)
        results["stability"] = sound_stability.stability(learned, seeds, plan.nan_steps, plan.nan_batch, tell)
        lines += sound_stability.table(results["stability"])
    x = to_levels(data.magnitude)
    trained = torch.from_numpy(data.trained)
    run = long_run(plan, x[trained], x[~trained], out, tell)
    network = run.network.eval()
    results["curves"] = {"train": list(map(asdict, run.train)), "test": list(map(asdict, run.test)), "β": run.beta}
    results["steps"], results["minutes"] = run.steps, run.seconds / 60
    results["extremes"] = asdict(run.watch)
    title = f"{len(run.train)} epochs of {len(learned)} sounds in batches of {plan.batch}; tested on kits held out"
    figures.curves(run, out / "training.png", title)
    found = _distances(network, data)
    results["log-spectral distance, dB"] = found
    lines.append(f"  {len(run.train)} epochs, {run.steps} steps: loss {run.train[-1].loss:.0f}, {_tested(run)}")
    lines.append("  log-spectral distance on held-out kits, dB over 410 x 157 (mean and 95 % over kits):")
    lines += [f"    {name:32}{d['mean']:7.2f} [{d['low']:.2f}, {d['high']:.2f}]" for name, d in found.items()]
    results["spectral convergence"] = _play(network, data, out, plan.seed)
    return results, lines


def _tested(run: Run) -> str:
    last = run.test[-1]
    return f"test {last.loss:.0f} ({last.reconstruction:.0f} + β · {last.divergence:.0f})"


def _distances(network: SoundAutoencoder, data: Spectrograms) -> dict[str, dict[str, float]]:
    """Return how far held-out sounds are from what the network makes of them, and from what needs no network."""
    x = to_levels(data.magnitude)
    learned, held_out = x[torch.from_numpy(data.trained)], x[torch.from_numpy(~data.trained)]
    average = learned.mean(dim=0)
    values: dict[str, list[float]] = {
        "the network": [],
        "the nearest training sound": [],
        "the mean training sound": [],
    }
    for level in held_out:
        with torch.no_grad():
            made = network(level[None], chance=False).mean[0]
        values["the network"].append(_apart(level, made.clamp(0.0, 1.0)))
        nearest = ((learned - level) ** 2).mean(dim=(1, 2)).min()
        values["the nearest training sound"].append(RANGE_DB * float(nearest.sqrt()))
        values["the mean training sound"].append(_apart(level, average))
    kits = np.array([s.kit for s, learned in zip(data.sounds, data.trained, strict=True) if not learned])
    return {
        name: {
            **interval([float(np.array(each)[kits == kit].mean()) for kit in np.unique(kits)]),
            "kits": len(set(kits)),
        }
        for name, each in values.items()
    }


def _apart(first: torch.Tensor, second: torch.Tensor) -> float:
    return RANGE_DB * float(((first - second) ** 2).mean().sqrt())


def _play(network: SoundAutoencoder, data: Spectrograms, out: Path, seed: int) -> dict[str, float]:
    """Draw and write a held-out sound of each class, what the network makes of it, and one out of the prior.

    Returns how well the phase was found: the spectral convergence of each written sound.
    """
    import soundfile

    there = transform()
    x = to_levels(data.magnitude)
    average = x[torch.from_numpy(data.trained)].mean(dim=0)
    random = torch.Generator().manual_seed(seed)
    rows, convergence = [], {}
    for number, name in enumerate(CLASSES):
        mine = [i for i, s in enumerate(data.sounds) if s.sound_class == number and not data.trained[i]]
        if not mine:
            continue
        first = mine[0]
        with torch.no_grad():
            made = network(x[first : first + 1], chance=False).mean[0]
            drawn = network.decode(torch.randn((1, LATENT), generator=random))[0][0]
        rows.append((name, [np.asarray(picture) for picture in (x[first], made, average, drawn)]))
        stem = name.replace(" ", "_")
        soundfile.write(out / f"{stem}.wav", fitted(data.sounds[first].audio)[LEAD:], SAMPLE_RATE)
        for kind, magnitude in (
            ("phase_lost_and_found", data.magnitude[first]),
            ("network", to_magnitude(made)),
            ("prior", to_magnitude(drawn)),
        ):
            audio = recover(magnitude, there, iterations=ROUNDS)
            convergence[f"{stem} {kind}"] = spectral_convergence(magnitude, audio, there)
            soundfile.write(out / f"{stem}_{kind}.wav", _quiet(audio[LEAD:]), SAMPLE_RATE)
    figures.spectrograms(rows, COLUMNS, out / "spectrograms.png", SAMPLE_RATE)
    return convergence


def _quiet(audio: Float) -> Float:
    """Return a sound that does not clip."""
    return np.asarray(audio / max(1.0, float(np.abs(audio).max())), np.float32)
