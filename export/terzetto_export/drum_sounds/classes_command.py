"""``terzetto train drum-classes``: the network that sorts one-shots into classes by ear."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands import whole_number
from terzetto_export.commands.train import add_training_flags

HELP = "the network that sorts drum sounds into classes, on the licensed one-shots or your own"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="folders of one-shots, in subfolders named after drums (default: the collection in the folder that "
        "TERZETTO_DATA names)",
    )
    parser.add_argument("--epochs", type=whole_number, help="at most (default: the recipe's)")
    add_training_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, export, write the card, and say where."""
    from terzetto_export.drum_sounds.classifier_train import SORTER, Plan, train

    plan = Plan(
        SORTER,
        data=arguments.data,
        out=arguments.out,
        seed=arguments.seed,
        epochs=arguments.epochs,
        minutes=arguments.minutes,
        device=arguments.device,
        resume=arguments.resume,
    )
    print(train(plan))
    return 0
