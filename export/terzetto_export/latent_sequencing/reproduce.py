"""From the data to the paper's figures and numbers."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.grid import ActivationMatrix, activations_to_beat
from terzetto.drums.midi import write_beat
from terzetto.errors import InputError
from terzetto.evaluate.drum_patterns import best_threshold, f1_by_file
from terzetto.evaluate.intervals import interval
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.drum_data.groove import read_groove
from terzetto_export.drum_data.mma import read_mma
from terzetto_export.latent_sequencing import figures
from terzetto_export.latent_sequencing.bars import FirstBars, first_bars
from terzetto_export.latent_sequencing.network import PaperAutoencoder, train
from terzetto_export.latent_sequencing.sound_long_run import FOLDER, SoundPlan
from terzetto_export.latent_sequencing.sound_reproduce import reproduce_sounds

SAMPLE_RATE = 44_100
NEIGHBOURS = 15
Tell = Callable[[str], None]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Plan:
    """Where the data are, where the pictures go, how long and how often to train; 0 epochs leave a half out."""

    data: Path
    out: Path
    epochs: int = 200
    seed: int = 0
    seeds: int = 1
    sounds: SoundPlan = field(default_factory=SoundPlan)


def reproduce(plan: Plan, tell: Tell) -> str:
    """Train patterns on Groove and on mma, then sounds; draw, write ``results.json``; return the numbers as text.

    Raises
    ------
    InputError
        Numbers that ask for nothing, or data that are not there.
    """
    if plan.seeds < 1 or min(plan.epochs, plan.sounds.epochs) < 0 or not plan.epochs + plan.sounds.epochs:
        raise InputError(
            f"{plan.epochs} epochs of patterns, {plan.sounds.epochs} of sounds and {plan.seeds} seeds: give at least 1 "
            "seed, and at least 1 epoch of one of them"
        )
    results: OrderedDict[str, Any] = OrderedDict(
        epochs=plan.epochs, seed=plan.seed, seeds=plan.seeds, commit=commit(), machine=machine()
    )
    plan.out.mkdir(parents=True, exist_ok=True)
    lines = _patterns(plan, results, tell) if plan.epochs else []
    if plan.sounds.epochs:
        results["sounds"], told = reproduce_sounds(plan.sounds, plan.out / FOLDER, tell)
        lines += told
    (plan.out / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return "\n".join([*lines, f"pictures, sounds and results.json in {plan.out}"])


def _patterns(plan: Plan, results: OrderedDict[str, Any], tell: Tell) -> list[str]:
    kinds = {
        "groove": read_groove(plan.data / "groove", tell),
        "mma": read_mma(plan.data / "mma", tell),
    }
    for name, reading in kinds.items():
        tell(f"{name}:")
        bars = first_bars(reading, tell)
        out = plan.out / name
        out.mkdir(parents=True, exist_ok=True)
        results[name] = {"counts": asdict(bars.counts), "data hash": data_hash(file.path for file in reading.files)}
        results[name].update(_run(bars, name, out, plan, tell))
    return _table(results)


def _run(bars: FirstBars, name: str, out: Path, plan: Plan, tell: Tell) -> dict[str, Any]:
    scores: list[dict[str, float]] = []
    for seed in range(plan.seed, plan.seed + plan.seeds):
        trained, tested = bars.split(seed)
        tell(f"{name}, seed {seed}: {len(trained)} bars to train, {len(tested)} to test")
        pair = {}
        for kind in ("variational", "plain"):
            network, curves = train(
                bars.hits[trained],
                bars.hits[tested],
                epochs=plan.epochs,
                seed=seed,
                variational=kind == "variational",
                tell=tell,
            )
            pair[kind] = network
            if seed == plan.seed and kind == "variational":
                figures.loss(curves, out / "figure_8.png", f"Figure 8: the loss on {name}")
                scores.append({"loss": curves.train[-1], "test loss": curves.test[-1]})
        if seed == plan.seed:
            _draw(pair, bars, trained, out, name, seed)
        else:
            scores.append({})
        scores[-1].update(_scores(pair, bars, trained, tested))
    return {key: _summary([score[key] for score in scores if key in score]) for key in scores[0]}


def _draw(
    pair: dict[str, PaperAutoencoder],
    bars: FirstBars,
    trained: NDArray[np.int64],
    out: Path,
    name: str,
    seed: int,
) -> None:
    """Draw the other figures, and write the generated pattern as MIDI and sound."""
    import soundfile

    from terzetto.drums.rendering import render_beat

    variational, plain = pair["variational"], pair["plain"]
    figures.activation_matrix(bars.hits[0], out / "figure_7.png", f"Figure 7: a bar of {name} ({bars.style[0]})")
    point = np.random.default_rng(seed).standard_normal((1, 2)).astype(np.float32)
    probability = variational.probabilities(point)[0]
    where = f"z = ({point[0, 0]:.2f}, {point[0, 1]:.2f})"
    threshold = _threshold(variational, bars.hits[trained])
    generated = ActivationMatrix(probability >= threshold)
    title = f"Figure 9: decoded at {where}; hits are probabilities from {threshold:g} on (the largest: "
    figures.activation_matrix(generated.hits, out / "figure_9.png", f"{title}{probability.max():.2f})")
    beat = activations_to_beat([generated])
    write_beat(out / "figure_10.mid", beat)
    audio = render_beat(beat, SAMPLE_RATE)
    audio /= max(1.0, float(np.abs(audio).max()))
    soundfile.write(out / "figure_10.wav", audio.T, SAMPLE_RATE, subtype="PCM_16")
    figures.waveform(audio, SAMPLE_RATE, out / "figure_10.png")
    places = [plain.place(bars.hits), variational.place(bars.hits)]
    titles = ["An autoencoder", "A variational autoencoder, β = 4"]
    figures.latent_spaces(places, titles, bars.style, out / "figures_2_and_4.png")
    inside = float((np.abs(places[1]) <= figures.RANGE).all(axis=1).mean())
    title = f"Figure 11: the latent space of {name}; {100 * inside:.1f} % of the bars within ±4"
    figures.latent_spaces(places[1:], [title], bars.style, out / "figure_11.png")


def _scores(
    pair: dict[str, PaperAutoencoder], bars: FirstBars, trained: NDArray[np.int64], tested: NDArray[np.int64]
) -> dict[str, float]:
    """Return what the paper only says: how right hits are, how organised the space is, how alike neighbours are."""
    from sklearn.neighbors import KNeighborsClassifier

    found: dict[str, float] = {}
    truth, style = bars.hits[tested], np.array(bars.style)
    unit = np.arange(len(tested))
    for kind, network in pair.items():
        place = {"train": network.place(bars.hits[trained]), "test": network.place(truth)}
        probability = network.probabilities(place["test"])
        threshold = _threshold(network, bars.hits[trained])
        found[f"{kind}: hit F1"] = float(f1_by_file(probability >= threshold, truth, unit).mean())
        neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(trained))).fit(place["train"], style[trained])
        found[f"{kind}: style of {NEIGHBOURS} neighbours"] = float(neighbours.score(place["test"], style[tested]))
        # A random point of the space against a random bar's own place: what "no generalisation" means (figure 2).
        spread, centre = place["train"].std(axis=0), place["train"].mean(axis=0)
        drawn = centre + spread * np.random.default_rng(0).standard_normal((500, place["train"].shape[1]))
        if kind == "variational":
            drawn = np.random.default_rng(0).standard_normal(drawn.shape)
        played = network.probabilities(drawn.astype(np.float32)) >= threshold
        found[f"{kind}: empty at random points"] = float((~played.any(axis=(1, 2))).mean())
        found[f"{kind}: hits at random points"] = float(played.sum(axis=(1, 2)).mean())
    found["hits in a bar"] = float(bars.hits.sum(axis=(1, 2)).mean())
    counts = {name: int((style[trained] == name).sum()) for name in set(style)}
    found["majority style"] = float((style[tested] == max(counts, key=lambda name: counts[name])).mean())
    mean = pair["variational"].place(bars.hits)
    found["variational: within ±4"] = float((np.abs(mean) <= figures.RANGE).all(axis=1).mean())
    return found


def _threshold(network: PaperAutoencoder, bars: Bool) -> float:
    """Return the threshold that is best for the bars it was trained on; 0.5 gives few hits or none."""
    return best_threshold(network.probabilities(network.place(bars)), bars, np.arange(len(bars)))[0]


def _summary(values: list[float]) -> dict[str, float]:
    return {**interval(values), "seeds": len(values)}


def _table(results: OrderedDict[str, Any]) -> list[str]:
    lines = []
    for name in ("groove", "mma"):
        counts = results[name]["counts"]
        lines.append(f"{name}: {', '.join(f'{what} {count}' for what, count in counts.items())}")
        for key, value in results[name].items():
            if isinstance(value, dict) and "mean" in value:
                spread = f" [{value['low']:.3f}, {value['high']:.3f}], {value['seeds']} seeds"
                lines.append(f"  {key:40}{value['mean']:9.3f}{spread if value['seeds'] > 1 else ''}")
    return lines
