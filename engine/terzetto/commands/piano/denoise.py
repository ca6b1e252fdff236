"""``terzetto piano denoise``: notes that the dictionary does not know out."""

from __future__ import annotations

import argparse

from terzetto.commands.drums.options import number
from terzetto.commands.piano.options import add_edit_flags, edit

HELP = "take out the notes that the dictionary does not know; the others stay as they were played"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_edit_flags(parser)
    parser.add_argument(
        "--keep", type=number, metavar="V", help="a note stays from this value on, about 0 to 1 (default: the model's)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Read, de-noise, write."""
    from terzetto.analysis.performance_edits import denoise

    return edit(arguments, lambda dictionary, score: denoise(dictionary, score, arguments.keep))
