"""``terzetto train orchestra-judge``: the second judge of conversions of timbre, made here and kept here."""

from __future__ import annotations

import argparse

from terzetto_export.instrument_judge.command import configure as configure

HELP = "the second judge of `evaluate timbre`, which knows the players' notes too; it stays on your machine"


def run(arguments: argparse.Namespace) -> int:
    """Train, export, write the card, and say where."""
    from terzetto_export.orchestra_judge.train import Plan, train

    plan = Plan(
        out=arguments.out,
        seed=arguments.seed,
        epochs=arguments.epochs,
        minutes=arguments.minutes,
        device=arguments.device,
        resume=arguments.resume,
    )
    print(train(plan))
    return 0
