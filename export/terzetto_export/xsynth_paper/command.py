"""``terzetto reproduce xsynth``."""

from __future__ import annotations

import argparse

from terzetto.commands import whole_number

HELP = (
    "Gabrielli, Cella et al. 2018, as in Cella's slides: the ablation, one recording against a class, singers put in, "
    "chords, noise, glissando, energy, 1000 notes, and the rivals"
)
DATA = ("instruments/medley_solos", "instruments/philharmonia")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--epochs", type=whole_number, default=20, metavar="N", help="to train each of the 8 networks (default: 20)"
    )
    parser.add_argument(
        "--note-epochs",
        type=whole_number,
        default=10,
        metavar="N",
        help="to train each of the 10 classes' networks for the 1000 notes (default: 10; 0: leave them out)",
    )
    parser.add_argument(
        "--phrases",
        type=whole_number,
        default=6,
        metavar="N",
        help="of singers and of piano put in (default: 6; at most 12)",
    )
    parser.add_argument(
        "--image-steps",
        type=whole_number,
        default=100,
        metavar="N",
        help="of image style transfer (default: 100; 0: leave it out)",
    )
    parser.add_argument("--seed", type=whole_number, default=0, help="(default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Train all networks, draw the pictures, write the sounds, print the page."""
    from terzetto_export.commands.reproduce import data_root
    from terzetto_export.training import tell_on_terminal
    from terzetto_export.xsynth_paper.reproduce import Plan, reproduce

    plan = Plan(
        data_root() / "instruments",
        arguments.out,
        arguments.epochs,
        arguments.note_epochs,
        arguments.image_steps,
        arguments.phrases,
        arguments.seed,
    )
    print(reproduce(plan, tell_on_terminal))
    return 0
