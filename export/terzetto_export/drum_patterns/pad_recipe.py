"""What `terzetto_export.training.fit` needs for the pad, which is trained last, through the fixed decoder.

It is a generative topographic map (Bishop, Svensén and Williams 1998): each bar's likelihood is that of a mixture over
the points of the pad.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from terzetto.drums.pattern_features import features
from terzetto.evaluate.drum_patterns import best_threshold, changed_share
from terzetto_export.drum_patterns.corpus import Corpus
from terzetto_export.drum_patterns.losses import UNIT, hit_loss, shape_loss, targets
from terzetto_export.drum_patterns.network import Autoencoder, Decoder, Raw
from terzetto_export.drum_patterns.pad import RANGE, PadMap, lattice, scattered
from terzetto_export.drum_patterns.recipes import encode


class PadRecipe:
    """A pad for a fixed decoder; validation is the F1 of the validation bars each at its likeliest point.

    It begins with bars where their two principal components have them, and is first trained as a mixture over all of
    it, at a temperature above 1: many points share each bar then, so that neighbours learn the same. Afterwards each
    bar has its one likeliest point, found anew in every epoch, and is learned around it; what a step of a 64th of the
    pad's width changes in the hits has a price.
    """

    SIDE, BATCH, SOFT_BATCH, STEPS_AN_EPOCH = 24, 256, 512, 60
    TABLE, BEGIN_STEPS = 64, 500
    SOFT, HOTTEST = 0.2, 4.0  # the first part's share of the steps, and its temperature, which cools to 1
    STEP = 2 * RANGE[1] / 64
    PRICE = 2.0  # nats for each of the 16-step hits that a step changes
    MOST_CHANGE = 0.12  # of a bar's hits by such a step; above it validation falls

    def __init__(
        self, autoencoder: Autoencoder, training: Corpus, validation: Corpus, device: torch.device, steps: int
    ) -> None:
        self._device, self._steps = device, steps
        self._decoder: Decoder = autoencoder.decoder.to(device).eval().requires_grad_(False)
        self._training = torch.from_numpy(features(training.bars))
        self._validation, self._file = _hits(torch.from_numpy(features(validation.bars))), validation.file
        self._mean = encode(autoencoder.encoder, training)[0]
        self.network: PadMap = PadMap(autoencoder.latent_size).to(device)

    def begin(self, seed: int) -> None:
        """Let the pad begin as bars lie by their two principal components, spread evenly over it."""
        from sklearn.decomposition import PCA

        torch.manual_seed(seed)
        components = PCA(2, random_state=0).fit_transform(_hits(self._training).numpy())
        rank = components.argsort(axis=0).argsort(axis=0)
        where = torch.from_numpy(((2.0 * rank + 1.0) / len(rank) - 1.0) * RANGE[1]).float().to(self._device)
        mean = self._mean.to(self._device)
        optimiser = torch.optim.AdamW(self.network.parameters(), lr=3e-3)
        for _ in range(self.BEGIN_STEPS):
            part = torch.randint(len(mean), (512,), device=self._device)
            loss = ((self.network(where[part]) - mean[part]) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    def batches(self, random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield features of bars and, in the second part, where on the pad they lie."""
        soft = float(self.network.trained) < self.SOFT * self._steps
        size = self.SOFT_BATCH if soft else self.BATCH
        bars = self._training[torch.from_numpy(random.integers(0, len(self._training), size * self.STEPS_AN_EPOCH))]
        where = None if soft else lattice(self.TABLE, device=self._device)[self._likeliest(self._table(), _hits(bars))]
        for start in range(0, len(bars), size):
            part = slice(start, start + size)
            yield bars[part].to(self._device), None if where is None else where[part]

    def loss(self, batch: tuple[Tensor, Tensor | None]) -> Tensor:
        """Return the bars' mean negative log-likelihood: of the mixture, or (with loudness and timing) around them."""
        bars, where = batch
        self.network.trained += 1
        if where is not None:
            step = self._steps_by_chance(len(where))
            xy = (where + self.STEP * (torch.rand_like(where) - 0.5)).clamp(*RANGE)
            raw, truth = self._decoder(self.network(xy)), targets(bars)
            near = self._decoder(self.network((xy + step).clamp(*RANGE)))
            change = (torch.sigmoid(raw.hits) - torch.sigmoid(near.hits)).abs().sum(dim=(1, 2))
            return (hit_loss(raw, truth) + shape_loss(raw, truth) + self.PRICE * change).mean() / UNIT
        cooled = min(float(self.network.trained) / (0.9 * self.SOFT * self._steps), 1.0)
        temperature = 1.0 + (self.HOTTEST - 1.0) * (1.0 - cooled)
        raw = self._decoder(self.network(scattered(self.SIDE, device=self._device)))
        log_likelihood = likelihood(raw, _hits(bars)) / temperature
        mixture = torch.logsumexp(log_likelihood, dim=1) - math.log(log_likelihood.shape[1])
        return -temperature * mixture.mean() / UNIT

    def validate(self) -> float:
        """Return the F1 of hits on the fine grid at the best threshold, less what the pad changes too quickly."""
        raw = self._table()
        found = torch.sigmoid(raw.fine)[self._likeliest(raw, self._validation)].cpu().numpy()
        truth = self._validation[:, : found[0].size].reshape(found.shape).numpy() > 0.5
        score = best_threshold(found, truth, self._file)[1]
        return score - 2.0 * max(self._change() - self.MOST_CHANGE, 0.0)

    def _change(self) -> float:
        """Return the median share of hits that a 64th of the pad's width changes."""
        start = scattered(self.TABLE // 2, device=self._device)
        step = self._steps_by_chance(len(start))
        pair = [self._decoder(self.network(xy.clamp(*RANGE))).hits > 0.0 for xy in (start, start + step)]
        first, second = (each.cpu().numpy() for each in pair)
        return float(np.median(changed_share(first, second)))

    def _steps_by_chance(self, n: int) -> Tensor:
        """Return n steps of a 64th of the pad's width in any direction, (n, 2)."""
        angle = 2 * math.pi * torch.rand(n, device=self._device)
        return self.STEP * torch.stack([angle.cos(), angle.sin()], dim=1)

    def _table(self) -> Raw:
        """Return what is decoded at a lattice of points."""
        with torch.no_grad():
            points = lattice(self.TABLE, device=self._device)
            parts = [self._decoder(self.network(part)) for part in torch.split(points, 1024)]
        return Raw(*(torch.cat(each) for each in zip(*parts, strict=True)))

    def _likeliest(self, raw: Raw, bars: Tensor) -> Tensor:
        """Return the index of the likeliest point of the lattice for each bar, (n,)."""
        return torch.cat([likelihood(raw, part.to(self._device)).argmax(dim=1) for part in torch.split(bars, 512)])


def _hits(bars: Tensor) -> Tensor:
    """Return the hits of features of bars, both forms side by side, (n, 656), in the order of `likelihood`."""
    truth = targets(bars)
    return torch.cat([truth.fine.flatten(1), truth.hits.flatten(1)], dim=1)


def likelihood(raw: Raw, hits: Tensor) -> Tensor:
    """Return the log-likelihood of each bar's hits (n, 656) at each decoded point (k), (n, k)."""
    logit = _logits(raw).clamp(-7.0, 7.0)  # one wrong hit must not outweigh all others
    return hits @ logit.T - nn.functional.softplus(logit).sum(dim=1)


def _logits(raw: Raw) -> Tensor:
    return torch.cat([raw.fine.flatten(1), raw.hits.flatten(1)], dim=1)
