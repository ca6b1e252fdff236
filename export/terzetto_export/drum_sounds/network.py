"""The sound model: a class-conditioned convolutional VAE of sounds as images, its prior, and its pads."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sound_image import IMAGE, STRIP

LATENT_SIZE = 128
_CHANNELS = (32, 64, 96, 128)
_SMALLEST = (IMAGE[1] // 16, IMAGE[2] // 16)
_FLAT = _CHANNELS[-1] * _SMALLEST[0] * _SMALLEST[1]
_HIDDEN, _STRIP_HIDDEN = 256, 192
_COARSE = (2, 4)  # rows and columns of a cell of the coarse image
_COARSE_FLAT = IMAGE[0] * IMAGE[1] * IMAGE[2] // (_COARSE[0] * _COARSE[1]) + STRIP


def coarse(image: Tensor, strip: Tensor) -> Tensor:
    """Return what the linear parts see of sounds: the means of 2 x 4 cells of the image, and the strip; (n, 1665)."""
    return torch.cat([nn.functional.avg_pool2d(image, _COARSE).flatten(1), strip], dim=1)


class Encoder(nn.Module):
    """Image, strip and class → mean and log-variance of the latent point.

    The mean has a linear part, which begins as a principal component analysis (`SoundAutoencoder.begin`): it knows
    from the start what sounds of kits never seen have in common with those seen, and the rest learns what it leaves.
    """

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
        self.linear = nn.Linear(_COARSE_FLAT, size)

    def forward(self, image: Tensor, strip: Tensor, sound_class: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, (n, L) each."""
        read = torch.cat([self.image(image).flatten(1), self.strip(strip), sound_class], dim=1)
        mean, log_variance = self.out(self.hidden(read)).chunk(2, dim=1)
        return mean + self.linear(coarse(image, strip)), log_variance.clamp(-12.0, 4.0)


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
    """Latent point and class → image and strip, 0..1 but for what training has not reached; partly linear too."""

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
        self.linear = nn.Linear(size, _COARSE_FLAT)

    def forward(self, latent: Tensor, sound_class: Tensor) -> tuple[Tensor, Tensor]:
        """Return images (n, 2, 96, 64) and strips (n, 129)."""
        hidden = nn.functional.silu(self.hidden(torch.cat([latent, sound_class], dim=1)))
        x = self.start(hidden).unflatten(1, (_CHANNELS[-1], *_SMALLEST))
        for rise in self.rises:
            x = rise(x, hidden)
        linear = self.linear(latent)
        rough = linear[:, :-STRIP].unflatten(1, (IMAGE[0], IMAGE[1] // _COARSE[0], IMAGE[2] // _COARSE[1]))
        rough = nn.functional.interpolate(rough, scale_factor=_COARSE, mode="bilinear", align_corners=False)
        level, share = nn.functional.pixel_shuffle(self.last(x), 2).chunk(2, dim=1)
        image = torch.cat([level + rough[:, :1], torch.sigmoid(share + 6.0 * rough[:, 1:] - 4.0)], dim=1)
        return image, self.strip(hidden) + linear[:, -STRIP:]


class SoundAutoencoder(nn.Module):
    """Encoder and decoder."""

    def __init__(self, size: int = LATENT_SIZE) -> None:
        super().__init__()
        self.latent_size = size
        self.encoder = Encoder(size)
        self.decoder = Decoder(size)

    def begin(self, seen: Tensor) -> None:
        """Let the linear parts begin as a principal component analysis of what `coarse` gives of sounds, (n, 1665)."""
        mean = seen.mean(dim=0)
        covariance = torch.cov((seen - mean).double().T) + 1e-6 * torch.eye(seen.shape[1], device=seen.device)
        values, vectors = (each.float() for each in torch.linalg.eigh(covariance))
        axes = vectors[:, -self.latent_size :].flip(1)
        spread = values[-self.latent_size :].flip(0).clamp(min=1e-8).sqrt()
        with torch.no_grad():
            self.encoder.linear.weight.copy_((axes / spread).T)
            self.encoder.linear.bias.copy_(-(mean @ axes) / spread)
            self.decoder.linear.weight.copy_(axes * spread)
            self.decoder.linear.bias.copy_(mean)
            for last in (self.encoder.out, self.decoder.last[-1], self.decoder.strip[-1]):
                assert isinstance(last, nn.Linear | nn.Conv2d) and last.bias is not None
                last.weight.mul_(0.1)
                last.bias.zero_()
            # Posteriors begin narrow.
            self.encoder.out.bias[self.latent_size :] = -3.0
