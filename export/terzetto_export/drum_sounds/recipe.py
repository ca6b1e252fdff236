"""How the autoencoder of drum sounds is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sound_maps import COLUMNS
from terzetto_export.drum_sounds.network import LATENT_SIZE, SoundAutoencoder
from terzetto_export.drum_sounds.pool import Pool

BATCH = 48
BATCHES = 40
"""An epoch's, at most."""
BETA = 2e-5
"""Of the divergence from the prior, against the error of one cell of the image."""
_WARM_UP = 10  # epochs
_FAINT = 0.2  # what an error in silence weighs, against one at full level


@dataclass(frozen=True)
class Batch:
    """Sounds: images (n, 2, 96, 64), strips (n, 129), classes one-hot (n, 8)."""

    image: Tensor
    strip: Tensor
    sound_class: Tensor


def tensors(pool: Pool, rows: NDArray[np.int64] | slice, device: torch.device) -> Batch:
    """Return some sounds of a pool."""
    return Batch(
        torch.from_numpy(pool.images[rows].astype(np.float32)).to(device),
        torch.from_numpy(pool.strips[rows]).to(device),
        one_hot(torch.from_numpy(pool.classes[rows]), len(CLASSES)).float().to(device),
    )


def errors(batch: Batch, image: Tensor, strip: Tensor) -> Tensor:
    """Return the error of each reconstruction, (n,): absolute differences, weighted by how loud it is there.

    What is loud in the sound or in its reconstruction counts up to five times as much as what is faint in both; the
    share of partials and the body's pitch count by level alone. The body weighs as much as ten rows of the image.
    """
    level, share = batch.image[:, 0], batch.image[:, 1]
    loud = torch.maximum(level, image[:, 0].detach().clamp(0, 1))
    error = ((_FAINT + loud) * (image[:, 0] - level).abs()).mean(dim=(1, 2))
    error = error + 0.15 * (level * (image[:, 1] - share).abs()).mean(dim=(1, 2))
    body, pitch = batch.strip[:, :COLUMNS], batch.strip[:, COLUMNS : 2 * COLUMNS]
    error = error + 0.1 * ((_FAINT + body) * (strip[:, :COLUMNS] - body).abs()).mean(dim=1)
    error = error + 0.6 * (body**2 * (strip[:, COLUMNS : 2 * COLUMNS] - pitch).abs()).mean(dim=1)
    return error + 0.05 * (strip[:, -1] - batch.strip[:, -1]).abs()


class AutoencoderRecipe:
    """The evidence lower bound, with a Laplace likelihood of fixed scale, and β warmed up.

    Parameters
    ----------
    training, validation
        Pools.
    device
        To train on.
    size
        Of the latent space.
    """

    def __init__(self, training: Pool, validation: Pool, device: torch.device, size: int = LATENT_SIZE) -> None:
        self.network = SoundAutoencoder(size).to(device)
        self.device = device
        self.training, self.validation = training, validation
        self.beta, self.epoch = BETA, 0

    def batches(self, random: np.random.Generator) -> Iterator[Batch]:
        """Yield batches of variants, each also a little brighter or darker."""
        self.epoch += 1
        order = random.permutation(len(self.training))[: BATCH * BATCHES]
        for rows in np.array_split(order, max(len(order) // BATCH, 1)):
            batch = tensors(self.training, rows, self.device)
            tilt = torch.from_numpy(random.normal(0.0, 0.03, (len(rows), 1, 1)).astype(np.float32)).to(self.device)
            slope = torch.linspace(-1.0, 1.0, batch.image.shape[2], device=self.device)[None, :, None]
            level = batch.image[:, 0]
            batch.image[:, 0] = torch.where(level > 0, (level + tilt * slope).clamp(0.0, 1.0), level)
            yield batch

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean loss."""
        mean, log_variance = self.network.encoder(batch.image, batch.strip, batch.sound_class)
        latent = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum(dim=1)
        beta = self.beta * min(self.epoch / _WARM_UP, 1.0)
        error = errors(batch, *self.network.decoder(latent, batch.sound_class))
        return torch.as_tensor((error + beta * divergence).mean())

    def validate(self) -> float:
        """Return minus the error of held-out kits' reconstructions, times 100, the mean over classes."""
        each = []
        for sound_class in np.unique(self.validation.classes):
            batch = tensors(self.validation, np.flatnonzero(self.validation.classes == sound_class), self.device)
            mean, _ = self.network.encoder(batch.image, batch.strip, batch.sound_class)
            each.append(float(errors(batch, *self.network.decoder(mean, batch.sound_class)).mean()))
        return -100.0 * float(np.mean(each))
