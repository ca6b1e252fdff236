"""What a trained autoencoder still lacks to be a sound model: a prior to draw from, and the pads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from terzetto_export.drum_sounds.export import WholeModel
from terzetto_export.drum_sounds.network import SoundAutoencoder, coarse
from terzetto_export.drum_sounds.one_shots import OneShot
from terzetto_export.drum_sounds.pad import Pads, brightness_and_length
from terzetto_export.drum_sounds.pool import Pool
from terzetto_export.drum_sounds.prior import BETWEEN, MOST_CENTRES, Latents, Prior
from terzetto_export.drum_sounds.recipe import tensors
from terzetto_export.drum_sounds.recognised import DRAWS, recognised
from terzetto_export.drum_sounds.strangers import strangers
from terzetto_export.drum_sounds.typical import typical

Float = NDArray[np.float32]


def finish(
    autoencoder: SoundAutoencoder,
    training: Pool,
    sounds: Sequence[OneShot],
    elsewhere: Sequence[OneShot] = (),
    most: int = MOST_CENTRES,
) -> tuple[WholeModel, list[tuple[str, str]]]:
    """Give a trained autoencoder its prior and its pads.

    Parameters
    ----------
    sounds
        That the training pool was made of.
    elsewhere
        What those learn from besides who say what the prior draws, see `strangers`.
    most
        Gaussians of a class.

    Returns
    -------
    WholeModel
    list of (str, str)
        What the card says of it.
    """
    autoencoder = autoencoder.cpu().eval()
    known, features = encode(autoencoder, training)
    _, kit = np.unique([sound.kit for sound in sounds], return_inverse=True)
    good = typical(features, training.classes, kit[training.originals], training.originals)
    latents = Latents(known[good], training.classes[good])
    measured = brightness_and_length(training.images[good], training.strips[good])
    hear = strangers(autoencoder, sounds, elsewhere)
    known_again = recognised(latents, training.originals[good], hear, most)
    network = WholeModel(autoencoder, Prior(known_again, latents, BETWEEN), Pads(latents, measured))
    typical_ones = int((good & training.plain).sum())
    return network, [
        ("typical sounds", f"{typical_ones} of {int(training.plain.sum())} training sounds"),
        (
            "new sounds",
            f"about {len(known_again.classes)} draws, each the one of {DRAWS} that other kits know best",
        ),
    ]


def encode(autoencoder: SoundAutoencoder, pool: Pool) -> tuple[Float, Float]:
    """Return where a pool's sounds lie, (n, L), and where they would by the linear part, which knows no class."""
    points, linear = [], []
    with torch.no_grad():
        for rows in np.array_split(np.arange(len(pool)), max(len(pool) // 256, 1)):
            batch = tensors(pool, rows, torch.device("cpu"))
            points.append(autoencoder.encoder(batch.image, batch.strip, batch.sound_class)[0].numpy())
            linear.append(autoencoder.encoder.linear(coarse(batch.image, batch.strip)).numpy())
    return np.concatenate(points), np.concatenate(linear)
