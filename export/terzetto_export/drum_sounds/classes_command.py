"""``terzetto train drum-classes``: the network that sorts one-shots into classes by ear."""

from __future__ import annotations

import argparse

from terzetto_export.drum_sounds.classifier_command import configure, train_classifier

__all__ = ["HELP", "configure", "run"]

HELP = "the network that sorts drum sounds into classes, on the licensed one-shots or your own"


def run(arguments: argparse.Namespace) -> int:
    """Train it."""
    from terzetto_export.drum_sounds.classifier_train import SORTER

    return train_classifier(SORTER, arguments)
