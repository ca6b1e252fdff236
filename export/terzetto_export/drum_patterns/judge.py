"""Who judges whether samples sound like their style: a random forest on real bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.pattern_features import Bars


class StyleJudge:
    """A random forest that tells labels (styles, drummers) from the hits of bars, both forms of them.

    No part of the model is one, and none was trained with its judgement; but both have seen the same training bars.
    """

    def __init__(self, bars: Bars, label: NDArray[np.int64], *, trees: int = 100, seed: int = 0) -> None:
        from sklearn.ensemble import RandomForestClassifier

        self._forest = RandomForestClassifier(trees, random_state=seed, n_jobs=1, min_samples_leaf=2)
        self._forest.fit(judged(bars), label)

    def accuracy(self, bars: Bars, label: NDArray[np.int64]) -> float:
        """Return the share of bars it gives their label."""
        return float(np.mean(self.right(bars, label)))

    def right(self, bars: Bars, label: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which bars it gives their label, (n,)."""
        return np.asarray(self._forest.predict(judged(bars)) == label)


def judged(bars: Bars) -> NDArray[np.float32]:
    """Return what the judge sees of bars: hits on both grids, (n, 656)."""
    return np.concatenate([bars.fine.reshape(len(bars), -1), bars.hits.reshape(len(bars), -1)], axis=1)


def by_style(styles: Sequence[int], seed: int, n: int) -> NDArray[np.int64]:
    """Return n labels drawn with the shares that they have among given ones."""
    return np.random.default_rng(seed).choice(np.asarray(styles, np.int64), n)
