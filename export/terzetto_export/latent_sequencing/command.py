"""``terzetto reproduce latent-sequencing``."""

from __future__ import annotations

import argparse

from terzetto.commands import whole_number

HELP = "Chemla--Romeu-Santos et al. 2019: figures 2, 4 and 7 to 11 on Groove and on mma"
DATA = ("drums/groove", "drums/mma")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("--epochs", type=int, default=200, help="(default: 200, the paper's)")
    parser.add_argument("--seed", type=whole_number, default=0, help="of the first run (default: 0)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="train N times for the numbers (default: 1)")


def run(arguments: argparse.Namespace) -> int:
    """Train on both data sets, draw the figures, print the numbers."""
    from terzetto_export.commands.reproduce import data_root
    from terzetto_export.latent_sequencing.reproduce import Plan, reproduce
    from terzetto_export.training import tell_on_terminal

    plan = Plan(data_root() / "drums", arguments.out, arguments.epochs, arguments.seed, arguments.seeds)
    print(reproduce(plan, tell_on_terminal))
    return 0
