"""``terzetto drums swap``: one beat's form with another's ideas."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.dictionary_options import add_dictionary_flags, edit
from terzetto.commands.drums.options import read

HELP = "put another beat's most active atoms in place of a beat's own"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_dictionary_flags(parser)
    parser.add_argument("other", type=Path, metavar="OTHER.mid", help="where the atoms come from")
    parser.add_argument("--atoms", type=int, default=2, metavar="N", help="how many are swapped, from 1 (default: 2)")


def run(arguments: argparse.Namespace) -> int:
    """Read both, swap, write."""
    from terzetto.drums.dictionary import Dictionary
    from terzetto.drums.dictionary_edits import swap_atoms
    from terzetto.drums.grid import Hvo

    def swap(dictionary: Dictionary, bars: list[Hvo]) -> list[Hvo]:
        _, others = read(arguments.other, arguments)
        return dictionary.decode(
            swap_atoms(dictionary, dictionary.encode(bars), dictionary.encode(others), arguments.atoms)
        )

    return edit(arguments, swap, arguments.other)
