"""``terzetto train drum-judge``: who judges generated drum sounds, made here and kept here."""

from __future__ import annotations

import argparse

from terzetto_export.drum_sounds.classifier_command import configure, train_classifier

__all__ = ["HELP", "configure", "run"]

HELP = "the judge of `evaluate drum-sounds`, on the research one-shots and sound fonts; it stays on your machine"


def run(arguments: argparse.Namespace) -> int:
    """Train it."""
    from terzetto_export.drum_sounds.classifier_train import JUDGE

    return train_classifier(JUDGE, arguments)
