"""The networks: an autoencoder of bars, and all of it with flow and pad as the engine opens it.

Bars are 16 steps of 59 numbers (`terzetto.drums.pattern_features`). Encoder and decoder are mixers (Tolstikhin et al.
2021): in turn they mix the steps of each channel and the channels of each step. What is learned about a channel thus
holds for all steps, which a network of fully connected layers has to learn for each step anew.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import STEPS
from terzetto.drums.pattern_features import N_FINE, WIDTH
from terzetto_export.drum_patterns.flow import ConditionalFlow
from terzetto_export.drum_patterns.pad import PadMap

CHANNELS, DEPTH, HIDDEN = 64, 3, 384
_N_DRUMS = len(DRUMS)


class Residual(nn.Module):
    """x + a small network of the normalised x; begins as the identity."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, hidden), nn.Linear(hidden, width)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., width) to the same shape."""
        changed: Tensor = x + self.down(nn.functional.gelu(self.up(self.norm(x))))
        return changed


class Mixer(nn.Module):
    """Mixes steps, then channels, of (n, 16, channels)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.up, self.down = nn.Linear(STEPS, 2 * STEPS), nn.Linear(2 * STEPS, STEPS)
        self.channels = Residual(channels, 2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, 16, channels) to the same shape."""
        y = nn.functional.gelu(_over_steps(self.up, self.norm(x)))
        mixed: Tensor = self.channels(x + _over_steps(self.down, y))
        return mixed


def _over_steps(layer: nn.Linear, x: Tensor) -> Tensor:
    """Apply a layer along axis 1."""
    return layer.weight @ x + layer.bias[:, None]


class Encoder(nn.Module):
    """Bars (n, 16, 59) → mean and log-variance (n, L) of where they lie."""

    def __init__(self, latent_size: int) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            nn.Linear(WIDTH, CHANNELS),
            *(Mixer(CHANNELS) for _ in range(DEPTH)),
            nn.LayerNorm(CHANNELS),
            nn.Linear(CHANNELS, 32),
        )
        self.whole = nn.Sequential(nn.Linear(32 * STEPS, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, 2 * latent_size))

    def forward(self, bars: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance."""
        mean, log_variance = self.whole(self.steps(bars).flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-9.0, 2.0)


class Raw(NamedTuple):
    """What the decoder says, before sigmoid and tanh: the fine grid's hits (n, 16, 32), and HVO, each (n, 16, 9)."""

    fine: Tensor
    hits: Tensor
    velocities: Tensor
    offsets: Tensor


class Decoder(nn.Module):
    """Points (n, L) of the latent space → the steps of bars."""

    def __init__(self, latent_size: int) -> None:
        super().__init__()
        self.whole = nn.Sequential(
            nn.Linear(latent_size, HIDDEN),
            Residual(HIDDEN, HIDDEN),
            nn.LayerNorm(HIDDEN),
            nn.Linear(HIDDEN, STEPS * CHANNELS),
        )
        self.steps = nn.Sequential(
            *(Mixer(CHANNELS) for _ in range(DEPTH)), nn.LayerNorm(CHANNELS), nn.Linear(CHANNELS, WIDTH)
        )

    def forward(self, latent: Tensor) -> Raw:
        """Return the parts of the steps, before sigmoid and tanh."""
        steps = self.steps(self.whole(latent).unflatten(1, (STEPS, CHANNELS)))
        return Raw(*torch.split(steps, [N_FINE, _N_DRUMS, _N_DRUMS, _N_DRUMS], dim=2))


class Autoencoder(nn.Module):
    """Encoder and decoder."""

    def __init__(self, latent_size: int) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.encoder, self.decoder = Encoder(latent_size), Decoder(latent_size)

    def forward(self, bars: Tensor) -> tuple[Raw, Tensor, Tensor]:
        """Return what is decoded at a point drawn from where the bars lie, and that distribution."""
        mean, log_variance = self.encoder(bars)
        latent = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decoder(latent), mean, log_variance


def playable(raw: Raw) -> Tensor:
    """Return steps (n, 16, 59) as the engine reads them: probabilities, velocities, offsets."""
    return torch.cat(
        [
            torch.sigmoid(raw.fine),
            torch.sigmoid(raw.hits),
            torch.sigmoid(raw.velocities),
            0.5 * torch.tanh(raw.offsets),
        ],
        dim=2,
    )


class WholeModel(nn.Module):
    """All parts side by side, each with its own input of any number of rows; the engine uses one at a time."""

    INPUTS = ("bars", "latent", "from_latent", "from_condition", "to_normal", "to_condition", "pad")
    OUTPUTS = ("bars_latent", "bars_log_variance", "steps", "normal", "log_density", "moved", "pad_latent")

    def __init__(self, autoencoder: Autoencoder, flow: ConditionalFlow, pad: PadMap) -> None:
        super().__init__()
        self.autoencoder, self.flow, self.pad = autoencoder, flow, pad

    def forward(
        self,
        bars: Tensor,
        latent: Tensor,
        from_latent: Tensor,
        from_condition: Tensor,
        to_normal: Tensor,
        to_condition: Tensor,
        pad: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return what `OUTPUTS` names."""
        return (
            *self.autoencoder.encoder(bars),
            playable(self.autoencoder.decoder(latent)),
            self.flow.to_normal(from_latent, from_condition)[0],
            self.flow.log_density(from_latent, from_condition),
            self.flow.from_normal(to_normal, to_condition),
            self.pad(pad),
        )
