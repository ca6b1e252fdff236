"""``terzetto reproduce conv-wta``."""

from __future__ import annotations

import argparse

from terzetto.commands import whole_number

HELP = "CONV-WTA autoencoders: figures 2 and 3, and what footnote 1 only says, measured; drums and piano"
DATA = ("drums/groove", "piano/performances", "piano/scores_cc_by")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("--only", choices=["drums", "piano"], help="one half (default: both)")
    parser.add_argument("--epochs", type=int, default=1000, help="of drums (default: 1000, the paper's)")
    parser.add_argument("--piano-epochs", type=int, default=60, metavar="N", help="(default: 60, the paper's)")
    parser.add_argument(
        "--columns",
        type=int,
        default=128,
        metavar="N",
        help="piano: read an excerpt of N kernels of 16 events of each performance in an epoch (default: 128)",
    )
    parser.add_argument("--pieces", type=int, metavar="N", help="piano: at most N performances of each part")
    parser.add_argument(
        "--dictionary",
        metavar="NAME",
        help="draw figure 2 by this model of terzetto train performance-dictionary (default: by one trained here)",
    )
    parser.add_argument("--seed", type=whole_number, default=0, help="of the first run (default: 0)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="train each network N times (default: 1)")


def run(arguments: argparse.Namespace) -> int:
    """Train, draw the figures, print the numbers."""
    from terzetto.errors import InputError
    from terzetto_export.commands.reproduce import data_root
    from terzetto_export.conv_wta.performance_reproduce import PianoPlan
    from terzetto_export.conv_wta.reproduce import Plan, reproduce
    from terzetto_export.training import tell_on_terminal

    for flag in ("epochs", "piano_epochs", "columns", "pieces", "seeds"):
        value = getattr(arguments, flag)
        if value is not None and value < 1:
            raise InputError(f"--{flag.replace('_', '-')} {value}: give 1 or more")
    root, seed, seeds = data_root(), arguments.seed, arguments.seeds
    piano = PianoPlan(
        root / "piano" / "performances",
        root / "piano" / "scores_cc_by",
        arguments.out,
        arguments.piano_epochs,
        arguments.columns,
        arguments.pieces,
        arguments.dictionary,
        seed,
        seeds,
    )
    plan = Plan(
        None if arguments.only == "piano" else root / "drums" / "groove",
        arguments.out,
        arguments.epochs,
        seed,
        seeds,
        None if arguments.only == "drums" else piano,
    )
    print(reproduce(plan, tell_on_terminal))
    return 0
