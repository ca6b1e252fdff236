"""``terzetto evaluate live``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "Hands as it runs in a DAW: each window's latency and quality, beside the offline methods"
DESCRIPTION = (
    "Learn every take of a data set (NAME.lh.flac, NAME.rh.flac, NAME.mid) as the plugin does, play it through the "
    "live processor and print SI-SDR per hand; also learned on the first half and heard on the second."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the task's arguments."""
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of the takes")
    parser.add_argument("--windows", default="long,medium,short", help="the first one is also learned on half a take")


def run(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Measure; see `terzetto.evaluate.live_hands`."""
    from terzetto.evaluate import live_hands

    results = live_hands.evaluate(arguments.data, windows=tuple(arguments.windows.split(",")))
    return results, live_hands.table(results)
