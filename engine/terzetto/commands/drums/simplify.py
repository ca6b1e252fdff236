"""``terzetto drums simplify``: a beat made of its most active atoms alone."""

from __future__ import annotations

import argparse

from terzetto.commands.drums.dictionary_options import add_dictionary_flags, edit

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
    add_dictionary_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, simplify, write."""
    from terzetto.drums.dictionary_edits import simplify

    return edit(arguments, lambda dictionary, bars: simplify(dictionary, bars, arguments.keep))
