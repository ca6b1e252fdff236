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
    """Features (n, F) → logits (n, 8) and embeddings (n, 16): perceptrons of two layers, which vote.

    Their logits are averaged; the embedding is the first one's. In training all learn from one batch, each with its own
    noise, and the logits are theirs, (members, n, 8).

    Parameters
    ----------
    features
        Of the sounds it is trained on, for mean and spread, (n, F).
    members
        How many there are.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, features: NDArray[np.float32], members: int = 5) -> None:
        super().__init__()
        self.members = members
        self.register_buffer("mean", torch.from_numpy(features.mean(axis=0)))
        self.register_buffer("spread", torch.from_numpy(features.std(axis=0) + np.float32(1e-6)))
        self.embed = nn.Sequential(
            nn.Dropout(0.2),
            _Linear(members, features.shape[1], 128),
            nn.ReLU(),
            nn.Dropout(0.4),
            _Linear(members, 128, EMBEDDING),
            nn.Tanh(),
        )
        self.out = nn.Sequential(nn.Dropout(0.1), _Linear(members, EMBEDDING, len(CLASSES)))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and embeddings."""
        standard = ((features - self.mean) / self.spread).clamp(-4.0, 4.0).expand(self.members, -1, -1)
        if self.training:
            standard = standard + 0.1 * torch.randn_like(standard)
        embedding = self.embed(standard)
        logits: Tensor = self.out(embedding)
        return (logits if self.training else logits.mean(dim=0)), embedding[0]


class _Linear(nn.Module):
    """A linear layer of each member: (members, n, inputs) → (members, n, outputs)."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        widest = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-widest, widest))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-widest, widest))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias
