"""The judge's network: convolutions over time and mel bands, pooled over the time. No recurrence, no STFT bins."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from terzetto_export.instrument_judge.features import BANDS

CHANNELS = (16, 32, 64, 96)
EMBEDDING = 64


class JudgeNetwork(nn.Module):
    """Levels (n, FRAMES, BANDS), 0..1, in; logits (n, classes) and embeddings (n, 64), none below 0, out."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        first, second, third, last = CHANNELS
        self.body = nn.Sequential(
            *_block(1, first, 5, 2),
            nn.MaxPool2d(2),
            *_block(first, second, 3, 1),
            nn.MaxPool2d(2),
            *_block(second, third, 3, 1),
            nn.MaxPool2d((2, 1)),
            *_block(third, last, 3, 1),
        )
        self.embed = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * last * BANDS // 8, EMBEDDING), nn.ReLU())
        self.classify = nn.Sequential(nn.Dropout(0.3), nn.Linear(EMBEDDING, classes))

    def forward(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and embeddings."""
        maps = self.body(levels[:, None])
        embedding = self.embed(torch.cat([maps.mean(dim=2), maps.amax(dim=2)], dim=1).flatten(1))
        return self.classify(embedding), embedding


def _block(channels: int, out: int, size: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, size, stride, size // 2), nn.BatchNorm2d(out), nn.ReLU()]
