"""Where a model's instruments lie on the pad: alike ones near each other, none on another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto_export.xsynth.phrases import Target

_EDGE = 0.06
_ROUNDS = 400


def lay_out(targets: Sequence[Target]) -> NDArray[np.float64]:
    """Return places (targets, 2) in the unit square: the first principal components of what is mean in each, spread."""
    if len(targets) == 1:
        return np.array([[0.5, 0.5]])
    means = np.stack([_mean(target) for target in targets])
    centred = means - means.mean(axis=0)
    vectors = np.linalg.svd(centred, full_matrices=False)[2]
    places = np.zeros((len(targets), 2))
    found = centred @ vectors[:2].T
    places[:, : found.shape[1]] = found
    # A component's sign means nothing: brighter is to the right, so that a seed does not mirror the pad.
    places *= np.where(places[means.mean(axis=1).argmax()] < 0, -1.0, 1.0)
    rank = np.argsort(np.argsort(places, axis=0), axis=0) / (len(targets) - 1)
    span = np.ptp(places, axis=0)
    places = 0.5 * rank + 0.5 * (places - places.min(axis=0)) / np.where(span > 0, span, 1.0)
    wide = 0.8 / np.sqrt(len(targets))
    for _ in range(_ROUNDS):
        away = places[:, None] - places[None]
        distance = np.sqrt(np.sum(away**2, axis=2)) + np.eye(len(targets))
        push = np.maximum(wide - distance, 0.0) * (1 - np.eye(len(targets)))
        places += 0.1 * np.sum(away / np.maximum(distance, 1e-3)[..., None] * push[..., None], axis=1)
        places = np.clip(places, 0.0, 1.0)
    return np.asarray(_EDGE + (1 - 2 * _EDGE) * places)


def _mean(target: Target) -> NDArray[np.float64]:
    loud = [sound.level > sound.level.max() - 15 for sound in target.sounds]
    parts = [
        np.concatenate([values[here] for values, here in zip(all_, loud, strict=True)]).mean(axis=0)
        for all_ in (
            [np.maximum(sound.partials[:, :24], -60) for sound in target.sounds],
            [np.maximum(sound.bands, -90) for sound in target.sounds],
        )
    ]
    return np.concatenate(parts).astype(np.float64)
