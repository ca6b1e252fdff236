"""From one-shots to ``drum_sounds.onnx`` and its card."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from terzetto.analysis.drum_classes import DrumClassifier, open_drum_classifier
from terzetto.drums.sound_maps import SAMPLE_RATE
from terzetto.drums.sounds import MODEL, TASK, open_sound_model
from terzetto.models import find_model
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.drum_sounds.card import write_card
from terzetto_export.drum_sounds.data import read_data
from terzetto_export.drum_sounds.export import take_weights, write
from terzetto_export.drum_sounds.finish import finish
from terzetto_export.drum_sounds.one_shots import OneShot, in_split
from terzetto_export.drum_sounds.pool import make_pool
from terzetto_export.drum_sounds.prior import MOST_CENTRES
from terzetto_export.drum_sounds.recipe import AutoencoderRecipe, tensors
from terzetto_export.drum_sounds.sound_font_drums import read_sound_fonts
from terzetto_export.instrument_judge.fonts import AIRFONT
from terzetto_export.onnx_file import file_of_model
from terzetto_export.training import Schedule, choose_device, fit, tell_on_terminal

EPOCHS, RATE, POOL = 160, 1e-3, 4500
FONTS = (AIRFONT,)
"""Whose drums teach what drums are called elsewhere (`strangers`). The judge has not learned from it."""
OWN_EPOCHS, OWN_RATE, OWN_VARIANTS, OWN_CENTRES = 30, 3e-4, 12, 96
"""A model of one's own goes on from the shipped one, on so many variants of each sound, 4500 at most; its prior has so
many Gaussians of a class at most, which takes about a minute."""
LICENCES = {
    "collection": "GPL-3.0-or-later (trained on one-shots under GPL-2, CC BY, CC BY-SA and CC0, see the card)",
    "own": "that of the data it was trained on, and of the shipped model that it went on from (GPL-3.0-or-later)",
}
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to train, as the command line says it; see ``terzetto train sounds --help``."""

    data: Sequence[Path] | None = None
    name: str | None = None
    out: Path | None = None
    seed: int = 0
    epochs: int | None = None
    pool: int = POOL
    minutes: float | None = None
    device: str = "auto"
    resume: bool = False

    @property
    def model(self) -> Path:
        """The file to write."""
        return file_of_model(self.name or (self.data[0].resolve().name if self.data else MODEL), self.out)


def train(plan: Plan, tell: Tell = tell_on_terminal) -> Path:
    """Train as planned and return the model's path.

    Raises
    ------
    InputError
        Too few sounds, or none.
    """
    device = choose_device(plan.device)
    sounds = read_data(plan.data, tell, classify=_heard)
    known = in_split(sounds, "train")
    size = min(plan.pool, OWN_VARIANTS * len(known)) if plan.data else plan.pool
    tell(f"making about {size} variants of {len(known)} sounds")
    training = make_pool(known, size, plan.seed)
    validation = make_pool(in_split(sounds, "validation"), 0)
    torch.manual_seed(plan.seed)
    recipe = AutoencoderRecipe(training, validation, device)
    checkpoint = plan.model.with_name(f".{plan.model.stem}.ckpt")
    rate = OWN_RATE if plan.data else RATE
    if plan.data:
        take_weights(recipe.network, find_model(TASK, MODEL).path)
    else:
        recipe.begin()
    epochs = plan.epochs or (OWN_EPOCHS if plan.data else EPOCHS)
    schedule = Schedule(epochs, learning_rate=rate, weight_decay=0.02, minutes=plan.minutes)
    history = fit(recipe, schedule, seed=plan.seed, checkpoint=checkpoint, resume=plan.resume, tell=tell)
    tell("drawing new sounds, and keeping what other kits know as what it is drawn as")
    most = OWN_CENTRES if plan.data else MOST_CENTRES
    elsewhere = [] if plan.data else read_sound_fonts(tell, FONTS)
    network, found = finish(recipe.network, training, known, elsewhere, most)
    real = tensors(validation, slice(0, 64), torch.device("cpu"))
    difference = write(network, plan.model, real, licence(plan))
    checkpoint.unlink(missing_ok=True)
    parameters = sum(p.numel() for p in network.parameters())
    facts = [
        ("began from", MODEL if plan.data else "a principal component analysis"),
        (
            "training",
            f"epoch {history.best_epoch} of {len(history.loss)}, {history.seconds / 60:.1f} min, {device.type}",
        ),
        ("validation", f"{-history.best:.3f} (weighted error, per cent of full scale, mean over classes)"),
        ("variants", f"{len(training)}"),
        *found,
        *([("drums of elsewhere", _told(elsewhere))] if elsewhere else []),
        ("parameters", f"{parameters:,}, stored in half precision"),
        ("seed", str(plan.seed)),
        ("data hash", data_hash(sound.path for sound in known)),
        ("commit", commit()),
        ("machine", machine()),
        ("PyTorch to ONNX", f"{difference:.0e} of the largest output"),
    ]
    write_card(open_sound_model(str(plan.model)), sounds, licence(plan), plan.data, facts, command(plan))
    return plan.model


def _told(elsewhere: Sequence[OneShot]) -> str:
    fonts = ", ".join(f"{font.source} ({font.licence})" for font in FONTS)
    return f"{len(elsewhere)} of {fonts}; they say what is typical, none is in the file"


def _heard(audio: NDArray[np.float32]) -> int:
    return _sorter().classify(audio, SAMPLE_RATE)


@functools.cache
def _sorter() -> DrumClassifier:
    return open_drum_classifier()


def licence(plan: Plan) -> str:
    """Return under which licence the model may be used."""
    return LICENCES["own" if plan.data else "collection"]


def command(plan: Plan) -> str:
    """Return the command that trains as planned."""
    parts = ["terzetto train sounds"]
    if plan.data:
        parts.append("--data " + " ".join(folder.name for folder in plan.data))
    parts.append(f"--seed {plan.seed}")
    if plan.epochs is not None:
        parts.append(f"--epochs {plan.epochs}")
    if plan.minutes is not None:
        parts.append(f"--minutes {plan.minutes:g}")
    return " ".join(parts)
