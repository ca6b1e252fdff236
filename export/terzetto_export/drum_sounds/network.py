"""The sound model: a class-conditioned convolutional VAE of sounds as images, its prior, and its pads."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sound_image import IMAGE, STRIP

LATENT_SIZE = 64
_CHANNELS = (32, 64, 96, 128)
_SMALLEST = (IMAGE[1] // 16, IMAGE[2] // 16)
_FLAT = _CHANNELS[-1] * _SMALLEST[0] * _SMALLEST[1]
_HIDDEN, _STRIP_HIDDEN = 256, 192


class Encoder(nn.Module):
    """Image, strip and class → mean and log-variance of the latent point."""

    def __init__(self, size: int) -> None:
        super().__init__()
        channels = (IMAGE[0], *_CHANNELS)
        layers: list[nn.Module] = [nn.Conv2d(channels[0], channels[1], 4, stride=2, padding=1), nn.SiLU()]
        for before, after in pairwise(channels[1:]):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.SiLU()]
        self.image = nn.Sequential(*layers)
        self.strip = nn.Sequential(nn.Linear(STRIP, _STRIP_HIDDEN), nn.SiLU())
        self.hidden = nn.Sequential(nn.Linear(_FLAT + _STRIP_HIDDEN + len(CLASSES), _HIDDEN), nn.SiLU())
        self.out = nn.Linear(_HIDDEN, 2 * size)

    def forward(self, image: Tensor, strip: Tensor, sound_class: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, (n, L) each."""
        read = torch.cat([self.image(image).flatten(1), self.strip(strip), sound_class], dim=1)
        mean, log_variance = self.out(self.hidden(read)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 4.0)


class _Rise(nn.Module):
    """Twice as large, mixed, and moved by what the latent point says of every channel."""

    def __init__(self, before: int, after: int, condition: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(before, after, 3, padding=1)
        self.move = nn.Linear(condition, 2 * after)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.move(condition)[:, :, None, None].chunk(2, dim=1)
        mixed: Tensor = self.mix(nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return nn.functional.silu(mixed * (1.0 + scale) + shift)


class Decoder(nn.Module):
    """Latent point and class → image and strip, 0..1 but for what training has not reached."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(size + len(CLASSES), _HIDDEN), nn.SiLU(), nn.Linear(_HIDDEN, _HIDDEN))
        self.start = nn.Linear(_HIDDEN, _FLAT)
        channels = _CHANNELS[::-1]
        self.rises = nn.ModuleList(_Rise(a, b, _HIDDEN) for a, b in pairwise(channels))
        self.last = nn.Sequential(
            nn.Conv2d(channels[-1], 32, 3, padding=1), nn.SiLU(), nn.Conv2d(32, 4 * IMAGE[0], 3, padding=1)
        )
        self.strip = nn.Sequential(nn.Linear(_HIDDEN, _STRIP_HIDDEN), nn.SiLU(), nn.Linear(_STRIP_HIDDEN, STRIP))

    def forward(self, latent: Tensor, sound_class: Tensor) -> tuple[Tensor, Tensor]:
        """Return images (n, 2, 96, 64) and strips (n, 129)."""
        hidden = nn.functional.silu(self.hidden(torch.cat([latent, sound_class], dim=1)))
        x = self.start(hidden).unflatten(1, (_CHANNELS[-1], *_SMALLEST))
        for rise in self.rises:
            x = rise(x, hidden)
        level, share = nn.functional.pixel_shuffle(self.last(x), 2).chunk(2, dim=1)
        return torch.cat([level + 0.5, torch.sigmoid(share - 3.0)], dim=1), self.strip(hidden) + 0.5


class SoundAutoencoder(nn.Module):
    """Encoder and decoder."""

    def __init__(self, size: int = LATENT_SIZE) -> None:
        super().__init__()
        self.latent_size = size
        self.encoder = Encoder(size)
        self.decoder = Decoder(size)
