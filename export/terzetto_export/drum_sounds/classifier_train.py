"""From one-shots to the sorter (``drum_classes.onnx``, shipped) and to the judge (``drum_judge.onnx``, local)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from terzetto.analysis import drum_classes
from terzetto.analysis.drum_spectra import mel_levels
from terzetto.drums.drum_map import CLASSES
from terzetto.models import user_folder
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.drum_sounds import judge
from terzetto_export.drum_sounds.classifier_card import write_card
from terzetto_export.drum_sounds.classifier_recipe import ClassifierRecipe, Hear, Heard, logits_of
from terzetto_export.drum_sounds.classifiers import JudgeNetwork, Sorter
from terzetto_export.drum_sounds.copies import without_copies
from terzetto_export.drum_sounds.data import read_data
from terzetto_export.drum_sounds.judge_features import judged
from terzetto_export.drum_sounds.one_shots import OneShot, Tell, in_split
from terzetto_export.drum_sounds.sound_font_drums import read_sound_fonts
from terzetto_export.onnx_file import Description, export
from terzetto_export.training import Schedule, choose_device, fit, tell_on_terminal

LICENCES = {
    "licensed": "GPL-3.0-or-later (trained on one-shots under GPL-2.0-or-later, CC BY, CC BY-SA and CC0)",
    "research": "none: its data state no licence; for measuring on this machine, not to be given away",
    "own": "that of the data it was trained on",
}


@dataclass(frozen=True)
class Kind:
    """One of the two classifiers: what it is for, hears and learns from."""

    task: str
    model: str
    tier: str
    hear: Hear
    inputs: str
    outputs: tuple[str, ...]
    network: Callable[[Heard], nn.Module]
    variations: int
    epochs: int
    learning_rate: float
    weight_decay: float


SORTER = Kind(
    task=drum_classes.TASK,
    model=drum_classes.MODEL,
    tier="licensed",
    hear=mel_levels,
    inputs="levels",
    outputs=("logits",),
    network=lambda heard: Sorter(),
    variations=6,
    epochs=30,
    learning_rate=3e-3,
    weight_decay=0.02,
)
JUDGE = Kind(
    task=judge.TASK,
    model=judge.MODEL,
    tier="research",
    hear=judged,
    inputs="features",
    outputs=("logits", "embedding"),
    network=lambda heard: JudgeNetwork(heard.values),
    variations=4,
    epochs=60,
    learning_rate=2e-3,
    weight_decay=0.1,
)


@dataclass(frozen=True)
class Plan:
    """What to train, as the command line says it; see ``terzetto train drum-classes --help``."""

    kind: Kind
    data: Sequence[Path] | None = None
    out: Path | None = None
    seed: int = 0
    epochs: int | None = None
    minutes: float | None = None
    device: str = "auto"
    resume: bool = False

    @property
    def model(self) -> Path:
        """The file to write."""
        return (self.out or user_folder()) / f"{self.kind.model}.onnx"


def train(plan: Plan, tell: Tell = tell_on_terminal) -> Path:
    """Train as planned and return the model's path.

    Raises
    ------
    InputError
        Too little data, or none.
    """
    kind, device = plan.kind, choose_device(plan.device)
    training, validation, test = _sounds(plan, tell)
    heard = Heard.with_variations(training, kind.hear, kind.variations, plan.seed)
    chosen_by = Heard.of(validation, kind.hear)
    torch.manual_seed(plan.seed)
    network = kind.network(heard)
    epochs = kind.epochs if plan.epochs is None else plan.epochs
    schedule = Schedule(epochs, kind.learning_rate, kind.weight_decay, minutes=plan.minutes)
    plan.model.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = plan.model.with_name(f".{plan.model.stem}.ckpt")
    recipe = ClassifierRecipe(network, heard, chosen_by, device)
    history = fit(recipe, schedule, seed=plan.seed, checkpoint=checkpoint, resume=plan.resume, tell=tell)
    licence = LICENCES["own" if plan.data else kind.tier]
    real = [{kind.inputs: torch.from_numpy(chosen_by.values[:32])}]
    difference = export(
        network,
        plan.model,
        Description(kind.task, licence, {"classes": CLASSES}),
        {kind.inputs: real[0][kind.inputs][:2]},
        list(kind.outputs),
        {name: {0: "sounds"} for name in (kind.inputs, *kind.outputs)},
        real,
    )
    checkpoint.unlink(missing_ok=True)
    facts = [
        ("parameters", f"{sum(p.numel() for p in network.parameters()):,}"),
        ("validation", f"macro recall {history.best:.3f} on {len(validation)} sounds"),
        ("epochs", f"{history.best_epoch} of {len(history.loss)}, {history.seconds / 60:.1f} min on {device.type}"),
        ("seed", str(plan.seed)),
        ("data hash", data_hash({sound.path for sound in training})),
        ("commit", commit()),
        ("machine", machine()),
        ("PyTorch to ONNX", f"{difference:.0e} of the largest output"),
    ]
    held_out = Heard.of(test, kind.hear)
    with torch.no_grad():
        found = logits_of(network, torch.from_numpy(held_out.values)).argmax(dim=1).numpy()
    write_card(plan, licence, training, test, np.asarray(found, np.int64), facts)
    return plan.model


def _sounds(plan: Plan, tell: Tell) -> tuple[list[OneShot], list[OneShot], list[OneShot]]:
    """Return what to train on, to choose by, and to measure with.

    The judge is measured on the sounds it is for, the licensed ones; so it learns from the research test kits too, and
    from sound fonts, but from nothing that is as good as in the licensed collection.
    """
    sounds = read_data(plan.data, tell, tier=plan.kind.tier, seed=plan.seed)
    training, validation, test = (in_split(sounds, split) for split in ("train", "validation", "test"))
    if plan.kind.tier == "licensed" or plan.data:
        return training, validation, test
    licensed = read_data(None, lambda line: None)
    learned = [*training, *test, *read_sound_fonts(tell)]
    kept = without_copies(learned, licensed)
    tell(f"{len(learned) - len(kept)} sounds are left out that the licensed ones have too")
    return kept, without_copies(validation, licensed), in_split(licensed, "test")
