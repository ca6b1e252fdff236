"""``terzetto demo``: the shipped excerpt, separated, to listen to."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "separate the shipped piano excerpt and write a page to listen to"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("demo-out"), metavar="DIR", help="folder (default: demo-out)"
    )
    parser.add_argument("--method", default="nmf", help="nmf or nae (default: nmf)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")


def run(arguments: argparse.Namespace) -> int:
    """Write the demo and say where it is."""
    import json

    from terzetto.demo.run import run_demo, table
    from terzetto.progress import choose

    with choose("auto", "demo") as progress:
        result = run_demo(arguments.out, arguments.method, progress)
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        print(table(result["scores"]))
        print(f"listen: {result['page']}")
    return 0
