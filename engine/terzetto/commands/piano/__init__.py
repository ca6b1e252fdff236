"""``terzetto piano``: performances as sums of the atoms of a dictionary, and composers by the atoms they use.

Each subcommand is a module with ``HELP``, ``configure(parser)`` and ``run(arguments) -> int``.
"""

from __future__ import annotations

import argparse

from terzetto.commands.groups import add_commands, run_command
from terzetto.commands.piano import (
    atoms,
    composer_map,
    denoise,
    interpolate,
    reconstruct,
    similar,
    simplify,
    swap,
    variance,
)

HELP = "edit, compare and map piano performances by a dictionary"

_EPILOG = """\
examples:
  terzetto train performance-dictionary --data performances/
  terzetto piano denoise take.mid -o clean.mid
  terzetto piano simplify take.mid --keep 100 -o plain.mid
  terzetto piano interpolate one.mid other.mid --only 4-8 --steps 5 -o way/
  terzetto piano variance take.mid -o variance.png
  terzetto piano atoms take.mid --top 8 -o atoms/
  terzetto piano map performances/ -o composers.png

The dictionary is made by the first of these: none is shipped, since the performances it is learned from may not be used
commercially.

exit status: 0 done, 1 some files of several failed, 2 nothing was done, 130 interrupted
"""
_COMMANDS = {
    "reconstruct": reconstruct,
    "denoise": denoise,
    "simplify": simplify,
    "interpolate": interpolate,
    "swap": swap,
    "similar": similar,
    "variance": variance,
    "atoms": atoms,
    "map": composer_map,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    add_commands(parser, _COMMANDS, _EPILOG)


run = run_command
