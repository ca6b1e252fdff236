"""``terzetto train TASK``: train a model, export it to ONNX, write its card.

A task is a module behind the entry-point group ``terzetto.trainers`` with ``HELP``, ``configure(parser)`` and
``run(arguments) -> int``; it imports nothing heavy at its top.
"""

from __future__ import annotations

import argparse
import importlib.util
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from terzetto.cli import Command
from terzetto.commands import duration, whole_number
from terzetto.errors import InputError

HELP = "train a model on one's own data or anew, and export it to ONNX with its card"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand per task."""
    tasks = parser.add_subparsers(title="tasks", metavar="TASK", required=True)
    for point in sorted(entry_points(group="terzetto.trainers"), key=lambda point: point.name):
        task = cast(Command, point.load())
        subparser = tasks.add_parser(point.name, help=task.HELP, description=task.HELP)
        task.configure(subparser)
        subparser.set_defaults(task=task.run)


def add_training_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags every recipe understands."""
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER", help="folder of the model (default: your models')")
    parser.add_argument("--seed", type=whole_number, default=0, help="of everything random (default: 0)")
    parser.add_argument("-d", "--device", default="auto", choices=["auto", "cpu", "cuda"], help="(default: auto)")
    parser.add_argument("--minutes", type=duration, metavar="M", help="stop after so long and take the best so far")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint that an earlier run left")


def run(arguments: argparse.Namespace) -> int:
    """Run the task."""
    if importlib.util.find_spec("torch") is None:
        raise InputError("training needs PyTorch, which is not installed: pip install 'terzetto[train]'")
    return int(arguments.task(arguments))
