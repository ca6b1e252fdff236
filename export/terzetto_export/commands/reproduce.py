"""``terzetto reproduce PAPER``: make a paper's figures again, from data to picture, with one command.

A paper is a module behind the entry-point group ``terzetto.papers`` with

- ``HELP``: the paper, and which of its figures are made,
- ``DATA``: folders below ``TERZETTO_DATA`` that it needs,
- ``configure(parser)`` and ``run(arguments) -> int``.

It imports nothing heavy at its top.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from terzetto.errors import InputError

HELP = "make a paper's figures again, from the data to the pictures"


class Paper(Protocol):
    """What a paper's module offers."""

    HELP: str
    DATA: Sequence[str]

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the paper's arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Make the figures and return the exit status."""


def papers() -> dict[str, Paper]:
    """Return the papers by name."""
    points = sorted(entry_points(group="terzetto.papers"), key=lambda point: point.name)
    return {point.name: cast(Paper, point.load()) for point in points}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand per paper, and ``--list``."""
    parser.add_argument("--list", action="store_true", help="say which papers there are and whether their data are")
    names = parser.add_subparsers(title="papers", metavar="PAPER")
    for name, paper in papers().items():
        subparser = names.add_parser(name, help=paper.HELP, description=paper.HELP)
        subparser.add_argument(
            "-o",
            "--out",
            type=Path,
            default=Path("reproduced") / name,
            metavar="FOLDER",
            help=f"for pictures and numbers (default: reproduced/{name})",
        )
        paper.configure(subparser)
        subparser.set_defaults(paper=paper.run)
    parser.set_defaults(paper=None)


def run(arguments: argparse.Namespace) -> int:
    """Run the paper, or list all."""
    if arguments.list:
        print(listing())
        return 0
    if arguments.paper is None:
        raise InputError(f"which paper? There are: {', '.join(papers())}; --list says what each needs")
    if importlib.util.find_spec("torch") is None:
        raise InputError("training needs PyTorch, which is not installed: pip install 'terzetto[train]'")
    return int(arguments.paper(arguments))


def listing() -> str:
    """Return each paper with the data it needs and whether they are there."""
    root = data_root()
    lines = []
    for name, paper in papers().items():
        lines.append(f"{name}: {paper.HELP}")
        lines += [f"  {'there  ' if (root / part).is_dir() else 'MISSING'} {root / part}" for part in paper.DATA]
    return "\n".join(lines)


def data_root() -> Path:
    """Return the folder of the data sets."""
    return Path(os.environ.get("TERZETTO_DATA", "../shared/data"))
