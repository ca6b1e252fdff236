"""How the judge is trained: classes drawn evenly; notes cut, filtered, dulled and covered with noise; pairs blended."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from terzetto.evaluate.drum_sounds import recalls
from terzetto_export.instrument_judge.features import BANDS, FRAMES, relative
from terzetto_export.instrument_judge.notes import CLASSES, SILENCE, Notes

BATCH = 64
STEPS_AN_EPOCH = 150
SMOOTHING, BLEND = 0.05, 0.3
REAL = 1.5
"""How much more often a real note is drawn than one of a sound font."""
_BAND = np.linspace(0.0, 1.0, BANDS, dtype=np.float32)
_SHORTEST = 30
Float = NDArray[np.float32]


class JudgeRecipe:
    """Cross-entropy on blended pairs (mixup: Zhang et al. 2018); validation is the macro recall on real notes."""

    def __init__(self, network: nn.Module, training: Notes, validation: Notes, device: torch.device) -> None:
        self.network = network.to(device)
        self._device = device
        self._training = training
        self._heard = heard(validation)
        self._truth = validation.label
        weight = 1.0 / np.bincount(training.label, minlength=len(CLASSES))[training.label].astype(np.float64)
        weight[[source == "medley-solos" for source in training.source]] *= REAL
        self._weight = weight / weight.sum()

    def batches(self, random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield what is heard, and shares of the classes, of blended pairs."""
        for _ in range(STEPS_AN_EPOCH):
            rows = random.choice(len(self._weight), BATCH, p=self._weight)
            levels = np.stack([changed(self._training.levels[row].astype(np.float32), random) for row in rows])
            label = functional.one_hot(torch.from_numpy(self._training.label[rows]), len(CLASSES)).float()
            share, other = float(random.beta(BLEND, BLEND)), random.permutation(BATCH)
            values = share * levels + (1 - share) * levels[other]
            target = share * label + (1 - share) * label[other]
            yield torch.from_numpy(values.astype(np.float32)).to(self._device), target.to(self._device)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the mean cross-entropy."""
        values, target = batch
        return functional.cross_entropy(self.network(values)[0], target, label_smoothing=SMOOTHING)

    def validate(self) -> float:
        """Return the macro recall on real notes."""
        return float(np.nanmean(recalls(self._truth, found(self.network, self._heard), len(CLASSES))))


def heard(notes: Notes) -> Float:
    """Return what the judge hears of notes as they are, (n, FRAMES, BANDS)."""
    return np.stack([relative(levels.astype(np.float32)) for levels in notes.levels])


def found(network: nn.Module, levels: Float) -> NDArray[np.int64]:
    """Return the likeliest classes of what is heard."""
    device = next(network.parameters()).device
    with torch.no_grad():
        parts = (torch.from_numpy(levels[first : first + 128]) for first in range(0, len(levels), 128))
        logits = [network(part.to(device))[0] for part in parts]
    return np.asarray(torch.cat(logits).argmax(dim=1).cpu().numpy(), np.int64)


def changed(levels: Float, random: np.random.Generator) -> Float:
    """Return what is heard, (FRAMES, BANDS), of a note as another room, microphone or processor might give it."""
    part = levels
    if random.random() < 0.5:
        part = part[int(random.integers(12)) :]
    elif random.random() < 0.6:
        part = np.pad(part, ((int(random.integers(1, 6)), 0), (0, 0)), constant_values=SILENCE)
    part = part[: int(random.integers(_SHORTEST, FRAMES + 1))]
    if part.max() < SILENCE + 10.0:
        part = levels[:FRAMES]
    tilt = random.uniform(-8.0, 8.0) * (_BAND - 0.5)
    part = part + (tilt + np.interp(_BAND, np.linspace(0, 1, 6), random.uniform(-4, 4, 6))).astype(np.float32)
    if random.random() < 0.4:
        part[:, int(random.integers(60, BANDS)) :] -= random.uniform(5, 60)
    if random.random() < 0.5:
        noise = part.max() - random.uniform(35, 65) + random.normal(0, 3, part.shape)
        part = np.maximum(part, (noise + random.uniform(-20, 20) * (_BAND - 0.5)).astype(np.float32))
    return np.roll(relative(part), int(random.integers(-1, 2)), axis=1)
