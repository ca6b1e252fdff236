"""The judge's network: several perceptrons that hear a note at four times each, and their mean."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from terzetto_export.instrument_judge.features import SIZE

VOICES = 5
HIDDEN, EMBEDDING = 384, 128


class Perceptron(nn.Module):
    """Features (…, SIZE) in; logits (…, classes) and the last hidden layer (…, 128) out."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(SIZE, HIDDEN), nn.ReLU(), nn.Dropout(0.3), nn.Linear(HIDDEN, EMBEDDING), nn.ReLU()
        )
        self.classify = nn.Sequential(nn.Dropout(0.2), nn.Linear(EMBEDDING, classes))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and embeddings."""
        embedding: Tensor = self.body(features)
        return self.classify(embedding), embedding


class JudgeNetwork(nn.Module):
    """Features (n, PARTS, SIZE) in; mean log probabilities (n, classes) and mean embeddings (n, VOICES · 128) out."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.voices = nn.ModuleList(Perceptron(classes) for _ in range(VOICES))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the voices say together."""
        said = [voice(features) for voice in self.voices]
        logits = torch.stack([torch.log_softmax(logits, dim=-1) for logits, _ in said]).mean(dim=(0, 2))
        embedding = torch.cat([embedding.mean(dim=1) for _, embedding in said], dim=-1)
        return logits, embedding
