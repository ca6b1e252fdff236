"""The pad: a smooth map of a square into the latent space."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

RANGE = (-4.0, 4.0)
HIDDEN = 192
# Half periods across half the pad. The fast ones come in softly: they are for detail.
_WAVES = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
_SOFT_FROM = 3.0


class PadMap(nn.Module):
    """Points (n, 2) of the square → (n, L) of the latent space.

    The coordinates come with waves of them: without these a small network bends too little to pass through all the
    regions where bars lie.
    """

    def __init__(self, latent_size: int) -> None:
        super().__init__()
        self.register_buffer("trained", torch.zeros((), dtype=torch.int64))  # steps; a checkpoint keeps it
        self.trained: Tensor
        self.network = nn.Sequential(
            nn.Linear(2 + 4 * len(_WAVES), HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, latent_size),
        )

    def forward(self, xy: Tensor) -> Tensor:
        """Return the points of the latent space."""
        unit = xy / RANGE[1]
        parts = [unit]
        for wave in _WAVES:
            angle = 0.5 * math.pi * wave * unit
            parts.append(torch.cat([torch.sin(angle), torch.cos(angle)], dim=1) / max(1.0, wave / _SOFT_FROM))
        latent: Tensor = self.network(torch.cat(parts, dim=1))
        return latent


def lattice(side: int, *, device: torch.device | None = None) -> Tensor:
    """Return side × side points of the square, edges included, (n, 2)."""
    axis = torch.linspace(*RANGE, side, device=device)
    return torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).reshape(-1, 2)


def scattered(side: int, *, device: torch.device | None = None) -> Tensor:
    """Return one random point in each cell of side × side, (n, 2)."""
    axis = torch.arange(side, device=device)
    cells = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).reshape(-1, 2)
    return (2 * (cells + torch.rand(cells.shape, device=device)) / side - 1) * RANGE[1]
