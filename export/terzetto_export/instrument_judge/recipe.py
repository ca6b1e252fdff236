"""How the judge is trained: classes drawn evenly; spectra filtered and covered with noise; pairs blended."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from terzetto.evaluate.drum_sounds import recalls
from terzetto_export.instrument_judge.features import BANDS, PARTS, features
from terzetto_export.instrument_judge.network import VOICES, JudgeNetwork
from terzetto_export.instrument_judge.notes import CLASSES, Notes

BATCH, STEPS_AN_EPOCH = 128, 150
SMOOTHING, BLEND = 0.05, 0.3
REAL = 1.5
"""How much more often a real note is drawn than one of a sound font."""
TILT, COLOUR = 8.0, 4.0
"""dB, either way, between the ends of the spectrum and at six places of it: rooms, microphones, processors."""
NOISE = (35.0, 80.0)
"""dB below the loudest band."""
_BAND = np.linspace(0.0, 1.0, BANDS)
Float = NDArray[np.float32]


class JudgeRecipe:
    """Cross-entropy on blended pairs (mixup: Zhang et al. 2018); validation is the macro recall on real notes."""

    def __init__(self, network: JudgeNetwork, training: Notes, validation: Notes, device: torch.device) -> None:
        self.network = network.to(device)
        self._device = device
        self._training, self._truth = training, validation.label
        self._heard = features(validation.spectra)
        weight = 1.0 / np.bincount(training.label, minlength=len(CLASSES))[training.label].astype(np.float64)
        weight[[source == "medley-solos" for source in training.source]] *= REAL
        self._weight = weight / weight.sum()

    def batches(self, random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield features (VOICES, BATCH, SIZE) and shares of the classes: each voice draws its own notes."""
        for _ in range(STEPS_AN_EPOCH):
            rows = random.choice(len(self._weight), VOICES * BATCH, p=self._weight)
            part = random.integers(len(PARTS), size=len(rows))
            heard = features(changed(self._training.spectra[rows, part], random)).reshape(VOICES, BATCH, -1)
            label = np.eye(len(CLASSES), dtype=np.float32)[self._training.label[rows]].reshape(VOICES, BATCH, -1)
            share, other = np.float32(random.beta(BLEND, BLEND)), random.permutation(BATCH)
            values = share * heard + (1 - share) * heard[:, other]
            target = share * label + (1 - share) * label[:, other]
            yield torch.from_numpy(values).to(self._device), torch.from_numpy(target).to(self._device)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the mean over voices of the mean cross-entropy."""
        values, target = batch
        losses = [
            functional.cross_entropy(voice(value)[0], wanted, label_smoothing=SMOOTHING)
            for voice, value, wanted in zip(self.network.voices, values, target, strict=True)
        ]
        return torch.stack(losses).mean()

    def validate(self) -> float:
        """Return the macro recall on real notes."""
        return float(np.nanmean(recalls(self._truth, found(self.network, self._heard), len(CLASSES))))


def found(network: JudgeNetwork, heard: Float) -> NDArray[np.int64]:
    """Return the likeliest classes of what is heard, features (n, PARTS, SIZE)."""
    device = next(network.parameters()).device
    with torch.no_grad():
        logits = network(torch.from_numpy(heard).to(device))[0]
    return np.asarray(logits.argmax(dim=1).cpu().numpy(), np.int64)


def changed(levels: Float, random: np.random.Generator) -> Float:
    """Return spectra (n, BANDS) as other rooms, microphones or processors might give them."""
    number = len(levels)
    places = np.linspace(0.0, 1.0, 6)
    colour = np.stack([np.interp(_BAND, places, gains) for gains in random.uniform(-COLOUR, COLOUR, (number, 6))])
    louder = levels + random.uniform(-TILT, TILT, (number, 1)) * (_BAND - 0.5) + colour
    noise = louder.max(axis=1, keepdims=True) - random.uniform(*NOISE, (number, 1))
    return np.asarray(np.maximum(louder, noise + random.normal(0.0, 2.0, louder.shape)), np.float32)
