"""``terzetto evaluate hands``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "SI-SDR and SDR/SIR/SAR of separated hands against the true ones"
DESCRIPTION = (
    "Measure separated hands against the true ones. In both folders a take is NAME/left_hand.wav with "
    "NAME/right_hand.wav, or NAME.lh.flac with NAME.rh.flac."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the task's arguments."""
    parser.add_argument("references", type=Path, metavar="REFERENCE_DIR", help="folder of the true hands")
    parser.add_argument("estimates", type=Path, metavar="ESTIMATE_DIR", help="folder of the separated hands")


def run(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Measure; see `terzetto.evaluate.hands`."""
    from terzetto.evaluate import hands

    results = hands.evaluate(arguments.references, arguments.estimates)
    return results, hands.table(results)
