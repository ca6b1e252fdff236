"""``python -m terzetto_host.live``: the engine as a plugin starts it; people use ``terzetto serve``.

A module of this name is not run again in every worker, as another main module would be.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from terzetto.errors import TerzettoError
from terzetto_host.live.server import Server, serve
from terzetto_host.network import add_arguments
from terzetto_host.places import ensure, state_dir

UNUSED = 10.0
"""Seconds after its last worker that a server started by a plugin ends."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve as a plugin's engine."""
    parser = argparse.ArgumentParser(prog="python -m terzetto_host.live", description="The engine of the plugins.")
    add_arguments(parser)
    parser.add_argument(
        "--while-used",
        nargs="?",
        type=float,
        const=UNUSED,
        metavar="SECONDS",
        help=f"end so long after the last plugin has gone (default: {UNUSED:g})",
    )
    arguments = parser.parse_args(argv)
    server = Server(arguments.osc_port, arguments.http_port, arguments.host, while_used=arguments.while_used)
    try:
        os.chdir(ensure(state_dir()))  # not the host's folder, which somebody may want to move or unmount
        return serve(server, terminal=False)
    except TerzettoError as error:
        print(f"terzetto: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
