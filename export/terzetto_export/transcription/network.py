"""The network: harmonics stacked on their fundamental's key, then small convolutions over keys and time."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from terzetto.audio.pitch_spectra import BINS, BINS_PER_SEMITONE, PITCHES, WINDOWS

HARMONICS = (0.5, 1, 2, 3, 4, 5, 6, 7, 8)
HEADS = ("onset", "sounding", "offset", "velocity")
_DILATIONS = (1, 2, 4, 8)
_OCTAVE = 12


class Network(nn.Module):
    """Spectra (batch, 2, frames, 300) → logits (batch, 4, frames, 88) of `HEADS`.

    Parameters
    ----------
    channels
        Feature maps in every layer.
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        semitone = 12 * BINS_PER_SEMITONE
        self._shifts = [round(semitone * float(np.log2(h))) for h in HARMONICS]
        self._below = 1 - min(self._shifts)  # a key sees one bin more on each side than its own three
        width = BINS_PER_SEMITONE * PITCHES + 2
        self._above = max(max(self._shifts) - 1 + width - BINS, 0)
        self._width = width
        self.harmonics = _layer(len(WINDOWS) * len(HARMONICS), channels, (3, 5), stride=(1, BINS_PER_SEMITONE))
        self.near = nn.ModuleList([_layer(channels, channels, (3, 3)) for _ in range(3)])
        self.octaves = nn.ModuleList([_layer(channels, channels, (1, 5), dilation=(1, _OCTAVE)) for _ in range(2)])
        self.time = nn.ModuleList([_layer(channels, channels, (5, 1), dilation=(each, 1)) for each in _DILATIONS])
        self.heads = nn.Conv2d(channels, len(HEADS), 1)
        nn.init.constant_(cast(Tensor, self.heads.bias), -3.0)

    @property
    def margin(self) -> int:
        """How many frames before and after a frame its answer depends on."""
        return 1 + len(self.near) + 2 * sum(_DILATIONS)

    def forward(self, spectra: Tensor) -> Tensor:
        """Return the logits."""
        padded = nn.functional.pad(spectra, (self._below, self._above))
        first = self._below - 1
        stacked = torch.cat([padded[..., first + s : first + s + self._width] for s in self._shifts], dim=1)
        x = self.harmonics(stacked)
        x = x + self.near[0](x)
        x = x + self.octaves[0](x)
        x = x + self.near[1](x)
        for layer in self.time:
            x = x + layer(x)
        x = x + self.octaves[1](x)
        x = x + self.near[2](x)
        return cast(Tensor, self.heads(x))


class Probabilities(nn.Module):
    """A network whose answers lie between 0 and 1: what is exported."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, spectra: Tensor) -> Tensor:
        """Return (batch, 4, frames, 88)."""
        return torch.sigmoid(self.network(spectra))


def _layer(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int],
    *,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
) -> nn.Sequential:
    strided = stride != (1, 1)
    padding = (kernel[0] // 2 * dilation[0], 0 if strided else kernel[1] // 2 * dilation[1])
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())
