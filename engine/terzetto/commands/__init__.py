"""The engine's own subcommands. Nothing heavy is imported at the top of these modules."""

from __future__ import annotations

import argparse


def at_least_one(text: str) -> int:
    """Read an argument that counts what there must be some of: a whole number from 1."""
    number = whole_number(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return number


def duration(text: str) -> float:
    """Read an argument that says how long: a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def whole_number(text: str) -> int:
    """Read an argument that counts or seeds: a whole number from 0."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return number
