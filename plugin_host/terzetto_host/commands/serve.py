"""``terzetto serve``: the engine of the plugins, in a terminal."""

from __future__ import annotations

import argparse

HELP = "run the live engine that plugins and controllers talk to, until Ctrl-C"

_EPILOG = """\
Plugins start an engine by themselves; run one here to see its log, or to choose its ports. One serves all plugins.

exit status: 0 ended in order, 2 another one runs or no port is free
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from terzetto_host.network import add_arguments

    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from terzetto_host.live.server import Server, serve

    return serve(Server(arguments.osc_port, arguments.http_port, arguments.host), terminal=True)
