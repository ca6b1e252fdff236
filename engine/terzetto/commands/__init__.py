"""The engine's own subcommands. Nothing heavy is imported at the top of these modules."""

from __future__ import annotations

import argparse


def whole_number(text: str) -> int:
    """Read an argument that counts or seeds: a whole number from 0."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return number
