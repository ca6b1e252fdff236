"""Of the sounds that a prior draws, those that are heard as what they are drawn as.

A Gaussian about every typical sound draws some that lie between classes: low toms that are kicks, claps that are none.
So about each original sound several are drawn and made, a sorter hears them, and the likeliest are kept, if they are
heard as their class. Every original keeps as many as any other: choosing among all of a class's would leave little but
its few most ordinary sounds, twice as far from real ones (rejection sampling, stratified by original).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sound_image import from_image
from terzetto.drums.sound_synthesis import synthesise
from terzetto_export.drum_sounds.network import SoundAutoencoder
from terzetto_export.drum_sounds.prior import MOST_CENTRES, Latents, shape_of

DRAWS = 4
"""Of so many draws about an original, one is kept."""
FEWEST = 0.35
"""Of a class's originals, the likeliest ones, are kept in any case: a sorter may not know a producer's sounds."""
Float = NDArray[np.float32]
Hear = Callable[[Sequence[Float]], Float]


def recognised(
    network: SoundAutoencoder,
    latents: Latents,
    originals: NDArray[np.int64],
    hear: Hear,
    most: int = MOST_CENTRES,
    draws: int = DRAWS,
) -> Latents:
    """Return new points, some of every class.

    Parameters
    ----------
    latents
        Where typical sounds and their variants lie.
    originals
        Of which sound each is a variant, (n,).
    hear
        Returns how likely sounds (44.1 kHz) are of each class, (sounds, 8).
    most
        Points of a class.
    draws
        Of which one is kept.
    """
    points, classes = [], []
    for each in np.unique(latents.classes):
        members = np.flatnonzero(latents.classes == each)
        random = np.random.default_rng(int(each))
        shape = shape_of(latents.points[members])
        groups = np.unique(originals[members])
        if len(groups) > most:
            groups = random.choice(groups, most, replace=False)
        wanted = most // len(groups)
        kept: list[Float] = []
        likely: list[NDArray[np.float64]] = []
        for group in groups:
            centres = random.choice(members[originals[members] == group], wanted * draws)
            normal = random.standard_normal((len(centres), len(shape)))
            drawn: Float = np.asarray(latents.points[centres] + normal @ shape.T, np.float32)
            share = hear(decoded(network, drawn, int(each))).astype(np.float64)
            best = np.argsort(-share[:, each])[:wanted]
            kept.append(drawn[best])
            likely.append(np.where(share[best].argmax(axis=1) == each, share[best, each], share[best, each] - 1.0))
        points.append(np.concatenate(_known(kept, likely)))
        classes.append(np.full(len(points[-1]), each))
    return Latents(np.concatenate(points), np.concatenate(classes))


def decoded(network: SoundAutoencoder, points: Float, sound_class: int) -> list[Float]:
    """Return the sounds of points (n, L) of a class, as the engine makes them."""
    one_hot = torch.zeros(len(points), len(CLASSES))
    one_hot[:, sound_class] = 1.0
    with torch.no_grad():
        images, strips = network.decoder(torch.from_numpy(points), one_hot)
    return [
        synthesise(from_image(image, strip), seed)
        for seed, (image, strip) in enumerate(zip(images.numpy(), strips.numpy(), strict=True))
    ]


def _known(kept: list[Float], likely: list[NDArray[np.float64]]) -> list[Float]:
    """Return what is heard as its class, above 0; and of so many originals the likeliest, however it is heard."""
    heard = [points[share > 0] for points, share in zip(kept, likely, strict=True)]
    order = np.argsort([-share.max() for share in likely])
    for group in order[: max(round(FEWEST * len(order)), 1)]:
        if not len(heard[group]):
            heard[group] = kept[group][:1]
    return heard
