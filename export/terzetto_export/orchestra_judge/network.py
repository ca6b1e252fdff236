"""The second judge's network: convolutions along the scale of pitches, as the slides' classifier of instruments has.

A convolutional network on constant-Q spectra (Lostanlen, Cella 2016) of single frames. There are four of
them, the folds: each is taught the players' notes of all pitches but every fourth, and judges those.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FOLDS = 4
CHANNELS, EMBEDDING = (16, 32, 32), 96


class Fold(nn.Module):
    """Spectra (n, BINS) in; logits (n, classes) and the last hidden layer (n, EMBEDDING) out."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        first, second, third = CHANNELS
        self.body = nn.Sequential(
            nn.Conv1d(1, first, 13, stride=2, padding=6),
            nn.BatchNorm1d(first),
            nn.ReLU(),
            nn.Conv1d(first, second, 9, stride=2, padding=4),
            nn.BatchNorm1d(second),
            nn.ReLU(),
            nn.Conv1d(second, third, 7, stride=2, padding=3),
            nn.BatchNorm1d(third),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.4),
            nn.LazyLinear(EMBEDDING),
            nn.ReLU(),
        )
        self.classify = nn.Sequential(nn.Dropout(0.3), nn.Linear(EMBEDDING, classes))

    def forward(self, spectra: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and embeddings."""
        embedding: Tensor = self.body(spectra[:, None])
        return self.classify(embedding), embedding


class OrchestraJudge(nn.Module):
    """Spectra (n, frames, BINS) in; of each fold log probabilities (FOLDS, n, classes) and embeddings out."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.folds = nn.ModuleList(Fold(classes) for _ in range(FOLDS))

    def forward(self, spectra: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each fold says, the mean over the frames."""
        notes, frames, bins = spectra.shape
        said = [fold(spectra.reshape(-1, bins)) for fold in self.folds]
        logits = [torch.log_softmax(each, dim=-1).reshape(notes, frames, -1).mean(dim=1) for each, _ in said]
        embeddings = [each.reshape(notes, frames, -1).mean(dim=1) for _, each in said]
        return torch.stack(logits), torch.stack(embeddings)
