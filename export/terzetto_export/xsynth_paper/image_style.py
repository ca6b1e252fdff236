"""Image style transfer on spectrograms taken as pictures (Gatys, Ecker, Bethge 2016): as the slides say, it fails.

A picture is looked for whose deep features are those of one sound's (content) while their Gram matrices are those of
another's (style). The network that looks is a small VGG with random weights: those do nearly as well as trained ones
for textures (Ustyuzhaninov, Brendel, Gatys, Bethge 2016), and no photograph's features are better founded for sounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from terzetto.audio.phase import recover
from terzetto.audio.spectra import Stft
from terzetto_export.xsynth_paper.sounds import GRID, Float

CHANNELS = (24, 48, 48)
RANGE_DB = 60.0
STYLE_WEIGHT = 1e3


@dataclass(frozen=True)
class Transfer:
    """What came out: the sound (n,), and how content and style losses fell, (steps,) each."""

    audio: Float
    content: list[float]
    style: list[float]


class Looking(nn.Module):
    """Three convolutions of 3 x 3 with rectifiers, halved in time and frequency alike between them, as for pictures."""

    def __init__(self) -> None:
        super().__init__()
        sizes = (1, *CHANNELS)
        layers = [nn.Conv2d(a, b, 3, padding=1, padding_mode="reflect") for a, b in pairwise(sizes)]
        self.layers = nn.ModuleList(layers)
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.requires_grad_(False)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Return the features (channels, height, width) of each layer of a picture (height, width)."""
        features, x = [], picture[None, None]
        for number, layer in enumerate(self.layers):
            x = torch.relu(layer(x if number == 0 else nn.functional.max_pool2d(x, 2)))
            features.append(x[0])
        return features


def transfer(content: Float, style: Float, *, steps: int, seed: int, style_weight: float = STYLE_WEIGHT) -> Transfer:
    """Give a sound's spectrogram the style of another's as if both were pictures.

    Parameters
    ----------
    content, style : float32 (n,)
        Sounds; the style is heard for as long as the content at most.
    steps : int
        Of Adam, from the content's own picture.
    """
    torch.manual_seed(seed)
    looking = Looking()
    there = Stft(GRID, len(content))
    magnitude = np.abs(there.forward(content))
    style = style[: len(content)]
    texture = np.abs(Stft(GRID, len(style)).forward(style))
    picture = _picture(magnitude)
    wanted = looking(picture)[-1]
    grams = [_gram(features) for features in looking(_picture(texture))]
    found = picture.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([found], lr=0.02)
    curves: tuple[list[float], list[float]] = ([], [])
    for _ in range(steps):
        optimiser.zero_grad()
        features = looking(found)
        losses = (
            ((features[-1] - wanted) ** 2).mean(),
            sum(
                (((_gram(each) - gram) ** 2).mean() for each, gram in zip(features, grams, strict=True)),
                torch.zeros(()),
            ),
        )
        (losses[0] + style_weight * losses[1]).backward()
        optimiser.step()
        for curve, loss in zip(curves, losses, strict=True):
            curve.append(float(loss.detach()))
    level = np.clip(found.detach().numpy().T, 0.0, 1.1)
    made = np.where(level > 0.0, 10.0 ** (RANGE_DB / 20 * (level - 1.0)), 0.0) * float(magnitude.max())
    return Transfer(np.asarray(recover(made.astype(np.float32), there, iterations=10), np.float32), *curves)


def _picture(magnitude: Float) -> Tensor:
    """Return a spectrogram (frames, bins) as a picture (bins, frames) of greys: 0 black at -60 dB, 1 the loudest."""
    level = 20 * np.log10(np.maximum(magnitude / max(float(magnitude.max()), 1e-9), 1e-9))
    return torch.from_numpy(np.maximum(1.0 + level / RANGE_DB, 0.0).astype(np.float32).T.copy())


def _gram(features: Tensor) -> Tensor:
    flat = features.flatten(1)
    return flat @ flat.T / flat.shape[1]
