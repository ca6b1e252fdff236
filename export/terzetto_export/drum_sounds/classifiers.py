"""The two networks that tell drums apart. They share neither shape nor data: one may judge what the other sorted.

The sorter looks at the spectrum as at a picture; the judge weighs features that were made by hand.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terzetto.drums.drum_map import CLASSES

EMBEDDING = 16


class Sorter(nn.Module):
    """Mel levels (n, 101, 64) → logits (n, 8): five convolutions, then the mean, the most and the beginning of each."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _convolution(1, 16, 5, 2),
            _convolution(16, 32, 3, 2),
            _convolution(32, 64, 3, 2),
            _convolution(64, 64, 3, 1),
        )
        self.out = nn.Sequential(nn.Dropout(0.3), nn.Linear(3 * 64, len(CLASSES)))

    def forward(self, levels: Tensor) -> Tensor:
        """Return the logits."""
        seen = self.layers(levels[:, None])
        parts = (seen.mean(dim=(2, 3)), seen.amax(dim=(2, 3)), seen[:, :, :2].mean(dim=(2, 3)))
        logits: Tensor = self.out(torch.cat(parts, dim=1))
        return logits


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> nn.Module:
    layer = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


class JudgeNetwork(nn.Module):
    """Features (n, F) → logits (n, 8) and embeddings (n, 16): two layers of a perceptron on standardised features.

    Parameters
    ----------
    features
        Of the sounds it is trained on, for mean and spread, (n, F).
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, features: NDArray[np.float32]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(features.mean(axis=0)))
        self.register_buffer("spread", torch.from_numpy(features.std(axis=0) + np.float32(1e-6)))
        self.embed = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(features.shape[1], 128),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(128, EMBEDDING),
            nn.Tanh(),
        )
        self.out = nn.Sequential(nn.Dropout(0.1), nn.Linear(EMBEDDING, len(CLASSES)))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and embeddings."""
        standard = ((features - self.mean) / self.spread).clamp(-4.0, 4.0)
        if self.training:
            standard = standard + 0.1 * torch.randn_like(standard)
        embedding = self.embed(standard)
        return self.out(embedding), embedding
