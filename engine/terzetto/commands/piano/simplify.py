"""``terzetto piano simplify``: the notes that a piece's most active atoms explain."""

from __future__ import annotations

import argparse

from terzetto.commands.piano.options import add_edit_flags, edit

HELP = "make a piece simpler: keep the notes that its most active atoms explain"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_edit_flags(parser)
    parser.add_argument(
        "--keep",
        type=int,
        required=True,
        metavar="N",
        help="how many atoms stay, from 1; a piece uses some hundreds, and 100 leave about a quarter of its notes",
    )


def run(arguments: argparse.Namespace) -> int:
    """Read, simplify, write."""
    from terzetto.analysis.performance_edits import simplify

    return edit(arguments, lambda dictionary, score: simplify(dictionary, score, arguments.keep))
