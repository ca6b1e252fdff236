"""Commands that have commands: ``terzetto drums …``, ``terzetto piano …``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from terzetto.cli import Command


def add_commands(parser: argparse.ArgumentParser, commands: Mapping[str, Command], epilog: str) -> None:
    """Add a group's commands to its parser; `run_command` runs the one that was named."""
    parser.epilog, parser.formatter_class = epilog, argparse.RawDescriptionHelpFormatter
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, module in commands.items():
        subparser = subparsers.add_parser(name, help=module.HELP, description=module.HELP)
        module.configure(subparser)
        subparser.set_defaults(command_of_group=module.run)


def run_command(arguments: argparse.Namespace) -> int:
    """Run a group's command."""
    return int(arguments.command_of_group(arguments))
