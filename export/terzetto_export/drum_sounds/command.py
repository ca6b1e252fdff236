"""``terzetto train sounds``: the model behind the kit's sounds."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands import at_least_one
from terzetto_export.commands.train import add_training_flags

HELP = "the sound model of Drums, on the licensed one-shots or on your own"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="folders of one-shots; a subfolder's name is the class of its sounds, else they are sorted by ear "
        "(default: the licensed one-shots, in the folder that TERZETTO_DATA names)",
    )
    parser.add_argument("--name", help="of the model (default: drum_sounds, or the name of your folder)")
    parser.add_argument("--epochs", type=at_least_one, help="(default: 160, or 30 for your own sounds)")
    add_training_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, export, write the card, and say where."""
    from terzetto_export.drum_sounds.train import Plan, train

    plan = Plan(
        data=arguments.data,
        name=arguments.name,
        out=arguments.out,
        seed=arguments.seed,
        epochs=arguments.epochs,
        minutes=arguments.minutes,
        device=arguments.device,
        resume=arguments.resume,
    )
    print(train(plan))
    return 0
