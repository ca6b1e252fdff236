"""``terzetto evaluate drum-sounds``: all figures of a sound model on kits it never heard, or on a user's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from terzetto.commands import whole_number

HELP = "a sound model: reconstructions and samples before an independent judge, faults, and decode time"
DESCRIPTION = (
    "Measure a sound model on one-shots of kits it was not trained on: log-spectral distance, how often a judge that "
    "learned from other sounds recognises real sounds, reconstructions and samples, the Fréchet distance of its "
    "embeddings, faults (NaN, clipping, DC, clicks) of many samples, and the time to decode one; beside the most "
    "similar training sound and PCA. The judge is made on your machine: terzetto train drum-judge."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--model", default="", metavar="NAME", help="or a file (default: drum_sounds)")
    parser.add_argument("--judge", default="", metavar="NAME", help="or a file (default: drum_judge)")
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="what it was trained on (default: the licensed one-shots)",
    )
    parser.add_argument(
        "--samples", type=whole_number, default=10_000, metavar="N", help="of the prior, at least 100 (default: 10000)"
    )
    parser.add_argument("--seed", type=whole_number, default=0, help="of samples (default: 0)")


def run(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Measure."""
    from terzetto.analysis.drum_classes import open_drum_classifier
    from terzetto.drums.sounds import open_sound_model
    from terzetto.errors import InputError
    from terzetto_export.card import commit, data_hash, machine
    from terzetto_export.drum_sounds.data import read_data
    from terzetto_export.drum_sounds.judge import open_judge
    from terzetto_export.drum_sounds.measures import measure
    from terzetto_export.drum_sounds.measures_table import table
    from terzetto_export.training import tell_on_terminal

    if arguments.samples < 100:
        raise InputError(f"--samples {arguments.samples}: at least 100 are needed to measure classes and distances")
    model, judge = open_sound_model(arguments.model), open_judge(arguments.judge)
    classify = open_drum_classifier().classify if arguments.data else None
    sounds = read_data(arguments.data, tell_on_terminal, classify=classify)
    results = measure(model, sounds, judge, tell_on_terminal, samples=arguments.samples, seed=arguments.seed)
    results.update(
        model=model.model.name,
        sha256=model.model.sha256,
        judge=judge.model.sha256,
        seed=arguments.seed,
        data=data_hash(sound.path for sound in sounds),
        commit=commit(),
        machine=machine(),
    )
    return results, table(results)
