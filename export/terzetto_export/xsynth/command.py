"""``terzetto train timbre``: a model that plays other sounds in the timbre of recordings."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands import at_least_one
from terzetto_export.commands.train import add_training_flags

HELP = "an X-Synth model of an instrument, from a recording of 30 to 120 s"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="a recording of one instrument, or a folder of them; a subfolder's name is an instrument's, and several "
        "make a model with a pad (default: the ten instruments of the shipped model, from the folder that "
        "TERZETTO_DATA names)",
    )
    parser.add_argument("--name", help="of the model (default: timbre_instruments, or the name of your recording)")
    parser.add_argument("--epochs", type=at_least_one, help="at most (default: as many as fit into the minutes)")
    parser.add_argument(
        "--low-latency", action="store_true", help="for half the window: the model's name ends in _low then"
    )
    parser.add_argument(
        "--from-scratch", action="store_true", help="begin anew; by default it goes on from the shipped model"
    )
    parser.add_argument(
        "--voice-only",
        action="store_true",
        help="go on from the shipped model and keep its ear, without recordings of your own too",
    )
    parser.add_argument(
        "-j",
        "--jobs",
        type=at_least_one,
        default=1,
        metavar="N",
        help="processes that make what is learned from, for a GPU; the result is the same (default: 1)",
    )
    add_training_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, export, write the card, and say where.

    Raises
    ------
    InputError
        Flags contradict each other.
    """
    from terzetto.errors import InputError
    from terzetto_export.xsynth.train import Plan, train

    if arguments.from_scratch and arguments.voice_only:
        raise InputError("--from-scratch keeps nothing, --voice-only the shipped model's ear: give one of them")
    plan = Plan(
        data=arguments.data,
        name=arguments.name,
        out=arguments.out,
        seed=arguments.seed,
        minutes=arguments.minutes,
        epochs=arguments.epochs,
        device=arguments.device,
        resume=arguments.resume,
        low_latency=arguments.low_latency,
        from_scratch=arguments.from_scratch,
        voice_only=arguments.voice_only,
        jobs=arguments.jobs,
    )
    print(train(plan))
    return 0
