"""How a classifier of drum sounds is trained: classes drawn evenly, sounds varied and blended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from terzetto.drums.drum_map import CLASSES
from terzetto.evaluate.drum_sounds import recalls
from terzetto_export.drum_sounds.one_shots import OneShot
from terzetto_export.drum_sounds.variations import varied

BATCH = 128
EVENNESS = 0.8
"""How much rare classes are favoured: 0 as they are, 1 all alike."""
SMOOTHING, BLEND = 0.05, 0.3
Float = NDArray[np.float32]
Hear = Callable[[Float], Float]


@dataclass(frozen=True)
class Heard:
    """Sounds as a classifier hears them.

    Attributes
    ----------
    values : float32 (n, …)
    label : int64 (n,)
        Index into `CLASSES`.
    """

    values: Float
    label: NDArray[np.int64]

    @classmethod
    def of(cls, sounds: Sequence[OneShot], hear: Hear) -> Heard:
        """Let all sounds be heard."""
        return cls(np.stack([hear(s.audio) for s in sounds]), np.array([s.sound_class for s in sounds], np.int64))

    @classmethod
    def with_variations(cls, sounds: Sequence[OneShot], hear: Hear, variations: int, seed: int) -> Heard:
        """Let all sounds be heard, and some variations of each."""
        random = np.random.default_rng(seed)
        parts = [cls.of(sounds, hear)]
        for _ in range(variations):
            parts.append(cls.of(sounds, lambda audio: hear(varied(audio, random))))
        return cls(np.concatenate([p.values for p in parts]), np.concatenate([p.label for p in parts]))


class ClassifierRecipe:
    """Cross-entropy on blended pairs (mixup: Zhang et al. 2018); validation is the macro recall."""

    STEPS_AN_EPOCH = 50

    def __init__(self, network: nn.Module, training: Heard, validation: Heard, device: torch.device) -> None:
        self.network = network.to(device)
        self._device = device
        self._training, self._validation = training, validation
        weight = np.bincount(training.label, minlength=len(CLASSES))[training.label] ** -EVENNESS
        self._weight = weight / weight.sum()

    def batches(self, random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield values, and labels as shares of the classes, of blended pairs."""
        label = functional.one_hot(torch.from_numpy(self._training.label), len(CLASSES)).float()
        for _ in range(self.STEPS_AN_EPOCH):
            first, second = random.choice(len(self._weight), (2, BATCH), p=self._weight)
            share = random.beta(BLEND, BLEND)
            values = share * self._training.values[first] + (1 - share) * self._training.values[second]
            target = share * label[first] + (1 - share) * label[second]
            yield torch.from_numpy(values.astype(np.float32)).to(self._device), target.to(self._device)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the mean cross-entropy; of several members that vote, over all of them."""
        values, target = batch
        logits = logits_of(self.network, values)
        target = target.expand(logits.shape)
        return functional.cross_entropy(logits.flatten(0, -2), target.flatten(0, -2), label_smoothing=SMOOTHING)

    def validate(self) -> float:
        """Return the macro recall on the validation sounds."""
        values = torch.from_numpy(self._validation.values).to(self._device)
        found = logits_of(self.network, values).argmax(dim=1).cpu().numpy()
        return float(np.nanmean(recalls(self._validation.label, found, len(CLASSES))))


def logits_of(network: nn.Module, values: Tensor) -> Tensor:
    """Return the logits alone, of a network that may give embeddings too."""
    out = network(values)
    logits: Tensor = out[0] if isinstance(out, tuple) else out
    return logits
