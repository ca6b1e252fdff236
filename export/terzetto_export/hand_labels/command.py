"""``terzetto train hand-labels``: the model that tells which hand plays a note."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands import at_least_one
from terzetto_export.commands.train import add_training_flags

HELP = "the model that tells which hand plays which note"
RECIPES = {
    "scores": "Chopin's first editions (CC BY) in made-up timing, and made-up textures; how the shipped model was made",
    "performances": "those and nASAP's performances (CC BY-NC-SA); the model stays on your machine",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--recipe",
        default="scores",
        choices=list(RECIPES),
        help="; ".join(f"{name}: {what}" for name, what in RECIPES.items()) + " (default: scores)",
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="the model that labels notes while they are played, not the one for whole performances",
    )
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="folders of scores with hands: MIDI with two tracks (rh, lh), or CSV "
        "(default: the recipe's, in the folder that TERZETTO_DATA names)",
    )
    parser.add_argument("--epochs", type=at_least_one, default=30, help="at most (default: 30)")
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="train a network with each of N seeds; their mean decides (default: 1)",
    )
    add_training_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, export, write the card, and say where."""
    from terzetto_export.hand_labels.train import Plan, train

    plan = Plan(
        recipe=arguments.recipe,
        live=arguments.live,
        data=arguments.data,
        out=arguments.out,
        seed=arguments.seed,
        seeds=arguments.seeds,
        epochs=arguments.epochs,
        minutes=arguments.minutes,
        device=arguments.device,
        resume=arguments.resume,
    )
    print(train(plan))
    return 0
