"""``terzetto drums``: beats out of the latent space, and what the models know of given ones.

Each subcommand is a module with ``HELP``, ``configure(parser)`` and ``run(arguments) -> int``.
"""

from __future__ import annotations

import argparse

from terzetto.commands.drums import (
    atoms,
    denoise,
    drum_map,
    encode,
    generate,
    interpolate,
    kit,
    pattern_map,
    render,
    shift_variance,
    similar,
    simplify,
    swap,
)
from terzetto.commands.groups import add_commands, run_command

HELP = "make drum beats, and see where given ones lie"

_EPILOG = """\
examples:
  terzetto drums generate --style funk --tempo 96 -o funk.mid --humanise
  terzetto drums generate --latent -1.5 2 --bars 8 --variation 0.3 -o beat.mid
  terzetto drums render beat.mid -o beat.wav --stems
  terzetto drums interpolate verse.mid chorus.mid --steps 8 -o way.mid
  terzetto drums denoise take.mid -o clean.mid
  terzetto drums map beat.mid -o map.png

exit status: 0 done, 1 some files of several failed, 2 nothing was done, 130 interrupted
"""
_COMMANDS = {
    "generate": generate,
    "render": render,
    "encode": encode,
    "interpolate": interpolate,
    "denoise": denoise,
    "simplify": simplify,
    "swap": swap,
    "similar": similar,
    "atoms": atoms,
    "shift-variance": shift_variance,
    "map": pattern_map,
    "drum-map": drum_map,
    "kit": kit,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    add_commands(parser, _COMMANDS, _EPILOG)


run = run_command
