"""The steps of ``terzetto train transcription``."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from terzetto.audio.pitch_spectra import HOP_LENGTH, PITCHES, SAMPLE_RATE
from terzetto.evaluate.intervals import interval
from terzetto.evaluate.transcription import MEASURES, by_model, evaluate, measures
from terzetto.models import user_folder
from terzetto.score.note_picking import Thresholds, pick_notes
from terzetto.score.notes import UNKNOWN, Score
from terzetto.score.transcription import TASK
from terzetto_export.card import Card, commit, data_hash, machine
from terzetto_export.onnx_file import Description, export
from terzetto_export.training import History, Schedule, choose_device, fit, tell_on_terminal
from terzetto_export.transcription import sound_fonts
from terzetto_export.transcription.dataset import STEPS, Item, prepare, read, split_works
from terzetto_export.transcription.network import HEADS, Probabilities
from terzetto_export.transcription.recipe import TranscriptionRecipe

# Below which certainty a take is refused or warned of, and below how many notes a second; see docs/hands.md.
LIMITS = {"refused": 0.45, "warned": 0.7, "sparse": 0.1}
_KNOWN = {
    "excerpt": "the demo; the work was not heard in training, but the piano was (Splendid Grand, in MuseScore General)",
    "rendered_hands": "performances by people; the works were not heard in training, but the piano was (Fluid R3)",
    "chopin_op28no4": "a real piano and its recording room; neither work nor piano were heard in training",
}
_LICENCES = {
    False: "CC BY 4.0 (Chopin first editions, NIFC; rendered with sound fonts under MIT and in the public domain)",
    True: "as the performances it was trained on",
}


def train(arguments: argparse.Namespace) -> int:
    """Prepare, train, export, measure, write the card; see the flags."""
    own = arguments.performances
    out = (arguments.out or user_folder()) / ("transcription-performances.onnx" if own else "transcription.onnx")
    works = split_works(arguments.data, arguments.seed)
    counts = {"train": arguments.recordings, "validation": 12, "test": 16}
    if arguments.recordings < 50:  # a trial
        counts = {"train": arguments.recordings, "validation": 2, "test": 2}
    work = arguments.work or _cache() / _name(arguments)
    items = prepare(works, work, counts, arguments.seed, tell_on_terminal, seconds=arguments.seconds, as_played=own)
    device = choose_device(arguments.device)
    torch.manual_seed(arguments.seed)
    recipe = TranscriptionRecipe(
        items["train"],
        items["validation"],
        device,
        channels=arguments.channels,
        batch=4,
        per_epoch=arguments.batches,
    )
    schedule = Schedule(arguments.epochs, learning_rate=3e-3, minutes=arguments.minutes)
    history = fit(recipe, schedule, seed=arguments.seed, checkpoint=work / "checkpoint.pt", resume=arguments.resume)
    thresholds, f1 = recipe.choose_thresholds()
    difference = _export(recipe, out, thresholds, _LICENCES[own], [read(path) for path in items["test"][:2]])
    tell_on_terminal(f"{out}: validation F1 {f1:.4f}, parity {difference:.1e}")
    results = {
        f"held-out works, {sound_fonts.HELD_OUT.file} (never heard)": _held_out(recipe, items["test"], thresholds)
    }
    for folder in arguments.measure:
        results[folder.name] = evaluate(folder, by_model(str(out)), shift=True)["mean"]
    card = _card(arguments, history, f1, results, difference, recipe, works)
    print(json.dumps({"model": str(out), "card": str(card.write(out)), "validation": f1, "results": results}))
    return 0


def _export(recipe: TranscriptionRecipe, out: Path, thresholds: Thresholds, licence: str, real: list[Item]) -> float:
    network = Probabilities(recipe.transcriber).cpu().eval()
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    constants = {
        "sample_rate": SAMPLE_RATE,
        "hop_length": HOP_LENGTH,
        "heads": HEADS,
        "pitches": PITCHES,
        "margin": recipe.transcriber.margin,
        "thresholds": vars(thresholds),
        "limits": LIMITS,
    }
    inputs = [{"spectra": torch.from_numpy(item.features[None, :, :400].astype(np.float32) / STEPS)} for item in real]
    frames = {0: "batch", 2: "frames"}
    return export(
        network,
        out,
        Description(TASK, licence, constants),
        inputs[0],
        ["probabilities"],
        {"spectra": frames, "probabilities": frames},
        inputs,
    )


def _held_out(recipe: TranscriptionRecipe, paths: list[Path], thresholds: Thresholds) -> dict[str, dict[str, float]]:
    found: dict[str, list[float]] = {name: [] for name in MEASURES}
    for item in map(read, paths):
        notes = item.notes.astype(np.float64)
        onset, end, pitch, velocity = notes.T
        nothing = np.full(len(notes), UNKNOWN)
        true = Score(onset, end, pitch.astype(int), velocity, nothing, np.zeros(len(notes), int), ("piano",))
        score, _ = pick_notes(recipe.probabilities(item), thresholds)
        for name, values in measures(true, score).items():
            found[name].append(values["f1"])
    return {name: interval(np.array(values)) for name, values in found.items()}


def _card(
    arguments: argparse.Namespace,
    history: History,
    f1: float,
    results: dict[str, Any],
    difference: float,
    recipe: TranscriptionRecipe,
    works: dict[str, list[Path]],
) -> Card:
    rows = [f"| F1 | {' | '.join(MEASURES)} |", "|---|" + "---|" * len(MEASURES)]
    for name, by_measure in results.items():
        values = (by_measure[m] for m in MEASURES)
        cells = (f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]" for value in values)
        rows.append(f"| {name} | {' | '.join(cells)} |")
    rows.append(
        "\nonset: pitch right, onset within 50 ms; offset: its end too (50 ms or 20 %); velocity: onset and loudness "
        "within 0.1; frame: 10 ms. Mean over takes, 95 % bootstrap interval. In the folders that were measured, what a "
        "take's onsets are late by throughout (57 ms in an MP3, below 10 ms elsewhere) was removed first."
    )
    rows += [f"- {name}: {_KNOWN[name]}" for name in results if name in _KNOWN]
    held = f"; by opus, {len(works['validation'])} more for validation and {len(works['test'])} for the test"
    if arguments.performances:
        data = [(str(arguments.data), "as its owner says", f"{len(works['train'])} performances" + held)]
    else:
        source = "Chopin First Editions, Fryderyk Chopin Institute (NIFC), Warsaw"
        data = [(source, "CC BY 4.0", f"{len(works['train'])} scores, performed by rules, to be rendered" + held)]
    data += [(font.source, font.licence, f"the pianos of {font.file}") for font in sound_fonts.TRAINING]
    data.append(("made-up pianos", "none needed", "a quarter of the recordings"))
    data.append((sound_fonts.HELD_OUT.source, sound_fonts.HELD_OUT.licence, "for the test alone: never trained on"))
    return Card(
        title="Piano transcription" + (" (your performances)" if arguments.performances else ""),
        summary="Hears the notes of a piano recording: pitch, onset, end of sound, velocity. Takes spectra of "
        "`terzetto.audio.pitch_spectra` (batch, 2, frames, 300), gives probabilities (batch, 4, frames, 88) of onset, "
        "sounding, offset and the velocity, 50 frames a second; `terzetto.score.transcription` makes notes of them.",
        licence=_LICENCES[arguments.performances],
        data=data,
        metrics="\n".join(rows),
        limits=(
            "Trained on rendered pianos, most of them sampled grands; a real instrument out of tune by more than a "
            "third of a semitone, a far microphone or other instruments beside the piano cost notes. Very low and high "
            "keys are less sure. Ends of notes under the pedal are guesses. Velocities are relative to the take."
        ),
        command="terzetto train transcription " + _command(arguments),
        facts=[
            ("parameters", str(sum(p.numel() for p in recipe.network.parameters()))),
            ("seed", str(arguments.seed)),
            ("epochs", f"{len(history.loss)} (best {history.best_epoch}), {history.seconds / 60:.0f} min"),
            ("validation F1 (onset)", f"{f1:.4f}"),
            ("parity with PyTorch", f"{difference:.1e}"),
            ("data hash", data_hash(path for paths in works.values() for path in paths)),
            ("commit", commit()),
            ("machine", machine()),
        ],
        sources=[
            "Bittner et al., A lightweight instrument-agnostic model for polyphonic note transcription and multipitch "
            "estimation, ICASSP 2022 (harmonic stacking)",
            "Wei et al., HPPNet, ISMIR 2022 (small networks that know of harmonics)",
            "Kong et al., High-resolution piano transcription with pedals, TASLP 2021 (onsets between frames)",
        ],
    )


def _command(arguments: argparse.Namespace) -> str:
    words = [f"--data {arguments.data.name}", f"--recordings {arguments.recordings}", f"--seed {arguments.seed}"]
    words += [f"--minutes {arguments.minutes:g}"] if arguments.minutes else [f"--epochs {arguments.epochs}"]
    words += ["--performances"] if arguments.performances else []
    words += [f"--measure {' '.join(folder.name for folder in arguments.measure)}"] if arguments.measure else []
    return " ".join(words)


def _name(arguments: argparse.Namespace) -> str:
    """Return a name for the working folder of these settings."""
    asked = (str(arguments.data.resolve()), arguments.performances, arguments.seconds, arguments.seed)
    return "transcription-" + hashlib.sha256(repr(asked).encode()).hexdigest()[:10]


def _cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "Terzetto"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "terzetto"
