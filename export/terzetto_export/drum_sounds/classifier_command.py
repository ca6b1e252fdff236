"""What ``terzetto train drum-classes`` and ``terzetto train drum-judge`` share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from terzetto.commands import at_least_one
from terzetto_export.commands.train import add_training_flags

if TYPE_CHECKING:
    from terzetto_export.drum_sounds.classifier_train import Kind


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
    parser.add_argument("--epochs", type=at_least_one, help="at most (default: the recipe's)")
    add_training_flags(parser)


def train_classifier(kind: Kind, arguments: argparse.Namespace) -> int:
    """Train, export, write the card, and say where."""
    from terzetto_export.drum_sounds.classifier_train import Plan, train

    plan = Plan(
        kind,
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
