"""The paper's networks and their training: 512-800-2 and back, Bernoulli, β = 4 after a warm-up, batches of 8 (3.2).

What the paper does not say is ours: one hidden layer of rectifiers on each side, Adam at 1e-3, and a warm-up of β that
is linear over the first half of the epochs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terzetto.drums.grid import ActivationMatrix

BATCH, HIDDEN, LATENT, BETA = 8, 800, 2, 4.0
INPUT = ActivationMatrix.SHAPE[0] * ActivationMatrix.SHAPE[1]
LEARNING_RATE = 1e-3
WARM_UP = 0.5  # of the epochs
Bool = NDArray[np.bool_]


class PaperAutoencoder(nn.Module):
    """The paper's variational autoencoder, or the plain one beside it (figures 1 and 2), of the same size."""

    def __init__(self, latent_size: int = LATENT, *, variational: bool = True) -> None:
        super().__init__()
        self.variational = variational
        self.encoder = nn.Sequential(nn.Linear(INPUT, HIDDEN), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(HIDDEN, latent_size), nn.Linear(HIDDEN, latent_size)
        self.decoder = nn.Sequential(nn.Linear(latent_size, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, INPUT))

    def losses(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return reconstruction and divergence of bars (n, 512), each (n,), in nats (equation 1)."""
        hidden = self.encoder(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        divergence = torch.zeros(len(x))
        latent = mean
        if self.variational:
            latent = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
            divergence = 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum(dim=1)
        logit = self.decoder(latent)
        return nn.functional.binary_cross_entropy_with_logits(logit, x, reduction="none").sum(dim=1), divergence

    def place(self, bars: Bool) -> NDArray[np.float32]:
        """Return the means of bars (n, 8, 64) in the latent space, (n, L)."""
        with torch.no_grad():
            return np.asarray(self.mean(self.encoder(_flat(bars))).numpy(), np.float32)

    def probabilities(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what is decoded at points (n, L): probabilities (n, 8, 64)."""
        with torch.no_grad():
            p = torch.sigmoid(self.decoder(torch.from_numpy(np.asarray(latent, np.float32))))
        return np.asarray(p.numpy().reshape(-1, *ActivationMatrix.SHAPE), np.float32)


@dataclass
class Curves:
    """The loss of each epoch in nats a bar: on the train and the test part, with the β of that epoch (figure 8)."""

    train: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    beta: list[float] = field(default_factory=list)


def train(
    train_bars: Bool,
    test_bars: Bool,
    *,
    epochs: int,
    seed: int,
    latent_size: int = LATENT,
    variational: bool = True,
    batch: int = BATCH,
    beta: float = BETA,
    tell: Callable[[str], None] | None = None,
) -> tuple[PaperAutoencoder, Curves]:
    """Train as the paper does; return the network of the last epoch and the curves."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network = PaperAutoencoder(latent_size, variational=variational)
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    curves, x, held_out = Curves(), _flat(train_bars), _flat(test_bars)
    for epoch in range(epochs):
        weight = beta * min(1.0, (epoch + 1) / max(WARM_UP * epochs, 1.0))
        losses = []
        for part in np.array_split(random.permutation(len(x)), max(len(x) // batch, 1)):
            reconstruction, divergence = network.losses(x[torch.from_numpy(part)])
            loss = (reconstruction + weight * divergence).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(float(loss.detach()))
        with torch.no_grad():
            reconstruction, divergence = network.losses(held_out)
        curves.train.append(float(np.mean(losses)))
        curves.test.append(float((reconstruction + weight * divergence).mean()))
        curves.beta.append(weight)
        if tell is not None and (epoch + 1) % 20 == 0:
            tell(f"epoch {epoch + 1}/{epochs}: loss {curves.train[-1]:.2f}, test {curves.test[-1]:.2f}, β {weight:.2f}")
    return network, curves


def _flat(bars: Bool) -> Tensor:
    return torch.from_numpy(bars.reshape(len(bars), INPUT).astype(np.float32))
