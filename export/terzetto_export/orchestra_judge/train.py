"""From players' notes, sound fonts and phrases to the second judge (``orchestra_judge.onnx``, local) and its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from terzetto_export.card import Card, commit, data_hash, machine
from terzetto_export.instrument_judge.judge import TASK
from terzetto_export.instrument_judge.notes import CLASSES, fonts_among
from terzetto_export.instrument_judge.train import LICENCE, table
from terzetto_export.instrument_judge.train import Plan as JudgePlan
from terzetto_export.onnx_file import Description, export
from terzetto_export.orchestra_judge.features import shape
from terzetto_export.orchestra_judge.judge import HEARS, MODEL
from terzetto_export.orchestra_judge.network import FOLDS, OrchestraJudge
from terzetto_export.orchestra_judge.notes import AGAIN, PLAYERS, Notes, held_out, other_source, training_notes
from terzetto_export.orchestra_judge.recipe import OrchestraRecipe, heard_as
from terzetto_export.training import Schedule, choose_device, fit, tell_on_terminal

EPOCHS, LEARNING_RATE, WEIGHT_DECAY = 24, 2e-3, 0.05


@dataclass(frozen=True)
class Plan(JudgePlan):
    """What to train, as the command line says it; see ``terzetto train orchestra-judge --help``."""

    name: str = MODEL


def train(plan: Plan) -> Path:
    """Train as planned and return the model's path.

    Raises
    ------
    InputError
        fluidsynth or a data set is missing.
    """
    device, tell = choose_device(plan.device), tell_on_terminal
    validation, test = held_out(tell, "validation"), held_out(tell, "test")
    elsewhere = Notes.of(other_source(tell))
    training = training_notes(tell, plan.seed)
    torch.manual_seed(plan.seed)
    network = OrchestraJudge(len(CLASSES))
    network(torch.from_numpy(shape(validation.levels[:2])))  # lazy layers take their sizes
    schedule = Schedule(plan.epochs or EPOCHS, LEARNING_RATE, WEIGHT_DECAY, minutes=plan.minutes)
    plan.model.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = plan.model.with_name(f".{plan.model.stem}.ckpt")
    recipe = OrchestraRecipe(network, training, validation, device)
    history = fit(recipe, schedule, seed=plan.seed, checkpoint=checkpoint, resume=plan.resume, tell=tell)
    network.to("cpu")
    difference = export_judge(network, plan.model, validation)
    checkpoint.unlink(missing_ok=True)
    facts = [
        ("parameters", f"{sum(p.numel() for p in network.parameters()):,} in {FOLDS} folds"),
        ("trained on", f"{len(training.label)} notes, resynthesised ones among them"),
        ("validation", f"macro recall {history.best:.3f} on {len(validation.label)} real notes"),
        ("epochs", f"{history.best_epoch} of {len(history.loss)}, {history.seconds / 60:.1f} min on {device.type}"),
        ("seed", str(plan.seed)),
        ("data hash", data_hash(training.paths)),
        ("commit", commit()),
        ("machine", machine()),
        ("PyTorch to ONNX", f"{difference:.0e} of the largest output"),
    ]
    write_card(plan, training, metrics(network, test, elsewhere), facts)
    return plan.model


def export_judge(network: OrchestraJudge, path: Path, real: Notes) -> float:
    """Write the judge as ONNX and return its largest difference to PyTorch on real notes; see `onnx_file.export`."""
    example = torch.from_numpy(shape(real.levels[:32]))
    names = ["logits", "embedding"]
    return export(
        network,
        path,
        Description(TASK, LICENCE, {"classes": CLASSES, "hears": HEARS}),
        {"spectra": example[:2]},
        names,
        {"spectra": {0: "notes"}} | {name: {1: "notes"} for name in names},
        [{"spectra": example}],
    )


def metrics(network: OrchestraJudge, test: Notes, elsewhere: Notes) -> str:
    """Return the card's tables: recalls of the players' notes, of them resynthesised, and of other sources."""
    found = heard_as(network, test)
    players, again = test.of_source(PLAYERS), np.array([source.endswith(AGAIN) for source in test.source])
    parts = [
        ("The players' notes of pitches that the judging fold did not learn", test, found, players & ~again),
        ("The same, resynthesised", test, found, players & again),
        ("Medley-solos-DB's test phrases, other songs than it learned", test, found, ~players),
        ("sms-tools, of which it heard nothing", elsewhere, heard_as(network, elsewhere), elsewhere.label >= 0),
    ]
    return "\n\n".join(
        f"{title}:\n\n```\n{table(notes.label[rows], classes[rows])}\n```" for title, notes, classes, rows in parts
    )


def write_card(plan: Plan, training: Notes, text: str, facts: Sequence[tuple[str, str]]) -> Path:
    """Write the card beside the model."""
    phrases = ("Medley-solos-DB", "CC BY 4.0 per its authors; for research", "its training phrases")
    players = (
        "Philharmonia Orchestra sound samples",
        "CC BY-SA 3.0",
        "the training split; each fold of the judge learns all pitches but every fourth",
    )
    return Card(
        title="The second judge of instruments (orchestra_judge)",
        summary=(
            "Single frames of a note's sustained part in (`terzetto_export.orchestra_judge.features`), log "
            "probabilities of ten instruments and 'other', and an embedding out: four convolutional networks along the "
            "scale of pitches, the folds. A note is judged by the fold that never heard a player's note of its "
            "pitch. It judges what `terzetto evaluate timbre` converts, stays on this machine, and nothing is trained "
            "or chosen on what it says."
        ),
        licence=LICENCE,
        data=[players, *fonts_among(training.paths), phrases],
        metrics=text,
        limits=(
            "It knows the players, instruments and rooms that X-Synth learned from, at other pitches; the judge that "
            "knows none of them is `instrument_judge`. Trumpet and violin are not among these players."
        ),
        command=plan.command,
        facts=facts,
    ).write(plan.model)
