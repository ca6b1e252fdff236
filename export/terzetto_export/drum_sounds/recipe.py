"""How the autoencoder of drum sounds is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sound_maps import COLUMN_FRAMES, COLUMNS, FREQUENCIES, SECONDS
from terzetto_export.drum_sounds.network import LATENT_SIZE, SoundAutoencoder, coarse
from terzetto_export.drum_sounds.pool import Pool

BATCH = 48
BATCHES = 40
"""An epoch's, at most."""
BETA = 3e-6
"""Of the divergence from the prior, against the error of one cell of the image."""
_SHARE = 0.3
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
    share of partials (by its cross-entropy: where their pitch is unsure, some share is better than none) and the body's
    pitch count by level alone. The body weighs as much as ten rows of the image.
    """
    level, share = batch.image[:, 0], batch.image[:, 1]
    loud = torch.maximum(level, image[:, 0].detach().clamp(0, 1))
    error = ((_FAINT + loud) * (image[:, 0] - level).abs()).mean(dim=(1, 2))
    likely = image[:, 1].clamp(1e-4, 1 - 1e-4)
    entropy = -(share * torch.log(likely) + (1 - share) * torch.log(1 - likely))
    error = error + _SHARE * (level * entropy).mean(dim=(1, 2))
    body, pitch = batch.strip[:, :COLUMNS], batch.strip[:, COLUMNS : 2 * COLUMNS]
    error = error + 0.1 * ((_FAINT + body) * (strip[:, :COLUMNS] - body).abs()).mean(dim=1)
    error = error + 0.6 * (body**2 * (strip[:, COLUMNS : 2 * COLUMNS] - pitch).abs()).mean(dim=1)
    return error + 0.05 * (strip[:, -1] - batch.strip[:, -1]).abs()


def moved(batch: Batch, random: np.random.Generator) -> Batch:
    """Return sounds higher or lower by up to three rows, brighter or darker, and fading faster."""
    n, rows, columns = len(batch.image), batch.image.shape[2], batch.image.shape[3]
    device = batch.image.device

    def drawn(values: NDArray[Any], *shape: int) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).reshape(n, *shape).to(device)

    shift = random.integers(-3, 4, n)
    index = torch.from_numpy((np.arange(rows) - shift[:, None]).clip(0, rows - 1)).to(device)
    image = torch.gather(batch.image, 2, index[:, None, :, None].expand_as(batch.image)).clone()
    tilt = drawn(random.normal(0.0, 0.03, n), 1, 1) * torch.linspace(-1.0, 1.0, rows, device=device)[None, :, None]
    # Up to 40 dB a second, half of the time.
    rate = drawn(np.maximum(random.uniform(-0.4, 0.4, n), 0.0), 1) * SECONDS
    fading = rate * torch.from_numpy((COLUMN_FRAMES / COLUMN_FRAMES[-1]).astype(np.float32)).to(device)
    level = image[:, 0]
    image[:, 0] = torch.where(level > 0, (level + tilt - fading[:, None]).clamp(0.0, 1.0), level)
    strip = batch.strip.clone()
    # The body's level is over 80 dB, the image's over 100; a row is 0.07 octaves, and the pitch is over 4.5.
    strip[:, :columns] = (strip[:, :columns] - 1.25 * fading).clamp(min=0.0)
    step = float(np.log2(FREQUENCIES[1] / FREQUENCIES[0])) / 4.5
    pitch = strip[:, columns : 2 * columns]
    strip[:, columns : 2 * columns] = (pitch + step * drawn(shift, 1)).clamp(0.0, 1.0)
    return Batch(image, strip, batch.sound_class)


def _multiplies_in_half() -> bool:
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())


class AutoencoderRecipe:
    """The evidence lower bound, with a Laplace likelihood of fixed scale.

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
        # Channels last: in this order of memory convolutions run a fifth faster.
        self.network = SoundAutoencoder(size).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device = device
        self.training, self.validation = training, validation
        # Twice as fast where the processor multiplies in bfloat16; elsewhere it would be slower.
        self.half = device.type == "cuda" or _multiplies_in_half()

    def begin(self) -> None:
        """Begin with a principal component analysis of the training set; see `SoundAutoencoder.begin`."""
        seen = []
        for rows in np.array_split(np.arange(len(self.training)), max(len(self.training) // 512, 1)):
            batch = tensors(self.training, rows, self.device)
            seen.append(coarse(batch.image, batch.strip))
        self.network.begin(torch.cat(seen))

    def batches(self, random: np.random.Generator) -> Iterator[Batch]:
        """Yield batches of variants, each of them moved once more."""
        order = random.permutation(len(self.training))[: BATCH * BATCHES]
        for rows in np.array_split(order, max(len(order) // BATCH, 1)):
            yield moved(tensors(self.training, rows, self.device), random)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean loss."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            mean, log_variance = self.network.encoder(batch.image, batch.strip, batch.sound_class)
            latent = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
            image, strip = self.network.decoder(latent, batch.sound_class)
        mean, log_variance = mean.float(), log_variance.float()
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum(dim=1)
        error = errors(batch, image.float(), strip.float())
        return torch.as_tensor((error + BETA * divergence).mean())

    def validate(self) -> float:
        """Return minus the error of held-out kits' reconstructions, times 100, the mean over classes."""
        each = []
        for sound_class in np.unique(self.validation.classes):
            batch = tensors(self.validation, np.flatnonzero(self.validation.classes == sound_class), self.device)
            mean, _ = self.network.encoder(batch.image, batch.strip, batch.sound_class)
            each.append(float(errors(batch, *self.network.decoder(mean, batch.sound_class)).mean()))
        return -100.0 * float(np.mean(each))
