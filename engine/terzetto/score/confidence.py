"""How sure an alignment is: whether the keys sound that the score holds, and are struck where its notes begin."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.score.notes import Score
from terzetto.score.synchrony import RATE, Features

Float = NDArray[np.float64]

REGION = 5.0
"""Length in seconds of the regions that get a confidence."""
_STRUCK = 0.6  # strength of a strike that is beyond doubt
_UNSURE, _SURE = 0.15, 0.45  # agreement of the keys that is chance, and beyond doubt
_SMOOTH = 21  # features over which keys are compared


@dataclass(frozen=True)
class Region:
    """A stretch of the take, in seconds, and how sure its notes' times are, 0..1 (0: nothing of the score is there)."""

    start: float
    end: float
    confidence: float


def surely_struck(strength: Float) -> Float:
    """Return strengths of strikes (see `terzetto.score.timing.refine`) as how sure it is that there is one, 0..1."""
    return np.asarray(np.clip(strength / _STRUCK, 0.0, 1.0), np.float64)


def key_agreement(heard: Features, read: Features, path: Float) -> Float:
    """Return the correlation of the keys' energies at every point of a path, -1..1."""
    from scipy.ndimage import uniform_filter1d

    sides = []
    for features, seconds in zip((heard, read), path.T, strict=True):
        frames = np.clip(np.round(seconds * RATE).astype(np.int64), 0, features.frames - 1)
        energies = uniform_filter1d(features.keys, _SMOOTH, axis=1)[:, frames]
        energies = energies - energies.mean(axis=0)
        sides.append(energies / np.maximum(np.linalg.norm(energies, axis=0), 1e-6))
    return np.asarray((sides[0] * sides[1]).sum(axis=0), np.float64)


def confidences(notes: Score, strength: Float, heard_at: Float, agreement: Float, length: float) -> tuple[Region, ...]:
    """Return how sure the times are: by the agreement of the keys and by how many of them sound struck."""
    edges = np.linspace(0.0, length, max(round(length / REGION), 1) + 1)
    struck = surely_struck(strength)
    regions = []
    for start, end in itertools.pairwise(edges):
        here = (notes.onset >= start) & (notes.onset < end)
        near = (heard_at >= start) & (heard_at < end)
        confidence = 0.0
        if here.any() and near.any():
            agreed = (float(agreement[near].mean()) - _UNSURE) / (_SURE - _UNSURE)
            confidence = float(struck[here].mean()) * min(max(agreed, 0.0), 1.0)
        regions.append(Region(float(start), float(end), confidence))
    return tuple(regions)
