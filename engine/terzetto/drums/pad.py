"""Where on a pad a pattern lies: the point whose pattern makes the bar likeliest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import DRUMS
from terzetto.drums.pattern_features import N_FINE

Float = NDArray[np.float32]
POINTS = 64  # on each side of the table that is searched first
_REFINE, _REFINEMENTS = 5, 2
_N_HITS = N_FINE + len(DRUMS)
_SURE = 1e-3  # a probability is never believed to be nearer to 0 or 1: one wrong hit must not outweigh all others


class Pad:
    """A square of patterns, searched by likelihood.

    Parameters
    ----------
    limits
        The square's lower and upper edge in x and y.
    steps
        Gives the steps (n, 16, 59) at points (n, 2) of the square.
    """

    def __init__(self, limits: tuple[float, float], steps: Callable[[Float], Float]) -> None:
        self._low, self._high = limits
        self._steps = steps
        axis = np.linspace(*limits, POINTS, dtype=np.float32)
        self._points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
        self._weight, self._bias = _likelihood(steps(self._points))

    def nearest(self, steps: Float) -> Float:
        """Return the likeliest points, (n, 2), of patterns given as steps (n, 16, 59)."""
        hits = steps[:, :, :_N_HITS].reshape(len(steps), -1)
        best = self._points[np.argmax(hits @ self._weight.T + self._bias, axis=1)]
        return np.stack([self._refine(*each) for each in zip(best, hits, strict=True)]) if len(hits) else best

    def _refine(self, point: Float, hits: Float) -> Float:
        """Look closer around a point of the table."""
        width = (self._high - self._low) / (POINTS - 1)
        for _ in range(_REFINEMENTS):
            axis = np.linspace(-width / 2, width / 2, _REFINE, dtype=np.float32)
            around = point + np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
            around = around.clip(self._low, self._high)
            weight, bias = _likelihood(self._steps(around))
            point = around[int(np.argmax(weight @ hits + bias))]
            width /= _REFINE - 1
        return point


def _likelihood(steps: Float) -> tuple[Float, Float]:
    """Return weight and bias: the log-likelihood of hits is weight · hits + bias."""
    p = steps[:, :, :_N_HITS].reshape(len(steps), -1).clip(_SURE, 1 - _SURE)
    return np.log(p / (1 - p)), np.log1p(-p).sum(axis=1)
