"""How good drum patterns are: whether hits are right, what samples are like, how much the pad's neighbours share.

Conventions: hits are bool (n, rows, steps). F1 counts a hit as right only in its very cell, and is averaged over files
(macro): the unit of independence is the recording, not the bar. Intervals are 95 % bootstrap over it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import DRUMS
from terzetto.drums.pattern_features import Bars
from terzetto.errors import InputError

Bool = NDArray[np.bool_]
Float = NDArray[np.float64]
THRESHOLDS = tuple(float(t) for t in np.round(np.arange(0.1, 0.71, 0.05), 2))
_SWUNG = (DRUMS.index("closed hat"), DRUMS.index("open hat"), DRUMS.index("ride"))


def f1_by_file(found: Bool, truth: Bool, file: NDArray[np.int64]) -> Float:
    """Return each file's F1 of hits.

    Parameters
    ----------
    found, truth
        (n, rows, steps).
    file
        Of each bar, (n,).

    Raises
    ------
    InputError
        Shapes that do not fit.
    """
    if found.shape != truth.shape or len(file) != len(truth):
        raise InputError(f"hits {found.shape} cannot be compared with hits {truth.shape} of {len(file)} bars")
    right = (found & truth).sum(axis=(1, 2)).astype(np.float64)
    both = (found.sum(axis=(1, 2)) + truth.sum(axis=(1, 2))).astype(np.float64)
    _, unit = np.unique(file, return_inverse=True)
    return 2.0 * np.bincount(unit, right) / np.maximum(np.bincount(unit, both), 1.0)


def best_threshold(probability: NDArray[np.floating], truth: Bool, file: NDArray[np.int64]) -> tuple[float, float]:
    """Return the threshold with the best mean F1, and that F1: for a validation set."""
    scores = [float(f1_by_file(probability >= t, truth, file).mean()) for t in THRESHOLDS]
    best = int(np.argmax(scores))
    return THRESHOLDS[best], scores[best]


def changed_share(first: Bool, second: Bool) -> Float:
    """Return how many cells differ between two patterns, as a share of the first one's hits, (n,).

    A hit that moves to another cell counts twice.
    """
    changed = (first != second).sum(axis=(1, 2))
    return np.asarray(changed / np.maximum(first.sum(axis=(1, 2)), 1), np.float64)


def copies(found: Bool, known: Bool) -> Bool:
    """Return which bars have exactly the hits of a known one, (n,)."""
    table = {bar.tobytes() for bar in np.packbits(known.reshape(len(known), -1), axis=1)}
    return np.array([bar.tobytes() in table for bar in np.packbits(found.reshape(len(found), -1), axis=1)], np.bool_)


def nearest_distance(found: Bool, known: Bool, block: int = 512) -> NDArray[np.int64]:
    """Return the Hamming distance of each bar to the most similar known one, (n,)."""
    return np.concatenate([_distances(part, known).min(axis=1) for part in _blocks(found, block)])


def nearest_index(found: Bool, known: Bool, block: int = 512) -> NDArray[np.int64]:
    """Return which known bar is the most similar to each bar, (n,)."""
    return np.concatenate([_distances(part, known).argmin(axis=1) for part in _blocks(found, block)])


def _blocks(bars: Bool, block: int) -> list[Bool]:
    return [bars[start : start + block] for start in range(0, len(bars), block)]


def _distances(first: Bool, second: Bool) -> NDArray[np.int64]:
    a, b = (each.reshape(len(each), -1).astype(np.float32) for each in (first, second))
    return np.asarray(np.rint(a.sum(axis=1)[:, None] + b.sum(axis=1)[None] - 2.0 * (a @ b.T)), np.int64)


def density(bars: Bars) -> Float:
    """Return the number of HVO hits in each bar."""
    return np.asarray(bars.hits.sum(axis=(1, 2)), np.float64)


def syncopation(bars: Bars) -> Float:
    """Return each bar's syncopation: hits of kick and snare on weak steps with silence on the next stronger one.

    Weights of the 16 steps after Longuet-Higgins and Lee (1984): each such hit counts the difference of the weights.
    """
    weight = np.array([0, -4, -3, -4, -2, -4, -3, -4, -1, -4, -3, -4, -2, -4, -3, -4], np.float64)
    total = np.zeros(len(bars))
    for row in (DRUMS.index("kick"), DRUMS.index("snare")):
        on = bars.hits[:, row] > 0.5
        for step in range(16):
            stronger = next(k for k in range(1, 17) if weight[(step + k) % 16] > weight[step] or k == 16)
            silent = ~on[:, (np.arange(step + 1, step + stronger + 1) % 16)].any(axis=1)
            total += (on[:, step] & silent) * max(weight[(step + stronger) % 16] - weight[step], 0.0)
    return total


def swing(bars: Bars) -> Float:
    """Return how late the off-beats of hats and ride are in each bar, in steps of a 16th (NaN where there are none).

    Both kinds count: sixteenths between the eighths, and those that a swung eighth falls on.
    """
    hits = np.stack([bars.hits[:, row] > 0.5 for row in _SWUNG], axis=1)
    late = np.stack([bars.offsets[:, row] for row in _SWUNG], axis=1)[:, :, 1::2]
    weak = hits[:, :, 1::2]
    count = weak.sum(axis=(1, 2))
    return np.where(count > 0, (late * weak).sum(axis=(1, 2)) / np.maximum(count, 1), np.nan)


def loudness(bars: Bars) -> Float:
    """Return the mean velocity of each bar's hits (NaN where there are none)."""
    count = bars.hits.sum(axis=(1, 2))
    return np.where(count > 0, (bars.velocities * bars.hits).sum(axis=(1, 2)) / np.maximum(count, 1), np.nan)


STATISTICS: OrderedDict[str, Callable[[Bars], Float]] = OrderedDict(
    density=density, syncopation=syncopation, swing=swing, velocity=loudness
)


def statistics_distance(found: Bars, real: Bars) -> OrderedDict[str, float]:
    """Return how far statistics of found bars are from those of real ones.

    Each is the Wasserstein-1 distance of the two distributions, in standard deviations of the real one (0 is the same,
    1 is a shift by one of them).
    """
    from scipy.stats import wasserstein_distance

    result: OrderedDict[str, float] = OrderedDict()
    for name, measure in STATISTICS.items():
        a, b = (values[np.isfinite(values)] for values in (measure(found), measure(real)))
        spread = float(b.std()) or 1.0
        result[name] = float(wasserstein_distance(a, b)) / spread if len(a) and len(b) else float("nan")
    return result
