"""``terzetto piano reconstruct``: a performance as the dictionary hears it."""

from __future__ import annotations

import argparse

from terzetto.commands.piano.options import add_edit_flags, edit

HELP = "write a performance as the dictionary hears it: encoded and decoded"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_edit_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, encode, decode, write."""
    return edit(arguments, lambda dictionary, score: dictionary.decode(dictionary.encode(score)))
