"""``terzetto evaluate TASK``: how good results, methods and models are.

A task is a module behind the entry-point group ``terzetto.evaluations`` with

- ``HELP``: one line, and ``DESCRIPTION``: what is measured on what,
- ``configure(parser)``: adds its arguments,
- ``run(arguments) -> (results, table)``: measures, and returns what ``--json`` prints and what is printed without it.

It imports nothing heavy at its top.
"""

from __future__ import annotations

import argparse
import json
import math
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

HELP = "measure results: a folder of separated hands, or a method or model on a data set"


class Evaluation(Protocol):
    """What a task's module offers."""

    HELP: str
    DESCRIPTION: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the task's arguments."""

    def run(self, arguments: argparse.Namespace) -> tuple[Any, str]:
        """Measure; return the results, ready for JSON, and the same as a table."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand per task."""
    tasks = parser.add_subparsers(title="tasks", metavar="TASK", required=True)
    for point in sorted(entry_points(group="terzetto.evaluations"), key=lambda point: point.name):
        task = cast(Evaluation, point.load())
        subparser = tasks.add_parser(point.name, help=task.HELP, description=task.DESCRIPTION)
        task.configure(subparser)
        subparser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
        subparser.set_defaults(task=task.run)


def run(arguments: argparse.Namespace) -> int:
    """Run the task and print what it found."""
    results, table = arguments.task(arguments)
    print(_json(results) if arguments.json else table)
    return 0


def _json(results: Any) -> str:
    """Return results as JSON, which has no word for infinity (a perfect estimate, a silent one): null."""

    def finite(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: finite(part) for key, part in value.items()}
        if isinstance(value, list):
            return [finite(part) for part in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(finite(results), indent=2, allow_nan=False)
