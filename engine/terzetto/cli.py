"""The ``terzetto`` command: finds every package's subcommands and turns what happens into an exit status.

A subcommand is a module behind the entry-point group ``terzetto.commands`` with

- ``HELP``: one line,
- ``configure(parser)``: adds its arguments,
- ``run(arguments) -> int``: does the work and returns the exit status.

Such a module imports nothing heavy at its top, so ``terzetto --help`` answers at once.

Exit status: 0 done, 1 part of a batch failed, 2 nothing done (bad input, bad usage), 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from io import TextIOWrapper
from typing import NoReturn, Protocol, TextIO, cast

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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that the terminal cannot show must not end the work
            stream.reconfigure(errors="backslashreplace")
    with _ended_in_order(), warnings.catch_warnings():
        warnings.simplefilter("always", TerzettoWarning)  # once for every take, not once for all
        warnings.showwarning = _show_warning
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    try:
        try:
            arguments = build_parser().parse_args(argv)
            return int(arguments.run(arguments))
        finally:
            sys.stdout.flush()  # else a pipe that is gone shows only when Python ends
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
    except MemoryError:
        print_error(MemoryError("not enough memory; separate a shorter take, or by hand"))
        return EXIT_FAILED


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM unwind the work like Ctrl-C does, so that nothing half-written stays behind."""

    def stop(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
        print(f"terzetto: warning: {' '.join(str(message).split())}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), file=sys.stderr, end="")
