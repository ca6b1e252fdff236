"""The paper's convolutional network for sounds: three layers each way, 128 latents, a Gaussian likelihood (4.2).

What the paper does not say is ours: rectifiers between the layers, one linear layer to and from the latents, and a last
deconvolution with two channels, the mean and the logarithm of the variance. The deconvolutions need output padding to
end at 410 x 157 (the paper's table leaves it out). Where the paper's NaN come from: `sound_stability`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

CHANNELS = (1, 8, 16, 32)
KERNEL, STRIDE, PADDING = (11, 5), (3, 2), (2, 2)
BANDS, FRAMES, LATENT = 410, 157, 128
LEAST = 0.05
"""Standard deviation: 4 dB for levels, whose range of 80 dB is 1."""
_LOG_TAU = math.log(2 * math.pi)


def surprise(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the negative logarithm of the Gaussian density of spectrograms (n, …), (n,), in nats."""
    each = 0.5 * (_LOG_TAU + log_variance + (x - mean) ** 2 * torch.exp(-log_variance))
    return each.flatten(1).sum(dim=1)


@dataclass(frozen=True)
class Coded:
    """What a pass gives: the decoder's mean and log-variance (n, 410, 157), the encoder's (n, 128)."""

    mean: Tensor
    log_variance: Tensor
    latent_mean: Tensor
    latent_log_variance: Tensor

    def divergence(self) -> Tensor:
        """Return the divergence of the latents from the prior, (n,), in nats."""
        mean, log_variance = self.latent_mean, self.latent_log_variance
        return 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum(dim=1)


class SoundAutoencoder(nn.Module):
    """The network; sizes other than the paper's are for trying it out.

    Parameters
    ----------
    bounded : bool
        Keep both exponentials of the loss from overflowing: the decoder's standard deviation is `LEAST` or more, and
        the latents' is 1 or less (no posterior is wider than the prior). Without, as the paper leaves them.
    bands, frames, latent_size : int
    """

    def __init__(self, bounded: bool, bands: int = BANDS, frames: int = FRAMES, latent_size: int = LATENT) -> None:
        super().__init__()
        self.bounded = bounded
        sizes = [(bands, frames)]
        down: list[nn.Module] = []
        for fan_in, fan_out in pairwise(CHANNELS):
            down += [nn.Conv2d(fan_in, fan_out, KERNEL, STRIDE, PADDING), nn.ReLU()]
            sizes.append(_down(sizes[-1]))
        self.inner = (CHANNELS[-1], *sizes[-1])
        flat = math.prod(self.inner)
        self.encoder = nn.Sequential(*down, nn.Flatten())
        self.latent_mean, self.latent_log_variance = nn.Linear(flat, latent_size), nn.Linear(flat, latent_size)
        self.spread = nn.Sequential(nn.Linear(latent_size, flat), nn.ReLU())
        up: list[nn.Module] = []
        for layer in (3, 2):
            up += [_deconvolution(CHANNELS[layer], CHANNELS[layer - 1], sizes[layer], sizes[layer - 1]), nn.ReLU()]
        self.decoder = nn.Sequential(*up)
        self.out = _deconvolution(CHANNELS[1], 2 * CHANNELS[0], sizes[1], sizes[0])

    def forward(self, x: Tensor, *, chance: bool = True) -> Coded:
        """Code and decode spectrograms (n, bands, frames); without chance from the latents' means."""
        hidden = self.encoder(x[:, None])
        mean, log_variance = self.latent_mean(hidden), self.latent_log_variance(hidden)
        if self.bounded:
            log_variance = -nn.functional.softplus(-log_variance)
        latent = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance) if chance else mean
        return Coded(*self.decode(latent), mean, log_variance)

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance (n, bands, frames) of latents (n, L)."""
        mean, log_variance = self.out(self.decoder(self.spread(latent).unflatten(1, self.inner))).unbind(1)
        if self.bounded:
            least = 2 * math.log(LEAST)
            log_variance = least + nn.functional.softplus(log_variance - least)
        return mean, log_variance

    def losses(self, x: Tensor, *, chance: bool = True) -> tuple[Tensor, Tensor]:
        """Return reconstruction and divergence of spectrograms (n, bands, frames), each (n,), in nats (equation 1)."""
        coded = self(x, chance=chance)
        return surprise(x, coded.mean, coded.log_variance), coded.divergence()


def _down(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size after a convolution."""
    high, wide = ((n + 2 * p - k) // s + 1 for n, k, s, p in zip(size, KERNEL, STRIDE, PADDING, strict=True))
    return high, wide


def _deconvolution(fan_in: int, fan_out: int, small: tuple[int, int], large: tuple[int, int]) -> nn.ConvTranspose2d:
    """Return the way back from a convolution: output padding fills what its rounding lost."""
    high, wide = (
        n - ((m - 1) * s - 2 * p + k) for n, m, k, s, p in zip(large, small, KERNEL, STRIDE, PADDING, strict=True)
    )
    return nn.ConvTranspose2d(fan_in, fan_out, KERNEL, STRIDE, PADDING, (high, wide))
