"""The ``terzetto`` command: finds every package's subcommands and turns what happens into an exit status.

A subcommand is a module behind the entry-point group ``terzetto.commands`` with

- ``HELP``: one line,
- ``configure(parser)``: adds its arguments,
- ``run(arguments) -> int``: does the work and returns the exit status.

Such a module imports nothing heavy at its top, so ``terzetto --help`` answers at once.

Exit status: 0 done, 1 part of a batch failed, 2 nothing done (bad input, bad usage), 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Protocol, TextIO, cast

from terzetto import __version__
from terzetto.errors import TerzettoError, TerzettoWarning

EXIT_PARTIAL = 1
EXIT_FAILED = 2
EXIT_INTERRUPTED = 130


class Command(Protocol):
    """What a subcommand's module offers."""

    HELP: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do the work and return the exit status."""


def build_parser() -> argparse.ArgumentParser:
    """Build the parser with every installed package's subcommands."""
    parser = argparse.ArgumentParser(prog="terzetto", description="Three neural instruments for musicians.")
    parser.add_argument("--version", action="version", version=f"terzetto {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for point in sorted(entry_points(group="terzetto.commands"), key=lambda point: point.name):
        command = cast(Command, point.load())
        subparser = subparsers.add_parser(point.name, help=command.HELP, description=command.HELP)
        command.configure(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = build_parser().parse_args(argv)
    warnings.showwarning = _show_warning
    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        print("terzetto: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except TerzettoError as error:
        print_error(error)
        return EXIT_FAILED


def print_error(error: BaseException, what: str = "") -> None:
    """Print an error as one line on standard error, after the name of what it is about."""
    text = " ".join(str(error).split())
    print(f"terzetto: error: {what + ': ' if what else ''}{text}", file=sys.stderr)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Our own warnings are one plain line; other packages' keep Python's form."""
    if issubclass(category, TerzettoWarning):
        print(f"terzetto: warning: {message}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), file=sys.stderr, end="")
