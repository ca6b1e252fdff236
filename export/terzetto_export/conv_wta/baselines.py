"""What a sceptic would try instead: nonnegative matrix factorisation, and the most similar training bar."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import STEPS
from terzetto.evaluate.drum_patterns import nearest_index

N = len(DRUMS)
Float = NDArray[np.float32]


def bars_of(rows: Float) -> Float:
    """Cut sections (n, rows, 64) into bars (4 n, rows, 16)."""
    n, height, steps = rows.shape
    return rows.reshape(n, height, steps // STEPS, STEPS).transpose(0, 2, 1, 3).reshape(-1, height, STEPS)


def sections_of(bars: Float, count: int) -> Float:
    """Put bars (4 n, rows, 16) side by side again, (n, rows, 64)."""
    height = bars.shape[1]
    return bars.reshape(count, -1, height, STEPS).transpose(0, 2, 1, 3).reshape(count, height, -1)


class NmfDictionary:
    """Hits and velocities of a bar as a nonnegative sum of as many parts as the dictionary has atoms.

    All parts may take part in a bar, unless ``sparse`` says how many of the largest do.
    """

    def __init__(self, training: Float, parts: int = 100, seed: int = 0, iterations: int = 100) -> None:
        from sklearn.decomposition import MiniBatchNMF

        self._nmf = MiniBatchNMF(
            parts, init="random", batch_size=1024, max_iter=iterations, max_no_improvement=None, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it could go on; the iterations are the budget
            self._nmf.fit(self._read(training))

    def __call__(self, rows: Float) -> Float:
        """Return the value of each cell's hit, (n, 9, 64)."""
        return self.value(rows)

    def value(self, rows: Float, sparse: int | None = None) -> Float:
        """Return the same, of each bar's so many largest activities only."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            activity = self._nmf.transform(self._read(rows))
        if sparse is not None:
            size = np.sqrt((self._nmf.components_**2).sum(axis=1))
            smallest = np.argsort(-activity * size, axis=1, kind="stable")[:, sparse:]
            np.put_along_axis(activity, smallest, 0.0, axis=1)
        found = activity @ self._nmf.components_
        return sections_of(found.astype(np.float32).reshape(-1, 2 * N, STEPS), len(rows))[:, :N]

    @staticmethod
    def _read(rows: Float) -> Float:
        return np.ascontiguousarray(bars_of(rows[:, : 2 * N]).reshape(-1, 2 * N * STEPS).clip(0, None))


class NearestBar:
    """The training bar with the most similar hits."""

    def __init__(self, training: Float) -> None:
        self._known = np.unique(bars_of(training[:, :N]) > 0.5, axis=0)

    def __call__(self, rows: Float) -> Float:
        """Return the hits of the most similar training bars, (n, 9, 64)."""
        found = self._known[nearest_index(bars_of(rows[:, :N]) > 0.5, self._known)]
        return sections_of(found.astype(np.float32), len(rows))
