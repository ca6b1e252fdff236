"""``terzetto evaluate separation``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from terzetto.commands import whole_number

HELP = "a method's quality on takes whose hands are known, in the conditions a user meets"
DESCRIPTION = (
    "Separate every take of a data set (NAME.lh.flac, NAME.rh.flac, NAME.mid) under several conditions of the score "
    "and print SI-SDR per hand: mean over the takes and 95 % bootstrap interval."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the task's arguments."""
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of the takes")
    parser.add_argument(
        "--conditions",
        default="abc",
        help="a exact performance, b no velocity and pedal, c jittered, d a sheet, e nothing (default: abc)",
    )
    parser.add_argument(
        "--methods", default="nmf,nae,thesis", help="methods to compare, and 'thesis' (default: nmf,nae,thesis)"
    )
    parser.add_argument("--mask", default="coherent", choices=["coherent", "wiener", "ratio"])
    parser.add_argument(
        "--doubt",
        default="share",
        choices=["share", "decide"],
        help="in e: notes are shared by how likely each hand plays them, or are one hand's (default: share)",
    )
    parser.add_argument("--oracles", action="store_true", help="add the masks made from the true hands")
    parser.add_argument("--seed", type=whole_number, default=0, help="of the jitter (default: 0)")


def run(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Measure; see `terzetto.evaluate.hands_benchmark`."""
    from terzetto.evaluate import hands_benchmark as benchmark

    results = benchmark.evaluate(
        arguments.data,
        conditions=arguments.conditions,
        methods=tuple(arguments.methods.split(",")),
        mask=arguments.mask,
        doubt=arguments.doubt,
        oracles=arguments.oracles,
        seed=arguments.seed,
    )
    return results, benchmark.table(results)
