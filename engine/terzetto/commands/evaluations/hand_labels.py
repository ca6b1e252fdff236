"""``terzetto evaluate hand-labels``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "how many notes a model gives to the right hand, beside three baselines"
DESCRIPTION = (
    "Label scores whose hands are known as if they were not, and print the share of notes right per piece: mean and "
    "95 % bootstrap interval. Works the model was trained on are left out."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the task's arguments."""
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of MIDI or CSV scores with hands")
    parser.add_argument("--model", metavar="NAME", help="or a file (default: hand_labels; hand_labels_live)")
    parser.add_argument("--live", action="store_true", help="label note by note, as while they are played")


def run(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Measure; see `terzetto.evaluate.hand_labels`."""
    from terzetto.evaluate import hand_labels

    results = hand_labels.evaluate(arguments.data, arguments.model, live=arguments.live)
    return results, hand_labels.table(results)
