"""``terzetto train performance-dictionary``: the dictionary of piano performances."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands import at_least_one
from terzetto_export.commands.train import add_training_flags

HELP = "the dictionary of piano performances, on MAESTRO's layout or a folder of MIDI; made here, never shipped"
RECIPES = {
    "plain": "one convolution to encode with: reconstructs best",
    "paper": "with the CONV-WTA paper's TCN before it, on each of the 388 rows",
    "of-each-atom": "as plain, but k counts columns of each atom",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--recipe",
        default="plain",
        choices=list(RECIPES),
        help="; ".join(f"{name}: {what}" for name, what in RECIPES.items()) + " (default: plain)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="MAESTRO's, or one of performances as MIDI, in folders by composer (default: piano/performances)",
    )
    parser.add_argument("--name", help="of the model (default: performance_dictionary)")
    parser.add_argument("--epochs", type=at_least_one, default=60, help="(default: 60, the paper's)")
    parser.add_argument(
        "--kernel", type=int, default=16, metavar="N", help="events that an atom lasts (default: 16, about 0.4 s)"
    )
    parser.add_argument(
        "--columns",
        type=int,
        metavar="N",
        help="read an excerpt of N kernels of each performance in an epoch (default: each performance whole)",
    )
    parser.add_argument("--pieces", type=int, metavar="N", help="read at most N performances of each part")
    parser.add_argument("--without", metavar="COMPOSER", help="leave a composer out and test on his works")
    add_training_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, export, write the card, and say where."""
    from terzetto.errors import InputError
    from terzetto_export.conv_wta.performance_train import Plan, train

    for flag in ("epochs", "kernel", "columns", "pieces"):
        value = getattr(arguments, flag)
        if value is not None and value < 1:
            raise InputError(f"--{flag} {value}: give 1 or more")
    plan = Plan(
        recipe=arguments.recipe,
        data=arguments.data,
        name=arguments.name,
        out=arguments.out,
        epochs=arguments.epochs,
        kernel=arguments.kernel,
        columns=arguments.columns,
        pieces=arguments.pieces,
        seed=arguments.seed,
        minutes=arguments.minutes,
        device=arguments.device,
        resume=arguments.resume,
        without=arguments.without,
    )
    print(train(plan))
    return 0
