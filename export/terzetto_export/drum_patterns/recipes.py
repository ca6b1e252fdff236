"""What `terzetto_export.training.fit` needs for the autoencoder and, after it, the flow.

The autoencoder learns bars and bars made of them; the flow, where the encoder puts the training bars, with style and
density known or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from terzetto.drums.pattern_features import features
from terzetto.evaluate.drum_patterns import best_threshold
from terzetto_export.drum_patterns.augmentation import Amount, draw
from terzetto_export.drum_patterns.corpus import Corpus
from terzetto_export.drum_patterns.flow import ConditionalFlow
from terzetto_export.drum_patterns.losses import UNIT, divergence, hit_loss, shape_loss, targets
from terzetto_export.drum_patterns.network import Autoencoder

BATCH = 128
BETA = 0.06


class AutoencoderRecipe:
    """Bars through the latent space; validation is the mean F1 of both kinds of hits at the best thresholds."""

    def __init__(
        self, training: Corpus, more: Corpus | None, validation: Corpus, latent_size: int, device: torch.device
    ) -> None:
        self.network: Autoencoder = Autoencoder(latent_size).to(device)
        self._training, self._more, self._validation, self._device = training, more, validation, device

    def batches(self, random: np.random.Generator) -> Iterator[Tensor]:
        """Yield features of bars, a tenth of them of the second corpus, which is not played but programmed."""
        n_more = 0 if self._more is None else BATCH // 10
        order = random.permutation(len(self._training))
        size = BATCH - n_more
        for start in range(0, max(len(order) - size, 0) + 1, size):
            parts = [features(draw(self._training, order[start : start + size], Amount(), random))]
            if self._more is not None:
                parts.append(features(self._more.bars.at(random.integers(0, len(self._more), n_more))))
            yield torch.from_numpy(np.concatenate(parts)).to(self._device)

    def loss(self, batch: Tensor) -> Tensor:
        """Return the negative evidence lower bound, with little weight (`BETA`) on the divergence."""
        raw, mean, log_variance = self.network(batch)
        truth = targets(batch)
        bars = hit_loss(raw, truth) + shape_loss(raw, truth) + BETA * divergence(mean, log_variance)
        return bars.mean() / UNIT

    def validate(self) -> float:
        """Return the mean of the two F1."""
        bars = self._validation.bars
        fine, hits = [], []
        for part in torch.split(torch.from_numpy(features(bars)).to(self._device), 1024):
            raw = self.network.decoder(self.network.encoder(part)[0])
            fine.append(torch.sigmoid(raw.fine).cpu().numpy())
            hits.append(torch.sigmoid(raw.hits).cpu().numpy())
        truth = targets(torch.from_numpy(features(bars)))
        scores = [
            best_threshold(np.concatenate(found), wanted.numpy() > 0.5, self._validation.file)[1]
            for found, wanted in ((fine, truth.fine), (hits, truth.hits))
        ]
        return float(np.mean(scores))


def encode(encoder: nn.Module, corpus: Corpus) -> tuple[Tensor, Tensor]:
    """Return where a corpus lies: means and log-variances, (n, L) each, on the CPU."""
    device = next(encoder.parameters()).device
    with torch.no_grad():
        parts = [encoder(part.to(device)) for part in torch.split(torch.from_numpy(features(corpus.bars)), 1024)]
    return torch.cat([mean for mean, _ in parts]).cpu(), torch.cat([variance for _, variance in parts]).cpu()


def conditions(corpus: Corpus, styles: Sequence[str]) -> Tensor:
    """Return what is known of each bar: its style (one of n), density, and that the density is known."""
    condition = torch.zeros(len(corpus), len(styles) + 2)
    style = torch.from_numpy(corpus.style(styles))
    known = style >= 0
    condition[known, style[known]] = 1.0
    condition[:, -2] = 4.0 * (torch.from_numpy(corpus.density) - 0.5)
    condition[:, -1] = 1.0
    return condition


class FlowRecipe:
    """Where bars lie; validation is the mean log-density of the validation bars in nats a dimension."""

    BATCH = 512

    def __init__(
        self,
        encoder: nn.Module,
        training: Corpus,
        validation: Corpus,
        styles: Sequence[str],
        device: torch.device,
    ) -> None:
        self._device = device
        self._training = (*encode(encoder, training), conditions(training, styles))
        self._validation = (encode(encoder, validation)[0].to(device), conditions(validation, styles).to(device))
        mean = self._training[0]
        self.network: ConditionalFlow = ConditionalFlow(mean.shape[1], len(styles) + 2).to(device)
        self.network.standardise(mean.to(device))

    def batches(self, random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield points of bars and conditions, of which style and density are each left out half of the time."""
        mean, log_variance, condition = self._training
        order = torch.from_numpy(random.permutation(len(mean)))
        for part in torch.split(order, self.BATCH):
            latent = mean[part] + torch.randn_like(mean[part]) * torch.exp(0.5 * log_variance[part])
            known = condition[part].clone()
            known[torch.from_numpy(random.random(len(part)) < 0.5), :-2] = 0.0
            known[torch.from_numpy(random.random(len(part)) < 0.5), -2:] = 0.0
            yield latent.to(self._device), known.to(self._device)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the mean negative log-density a dimension."""
        return -self.network.log_density(*batch).mean() / self.network.size

    def validate(self) -> float:
        """Return the mean of the log-densities with everything known and with nothing known."""
        latent, condition = self._validation
        known = self.network.log_density(latent, condition)
        unknown = self.network.log_density(latent, torch.zeros_like(condition))
        return float(0.5 * (known + unknown).mean()) / self.network.size
