"""How the second judge is trained: classes drawn evenly; spectra filtered, cut off, detuned and covered with noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from terzetto.evaluate.drum_sounds import recalls
from terzetto_export.instrument_judge.notes import CLASSES
from terzetto_export.orchestra_judge.features import BINS, FRAMES, shape
from terzetto_export.orchestra_judge.network import FOLDS, OrchestraJudge
from terzetto_export.orchestra_judge.notes import PLAYERS, Notes, judging_fold, learned_by

BATCH, STEPS_AN_EPOCH = 128, 120
SMOOTHING = 0.05
REAL = 12.0
"""How much more often a real note is drawn than one of a sound font."""
TILT, COLOUR = 6.0, 4.0
"""dB, either way, between the ends of the spectrum and at nine places of it: rooms, microphones, processors."""
NOISE = (35.0, 80.0)
"""dB below the loudest bin."""
CUT_OFF, CUT_SHARE = (0.7, 1.0), 0.25
"""Where on the scale a low-pass filter cuts (from about 2 kHz), and how often there is one."""
DETUNED = 1
"""Bins of the scale, either way: 33 cents."""
_BIN = np.linspace(0.0, 1.0, BINS)
Float = NDArray[np.float32]
Batch = list[tuple[Tensor, Tensor]]


class OrchestraRecipe:
    """Cross-entropy of the folds; validation is the macro recall, each note judged by the fold that it is for."""

    def __init__(self, network: OrchestraJudge, training: Notes, validation: Notes, device: torch.device) -> None:
        self.network = network.to(device)
        self._device, self._training, self._validation = device, training, validation
        real = training.of_source(PLAYERS, "medley-solos")
        self._weights = []
        for fold in range(FOLDS):
            mine = learned_by(fold, training)
            weight = np.where(mine, np.where(real, REAL, 1.0), 0.0)
            of_class = np.bincount(training.label, weight, minlength=len(CLASSES))
            weight = weight / np.maximum(of_class[training.label], 1e-9)
            self._weights.append(weight / weight.sum())

    def batches(self, random: np.random.Generator) -> Iterator[Batch]:
        """Yield for each fold spectra (BATCH, BINS) and labels (BATCH,)."""
        for _ in range(STEPS_AN_EPOCH):
            batch = []
            for weight in self._weights:
                rows = random.choice(len(weight), BATCH, p=weight)
                heard = shape(changed(self._training.levels[rows, random.integers(FRAMES, size=BATCH)], random))
                label = torch.from_numpy(self._training.label[rows])
                batch.append((torch.from_numpy(heard).to(self._device), label.to(self._device)))
            yield batch

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean over the folds of the mean cross-entropy."""
        losses = [
            functional.cross_entropy(fold(heard)[0], label, label_smoothing=SMOOTHING)
            for fold, (heard, label) in zip(self.network.folds, batch, strict=True)
        ]
        return torch.stack(losses).mean()

    def validate(self) -> float:
        """Return the macro recall on real notes, resynthesised ones among them."""
        found = heard_as(self.network, self._validation)
        return float(np.nanmean(recalls(self._validation.label, found, len(CLASSES))))


def heard_as(network: OrchestraJudge, notes: Notes) -> NDArray[np.int64]:
    """Return the likeliest class of each note: the judging fold's, or all folds' where the pitch is not known."""
    device = next(network.parameters()).device
    with torch.no_grad():
        said = network(torch.from_numpy(shape(notes.levels)).to(device))[0].cpu().numpy()
    return np.asarray(by_fold(said, notes.pitch).argmax(axis=1), np.int64)


def by_fold(said: NDArray[np.floating], pitch: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (n, d) of what the folds say (FOLDS, n, d): the judging fold's; the mean where the pitch is -1."""
    fold = np.array([judging_fold(int(each)) for each in pitch], np.int64)
    chosen = said[fold, np.arange(len(pitch))]
    return np.asarray(np.where((pitch < 0)[:, None], said.mean(axis=0), chosen), np.float64)


def changed(levels: Float, random: np.random.Generator) -> Float:
    """Return spectra (n, BINS) as other rooms, microphones, codecs or processors might give them."""
    number = len(levels)
    moved = np.stack([np.roll(row, random.integers(-DETUNED, DETUNED + 1)) for row in levels])
    places = np.linspace(0.0, 1.0, 9)
    colour = np.stack([np.interp(_BIN, places, gains) for gains in random.uniform(-COLOUR, COLOUR, (number, 9))])
    louder = moved + random.uniform(-TILT, TILT, (number, 1)) * (_BIN - 0.5) + colour
    cut = np.where(random.random((number, 1)) < CUT_SHARE, random.uniform(*CUT_OFF, (number, 1)), 2.0)
    louder = louder - 600.0 * np.maximum(_BIN - cut, 0.0)
    noise = louder.max(axis=1, keepdims=True) - random.uniform(*NOISE, (number, 1))
    noise = noise + random.uniform(-15.0, 15.0, (number, 1)) * (_BIN - 0.5)
    return np.asarray(np.maximum(louder, noise + random.normal(0.0, 3.0, louder.shape)), np.float32)
