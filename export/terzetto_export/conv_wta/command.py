"""``terzetto train drum-dictionary``: the dictionary of drum music."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands import at_least_one
from terzetto_export.commands.train import add_training_flags

HELP = "the dictionary that de-noises, simplifies and mixes drum beats, on Groove or your own folder of MIDI beats"
RECIPES = {
    "bars": "atoms of a bar, the 16 most active of a bar win (32 at first); this is how the shipped model was made",
    "denoising": "the same, learned from noisy bars",
    "paper": "the CONV-WTA paper's: every atom wins in one of four bars (in all four at first)",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--recipe",
        default="bars",
        choices=list(RECIPES),
        help="; ".join(f"{name}: {what}" for name, what in RECIPES.items()) + " (default: bars)",
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="of MIDI beats (default: Groove)")
    parser.add_argument("--name", help="of the model (default: drum_dictionary, or the name of your folder)")
    parser.add_argument("--epochs", type=at_least_one, default=1000, help="(default: 1000, the paper's)")
    parser.add_argument("--without", metavar="DRUMMER", help="leave a drummer of Groove out and test on his files")
    add_training_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, export, write the card, and say where."""
    from terzetto_export.conv_wta.train import Plan, train

    plan = Plan(
        recipe=arguments.recipe,
        data=arguments.data,
        name=arguments.name,
        out=arguments.out,
        epochs=arguments.epochs,
        seed=arguments.seed,
        minutes=arguments.minutes,
        device=arguments.device,
        resume=arguments.resume,
        without=arguments.without,
    )
    print(train(plan))
    return 0
