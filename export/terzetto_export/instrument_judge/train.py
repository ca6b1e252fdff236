"""From sound fonts and phrases to the judge (``instrument_judge.onnx``, local) and its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from terzetto.evaluate.drum_sounds import macro_recall
from terzetto.models import user_folder
from terzetto_export.card import Card, commit, data_hash, machine
from terzetto_export.instrument_judge.features import features
from terzetto_export.instrument_judge.judge import MODEL, TASK
from terzetto_export.instrument_judge.network import JudgeNetwork
from terzetto_export.instrument_judge.notes import CLASSES, Notes, fonts_among, real_notes, training_notes
from terzetto_export.instrument_judge.recipe import JudgeRecipe, found
from terzetto_export.onnx_file import Description, export
from terzetto_export.training import Schedule, choose_device, fit, tell_on_terminal

EPOCHS, LEARNING_RATE, WEIGHT_DECAY = 8, 2e-3, 0.05
LICENCE = "none: for measuring on this machine, not to be given away (Medley-solos-DB is for research)"


@dataclass(frozen=True)
class Plan:
    """What to train, as the command line of a judge says it; see ``terzetto train instrument-judge --help``."""

    out: Path | None = None
    seed: int = 0
    epochs: int | None = None
    minutes: float | None = None
    device: str = "auto"
    resume: bool = False
    name: str = MODEL

    @property
    def model(self) -> Path:
        """The file to write."""
        return (self.out or user_folder()) / f"{self.name}.onnx"

    @property
    def command(self) -> str:
        """What makes this judge again."""
        return (
            f"terzetto train {self.name.replace('_', '-')} --seed {self.seed}"
            + ("" if self.epochs is None else f" --epochs {self.epochs}")
            + ("" if self.minutes is None else f" --minutes {self.minutes:g}")
        )


def train(plan: Plan) -> Path:
    """Train as planned and return the model's path.

    Raises
    ------
    InputError
        fluidsynth or the data set is missing.
    """
    device, tell = choose_device(plan.device), tell_on_terminal
    validation, test = real_notes(tell, "validation"), real_notes(tell, "test")
    training = training_notes(tell, plan.seed)
    torch.manual_seed(plan.seed)
    network = JudgeNetwork(len(CLASSES))
    schedule = Schedule(plan.epochs or EPOCHS, LEARNING_RATE, WEIGHT_DECAY, minutes=plan.minutes)
    plan.model.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = plan.model.with_name(f".{plan.model.stem}.ckpt")
    recipe = JudgeRecipe(network, training, validation, device)
    history = fit(recipe, schedule, seed=plan.seed, checkpoint=checkpoint, resume=plan.resume, tell=tell)
    difference = export_judge(network, plan.model, validation)
    checkpoint.unlink(missing_ok=True)
    facts = [
        ("parameters", f"{sum(p.numel() for p in network.parameters()):,}"),
        ("trained on", f"{len(training.label)} notes"),
        ("validation", f"macro recall {history.best:.3f} on {len(validation.label)} real notes"),
        ("epochs", f"{history.best_epoch} of {len(history.loss)}, {history.seconds / 60:.1f} min on {device.type}"),
        ("seed", str(plan.seed)),
        ("data hash", data_hash(training.paths)),
        ("commit", commit()),
        ("machine", machine()),
        ("PyTorch to ONNX", f"{difference:.0e} of the largest output"),
    ]
    write_card(plan, training, table(test.label, found(network, features(test.spectra))), facts)
    return plan.model


def export_judge(network: JudgeNetwork, path: Path, real: Notes) -> float:
    """Write the judge as ONNX and return its largest difference to PyTorch on real notes; see `onnx_file.export`."""
    example = torch.from_numpy(features(real.spectra[:32]))
    names = ["logits", "embedding"]
    return export(
        network,
        path,
        Description(TASK, LICENCE, {"classes": CLASSES}),
        {"features": example[:2]},
        names,
        {name: {0: "notes"} for name in ("features", *names)},
        [{"features": example}],
    )


def write_card(plan: Plan, training: Notes, metrics: str, facts: Sequence[tuple[str, str]]) -> Path:
    """Write the card beside the model."""
    phrases = ("Medley-solos-DB", "CC BY 4.0 per its authors; for research", "its training phrases")
    return Card(
        title="The judge of instruments (instrument_judge)",
        summary=(
            "The spectrum of a note's sustained part in (`terzetto_export.instrument_judge.features`), log "
            "probabilities of ten instruments and 'other', and an embedding out: five perceptrons. It judges what "
            "`terzetto evaluate timbre` converts, stays on this machine, and nothing is trained or chosen on what it "
            "says."
        ),
        licence=LICENCE,
        data=[*fonts_among(training.paths), phrases],
        metrics=f"Real notes of recordings it never heard:\n\n```\n{metrics}\n```",
        limits=(
            "It learned mostly from sound fonts, and one note is at times any of several winds: its recall on real "
            "notes is the ceiling of what it can say of others. Trumpet and violin are tested on few phrases."
        ),
        command=plan.command,
        facts=facts,
    ).write(plan.model)


def table(truth: NDArray[np.int64], classes: NDArray[np.int64]) -> str:
    """Return recalls and confusions of real notes, what they are and what was found, as text."""
    macro = macro_recall(truth, classes, np.arange(len(truth)), len(CLASSES))
    confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    np.add.at(confusion, (truth, classes), 1)
    short = [name[:7] for name in CLASSES]
    lines = [
        f"macro recall {macro['mean']:.3f} [{macro['low']:.3f}, {macro['high']:.3f}] (95 % over {len(truth)} notes); "
        f"{np.mean(truth == classes):.3f} of all",
        "",
        f"{'heard as':20}" + "".join(f"{name:>9}" for name in short),
    ]
    for name, row in zip(CLASSES, confusion, strict=True):
        if row.sum():
            recall = row[CLASSES.index(name)] / row.sum()
            lines.append(f"{name:12}{recall:8.3f}" + "".join(f"{number:9}" for number in row))
    return "\n".join(lines)
