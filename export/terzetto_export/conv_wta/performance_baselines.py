"""What a sceptic would try instead: principal components, and the most similar window of the training works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.score.performance_events import EVENTS
from terzetto_export.conv_wta.performances import Events, Line

MOST_WINDOWS = 20_000


def windows_of(lines: Sequence[Line], kernel: int, seed: int, most: int = MOST_WINDOWS) -> Events:
    """Return windows of a kernel's length of some performances, int64 (n, kernel): all, or so many drawn evenly."""
    cut = [line.events[: len(line.events) // kernel * kernel].reshape(-1, kernel) for line in lines]
    windows = np.concatenate(cut)
    if len(windows) <= most:
        return windows
    return np.asarray(windows[np.sort(np.random.default_rng(seed).choice(len(windows), most, replace=False))])


class Principal:
    """Windows as their mean and the weighted sum of so many principal components: no atom is left out anywhere."""

    def __init__(self, windows: Events, kernel: int, components: int, seed: int) -> None:
        from sklearn.decomposition import TruncatedSVD

        self._kernel = kernel
        rows = _sparse(windows)
        # The mean is nearly a component of its own; it is one of the count.
        self._svd = TruncatedSVD(min(components, min(rows.shape) - 1), random_state=seed).fit(rows)

    def __call__(self, events: Events) -> NDArray[np.float32]:
        """Return the values of events (n,), float32 (388, n)."""
        rows = _sparse(events.reshape(-1, self._kernel))
        found = self._svd.inverse_transform(self._svd.transform(rows))
        return np.asarray(found.reshape(-1, EVENTS).T, np.float32)


class SimilarWindow:
    """The training window that has most events in the same places; of equal ones the first."""

    def __init__(self, windows: Events) -> None:
        self._windows = windows
        self._rows = _sparse(windows).T.tocsr()

    def __call__(self, events: Events) -> Events:
        """Return the events of the most similar windows, int64 (n,)."""
        asked = events.reshape(-1, self._windows.shape[1])
        nearest = [
            np.asarray((_sparse(asked[start : start + 64]) @ self._rows).toarray()).argmax(axis=1)
            for start in range(0, len(asked), 64)
        ]
        return np.asarray(self._windows[np.concatenate(nearest)].reshape(-1), np.int64)


def _sparse(windows: Events) -> Any:
    """Return windows one-hot, sparse float32 (n, kernel × 388)."""
    from scipy.sparse import csr_matrix

    n, kernel = windows.shape
    columns = (windows + EVENTS * np.arange(kernel)).reshape(-1)
    starts = np.arange(0, n * kernel + 1, kernel)
    return csr_matrix((np.ones(n * kernel, np.float32), columns, starts), shape=(n, kernel * EVENTS))
