"""``terzetto train drums``: the model behind the pad of Terzetto Drums."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto_export.commands.train import add_training_flags

HELP = "the pattern model of Drums, on Groove and mma or on your own folder of MIDI beats"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="folders of MIDI files of drums; a subfolder's name is the style of its files "
        "(default: Groove and mma, in the folder that TERZETTO_DATA names)",
    )
    parser.add_argument("--name", help="of the model (default: drum_patterns, or the name of your folder)")
    parser.add_argument(
        "--epochs",
        type=int,
        nargs=3,
        default=(80, 25, 20),
        metavar=("AUTOENCODER", "FLOW", "PAD"),
        help="of the three parts (default: 80 25 20)",
    )
    parser.add_argument(
        "--without", metavar="DRUMMER", help="leave a drummer of Groove out and test on all that he plays"
    )
    add_training_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, export, write the card, and say where."""
    from terzetto_export.drum_patterns.train import Plan, train

    plan = Plan(
        data=arguments.data,
        name=arguments.name,
        out=arguments.out,
        seed=arguments.seed,
        epochs=tuple(arguments.epochs),
        minutes=arguments.minutes,
        device=arguments.device,
        resume=arguments.resume,
        without=arguments.without,
    )
    print(train(plan))
    return 0
