"""A conditional normalising flow over the latent space: how bars of a style and density lie there.

Affine coupling layers (Dinh et al. 2017) with the condition as a further input. A variational autoencoder with little
pressure towards its Gaussian prior describes bars well but leaves holes between them; fitted to where the training
bars really lie, the flow takes the prior's place.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LAYERS, HIDDEN, DROPOUT = 8, 96, 0.1
_LARGEST_SCALE = 1.5


class _Coupling(nn.Module):
    """Scales and shifts half of the dimensions, given the others and the condition."""

    def __init__(self, size: int, condition: int) -> None:
        super().__init__()
        self.kept = size // 2
        self.network = nn.Sequential(
            nn.Linear(self.kept + condition, HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.SiLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, 2 * (size - self.kept)),
        )
        last = self.network[-1]
        nn.init.zeros_(last.weight)  # type: ignore[arg-type]
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-scale and shift of the second half of x."""
        scale, shift = self.network(torch.cat([x[:, : self.kept], condition], dim=1)).chunk(2, dim=1)
        return _LARGEST_SCALE * torch.tanh(scale), shift


class ConditionalFlow(nn.Module):
    """An invertible map between the latent space and a standard normal one.

    Parameters
    ----------
    size
        Dimensions.
    condition
        Of the condition; all zeros mean that nothing is known.
    """

    def __init__(self, size: int, condition: int) -> None:
        super().__init__()
        self.size = size
        self.layers = nn.ModuleList(_Coupling(size, condition) for _ in range(LAYERS))
        generator = torch.Generator().manual_seed(size)
        orders = [torch.randperm(size, generator=generator) for _ in range(LAYERS)]
        self.register_buffer("order", torch.stack(orders))
        self.register_buffer("back", torch.stack([torch.argsort(order) for order in orders]))
        self.register_buffer("centre", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))
        self.order: Tensor
        self.back: Tensor
        self.centre: Tensor
        self.spread: Tensor

    def standardise(self, latent: Tensor) -> None:
        """Take centre and spread from points (n, L), so that learning begins from a Gaussian that fits."""
        self.centre.copy_(latent.mean(dim=0))
        self.spread.copy_(latent.std(dim=0).clamp(min=1e-3))

    def to_normal(self, latent: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return the points (n, L) in the normal space, and the log-determinant (n,)."""
        x = (latent - self.centre) / self.spread
        determinant = -torch.log(self.spread).sum() + torch.zeros_like(x[:, 0])
        for layer, order in zip(self.layers, self.order, strict=True):
            x = x[:, order]
            scale, shift = layer(x, condition)
            half = x.shape[1] - scale.shape[1]
            x = torch.cat([x[:, :half], (x[:, half:] - shift) * torch.exp(-scale)], dim=1)
            determinant = determinant - scale.sum(dim=1)
        return x, determinant

    def from_normal(self, normal: Tensor, condition: Tensor) -> Tensor:
        """Return the points (n, L) in the latent space."""
        x = normal
        for layer, back in zip(reversed(self.layers), reversed(self.back.unbind()), strict=True):
            scale, shift = layer(x, condition)
            half = x.shape[1] - scale.shape[1]
            x = torch.cat([x[:, :half], x[:, half:] * torch.exp(scale) + shift], dim=1)[:, back]
        return x * self.spread + self.centre

    def log_density(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Return log p(latent | condition) in nats, (n,)."""
        normal, determinant = self.to_normal(latent, condition)
        return -0.5 * (normal**2).sum(dim=1) - 0.5 * self.size * math.log(2 * math.pi) + determinant
