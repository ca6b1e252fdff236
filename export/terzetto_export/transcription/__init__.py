"""``terzetto train transcription``: a model that hears the notes of a piano, from rendered performances."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands import at_least_one, whole_number
from terzetto_export.commands.train import add_training_flags

HELP = "train a model that hears the notes of a piano, on rendered performances"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the recipe's arguments."""
    parser.description = (
        "Render performances of a folder of MIDI files with sound fonts (fluidsynth) and made-up pianos, analyse them "
        "once into a working folder, and train. Works are divided by the opus their file's name begins with."
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="MIDI files of written scores")
    parser.add_argument(
        "--performances",
        action="store_true",
        help="the files are performances: their timing, touch and pedal are kept. The model goes to your models' "
        "folder, is called transcription-performances, and is yours alone to use if the data's licence says so",
    )
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="where the material is kept (default: the cache)")
    parser.add_argument("--recordings", type=whole_number, default=145, help="to render and train on (default: 145)")
    parser.add_argument("--seconds", type=float, default=50.0, help="of each, as written (default: 50)")
    parser.add_argument("--channels", type=whole_number, default=32, help="of the network (default: 32)")
    parser.add_argument("--epochs", type=at_least_one, default=60, help="(default: 60)")
    parser.add_argument("--batches", type=whole_number, default=150, help="in an epoch (default: 150)")
    parser.add_argument(
        "--measure",
        type=Path,
        nargs="*",
        default=[],
        metavar="FOLDER",
        help="folders of takes with their notes; how well they are transcribed is written into the card",
    )
    add_training_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prepare the material, train, export and write the card."""
    from terzetto_export.transcription.train import train

    return train(arguments)
