"""The cards of the two classifiers of drum sounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES
from terzetto.evaluate.drum_sounds import macro_recall, recalls
from terzetto_export.card import Card
from terzetto_export.drum_sounds.one_shots import OneShot, counts
from terzetto_export.drum_sounds.sources import rows

if TYPE_CHECKING:
    from terzetto_export.drum_sounds.classifier_train import Plan

_TITLES = {
    "drum_classes": "Which drum a sound is (drum_classes)",
    "drum_judge": "The judge of drum sounds (drum_judge)",
}
_SUMMARIES = {
    "drum_classes": (
        "The first second of a one-shot in (mel levels of `terzetto.analysis.drum_spectra`), logits of eight classes "
        "out: a small convolutional network. It sorts sounds that no folder or file name tells "
        "(`terzetto train sounds`). Use: `terzetto.analysis.drum_classes`."
    ),
    "drum_judge": (
        "Features of a one-shot in (`terzetto_export.drum_sounds.judge_features`), logits of eight classes and an "
        "embedding of 16 numbers out: five perceptrons that vote. It judges generated sounds (`terzetto evaluate "
        "drum-sounds`), stays on this machine, and nothing is trained on what it says."
    ),
}
_LIMITS = {
    "drum_classes": (
        "It has heard nine kits, five of them acoustic. `other` is whatever is none of the seven drums, and is often "
        "taken for one; half-open hats are labelled open or closed as each kit's maker did; electronic toms and kicks "
        "may be the same sound. Classes come from names, nobody has checked them by ear."
    ),
    "drum_judge": (
        "It has learned from drum machines, one acoustic kit and sound fonts; labels come from names, and nobody has "
        "checked them by ear. Its recall on real sounds is the ceiling of what it can say of others."
    ),
}


def write_card(
    plan: Plan,
    licence: str,
    training: Sequence[OneShot],
    test: Sequence[OneShot],
    found: NDArray[np.int64],
    facts: Sequence[tuple[str, str]],
) -> Path:
    """Measure on the held-out sounds, whose classes were found, and write the card."""
    name = plan.kind.model
    command = {"drum_classes": "drum-classes", "drum_judge": "drum-judge"}[name]
    parts = [f"terzetto train {command} --seed {plan.seed}"]
    if plan.data:
        parts.append("--data " + " ".join(folder.name for folder in plan.data))
    if plan.epochs is not None:
        parts.append(f"--epochs {plan.epochs}")
    if plan.minutes is not None:
        parts.append(f"--minutes {plan.minutes:g}")
    return Card(
        title=_TITLES[name],
        summary=_SUMMARIES[name],
        licence=licence,
        data=rows(training, None if plan.data is None else [folder.name for folder in plan.data]),
        metrics=f"Trained on {counts(training)}. Real sounds of kits it never heard:\n\n```\n{table(test, found)}\n```",
        limits=_LIMITS[name],
        command=" ".join(parts),
        facts=facts,
    ).write(plan.model)


def table(sounds: Sequence[OneShot], found: NDArray[np.int64]) -> str:
    """Return recalls and confusions of real sounds as text."""
    truth = np.array([sound.sound_class for sound in sounds], np.int64)
    macro = macro_recall(truth, found, [sound.kit for sound in sounds], len(CLASSES))
    recall = recalls(truth, found, len(CLASSES))
    confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    np.add.at(confusion, (truth, found), 1)
    lines = [
        f"macro recall {macro['mean']:.3f} [{macro['low']:.3f}, {macro['high']:.3f}] (95 % over "
        f"{len({sound.kit for sound in sounds})} kits), {len(sounds)} sounds; {np.mean(truth == found):.3f} of all",
        "",
        f"{'heard as':22}" + "".join(f"{name.replace(' hat', ''):>8}" for name in CLASSES),
    ]
    for name, value, row in zip(CLASSES, recall, confusion, strict=True):
        if row.sum():
            lines.append(f"{name:14}{value:8.3f}" + "".join(f"{number:8}" for number in row))
    return "\n".join(lines)
