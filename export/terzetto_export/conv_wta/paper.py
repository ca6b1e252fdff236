"""``terzetto reproduce conv-wta``."""

from __future__ import annotations

import argparse

from terzetto.commands import whole_number

HELP = "CONV-WTA autoencoders: figure 3 on Groove, and what its footnote 1 only says, measured"
DATA = ("drums/groove",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("--epochs", type=int, default=1000, help="(default: 1000, the paper's)")
    parser.add_argument("--seed", type=whole_number, default=0, help="of the first run (default: 0)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="train each network N times (default: 1)")


def run(arguments: argparse.Namespace) -> int:
    """Train, draw figure 3, print the numbers."""
    from terzetto_export.commands.reproduce import data_root
    from terzetto_export.conv_wta.reproduce import Plan, reproduce
    from terzetto_export.training import tell_on_terminal

    plan = Plan(data_root() / "drums" / "groove", arguments.out, arguments.epochs, arguments.seed, arguments.seeds)
    print(reproduce(plan, tell_on_terminal))
    return 0
