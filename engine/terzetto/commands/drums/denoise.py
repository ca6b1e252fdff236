"""``terzetto drums denoise``: hits that belong to no pattern out, hits that patterns miss in."""

from __future__ import annotations

import argparse

from terzetto.commands.drums.dictionary_options import add_batch_edit_flags, edit_all
from terzetto.commands.drums.options import number

HELP = "take out stray hits and put in missing ones, by the dictionary"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--keep", type=number, metavar="V", help="a hit stays from this value on, about 0 to 1 (default: the model's)"
    )
    parser.add_argument(
        "--add",
        type=number,
        metavar="V",
        help="one is put in from this value on, about 0 to 1 (default: the model's)",
    )
    parser.add_argument(
        "--recurring",
        type=number,
        metavar="R",
        help="how much of the value is recurrence in the four bars around, 0 (only the dictionary) to 1 (default: the "
        "model's)",
    )
    add_batch_edit_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, de-noise, write."""
    from terzetto.drums.beat_files import Denoise

    return edit_all(arguments, Denoise(arguments.keep, arguments.add, arguments.recurring))
