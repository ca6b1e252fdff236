"""``terzetto drums simplify``: a beat made of its most active atoms alone."""

from __future__ import annotations

import argparse

from terzetto.commands.drums.dictionary_options import add_batch_edit_flags, edit_all

HELP = "make a beat simpler: keep its most active atoms of the dictionary"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--keep",
        type=int,
        required=True,
        metavar="N",
        help="how many atoms stay, from 1; a bar is some 16, and 8 to 12 leave a plainer beat",
    )
    add_batch_edit_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, simplify, write."""
    from terzetto.drums.beat_files import Simplify

    return edit_all(arguments, Simplify(arguments.keep))
