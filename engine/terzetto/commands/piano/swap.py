"""``terzetto piano swap``: one piece's form with another's ideas."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.piano.options import add_edit_flags, edit

HELP = "put another piece's most active atoms in place of a piece's own"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_edit_flags(parser)
    parser.add_argument("other", type=Path, metavar="OTHER.mid", help="where the atoms come from")
    parser.add_argument("--atoms", type=int, default=20, metavar="N", help="how many are swapped, from 1 (default: 20)")


def run(arguments: argparse.Namespace) -> int:
    """Read both, swap, write."""
    from terzetto.analysis.codes import swap_atoms
    from terzetto.analysis.performance_dictionary import PerformanceDictionary
    from terzetto.score.midi import read_midi
    from terzetto.score.notes import Score

    def swap(dictionary: PerformanceDictionary, score: Score) -> Score:
        other = dictionary.encode(read_midi(arguments.other))
        return dictionary.decode(swap_atoms(dictionary, dictionary.encode(score), other, arguments.atoms))

    return edit(arguments, swap, arguments.other)
