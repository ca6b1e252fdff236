"""What the prior draws about: the likeliest draws about every typical sound, the most typical first.

A Gaussian about every typical sound draws some that lie between classes: low toms that are kicks, claps that are none.
So about each original several points are drawn, one who knows drums says how likely each is of its class, and the
likeliest are kept. Every original keeps as many as any other, so nothing that a class may be is lost; who wants a kick
that is nothing but a kick draws from the first of them alone (`terzetto.drums.sounds.SoundModel.sample`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from terzetto_export.drum_sounds.prior import MOST_CENTRES, Latents, shape_of

DRAWS = 4
"""Of so many draws about an original, one is kept."""
Float = NDArray[np.float32]
Hear = Callable[[Float, int, int], Float]
"""Returns how likely points (n, L) of a class are of it, (n,), given the original they were drawn about."""


def recognised(
    latents: Latents,
    originals: NDArray[np.int64],
    hear: Hear,
    most: int = MOST_CENTRES,
    draws: int = DRAWS,
) -> Latents:
    """Return new points, some of every class, those of a class in the order of how typical they are of it.

    Parameters
    ----------
    latents
        Where typical sounds and their variants lie.
    originals
        Of which sound each is a variant, (n,).
    hear
        See `Hear`.
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
        kept, likely = [], []
        for group in groups:
            centres = random.choice(members[originals[members] == group], wanted * draws)
            normal = random.standard_normal((len(centres), len(shape)))
            drawn: Float = np.asarray(latents.points[centres] + normal @ shape.T, np.float32)
            share = hear(drawn, int(each), int(group))
            best = np.argsort(-share)[:wanted]
            kept.append(drawn[best])
            likely.append(share[best])
        points.append(np.concatenate(kept)[np.argsort(-np.concatenate(likely), kind="stable")])
        classes.append(np.full(len(points[-1]), each))
    return Latents(np.concatenate(points), np.concatenate(classes))
