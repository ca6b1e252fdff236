"""The ridges of a map of partials: where they lie, and how they go on from column to column."""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from terzetto.drums.sound_maps import FLOOR, FREQUENCIES, SAMPLE_RATE, WINDOWS

Float = NDArray[np.float32]

FAINTEST = -66.0
"""dB, of what becomes a partial."""
MOST_PARTIALS = 20
_LEAP = 4.0  # rows that a partial may move from column to column
_SHORTEST = 3  # columns
_STEP = float(FREQUENCIES[1] / FREQUENCIES[0])
_Point = tuple[int, float, float]  # column, row (between rows), dB


@dataclass(frozen=True)
class Ridge:
    """A partial.

    Attributes
    ----------
    columns : int64 (n,)
        One after the other.
    frequencies : float64 (n,)
        Hz.
    decibels : float64 (n,)
        Of a sine's amplitude.
    """

    columns: NDArray[np.int64]
    frequencies: NDArray[np.float64]
    decibels: NDArray[np.float64]


def ridges(partials: Float) -> list[Ridge]:
    """Return the ridges of a map (96, 64) in dB, at most 20, the strongest first."""
    ended: list[list[_Point]] = []
    ongoing: list[list[_Point]] = []
    for points in _peaks_between_rows(partials):
        ongoing, left = _continued(ongoing, points)
        ended += left
    tracks = [track for track in ended + ongoing if len(track) >= _SHORTEST]
    tracks.sort(key=lambda track: -sum(10 ** (decibels / 20) for _, _, decibels in track))
    result = []
    for track in tracks[:MOST_PARTIALS]:
        columns, rows, decibels = (np.array(values) for values in zip(*track, strict=True))
        result.append(Ridge(columns, FREQUENCIES[0] * _STEP**rows, decibels))
    return result


def _peaks_between_rows(partials: Float) -> Iterator[list[_Point]]:
    """Yield where each column's peaks really lie, lowest first: at the top of the parabola through each peak."""
    columns, rows = np.nonzero(_peaks(partials).T)
    below, here, above = (partials[rows + step, columns].astype(np.float64) for step in (-1, 0, 1))
    bend = np.minimum(below - 2 * here + above, -1e-6)
    move = np.clip(0.5 * (below - above) / bend, -0.5, 0.5)
    top = here - 0.25 * (below - above) * move
    points = list(zip(columns.tolist(), (rows + move).tolist(), top.tolist(), strict=True))
    edges = np.searchsorted(columns, np.arange(partials.shape[1] + 1)).tolist()
    for first, last in pairwise(edges):
        yield points[first:last]


def _continued(ongoing: list[list[_Point]], points: list[_Point]) -> tuple[list[list[_Point]], list[list[_Point]]]:
    """Let each track go on at the nearest point, the nearest pairs first; return those that go on, and those that end.

    A point that no track reaches begins one.
    """
    rows = [point[1] for point in points]
    pairs = []
    for i, track in enumerate(ongoing):
        row = track[-1][1]
        for j in range(bisect_left(rows, row - _LEAP), bisect_right(rows, row + _LEAP)):
            pairs.append((abs(row - rows[j]), i, j))
    pairs.sort()
    went_on: set[int] = set()
    taken: set[int] = set()
    for _, i, j in pairs:
        if i not in went_on and j not in taken:
            ongoing[i].append(points[j])
            went_on.add(i)
            taken.add(j)
    begun = [[point] for j, point in enumerate(points) if j not in taken]
    return (
        [track for i, track in enumerate(ongoing) if i in went_on] + begun,
        [track for i, track in enumerate(ongoing) if i not in went_on],
    )


def _peaks(partials: Float) -> NDArray[np.bool_]:
    """Return where a map is loud, and louder than all that a window cannot tell from it."""
    around = np.full(partials.shape, FLOOR, np.float32)
    for rows, reach in _reaches():
        around[rows] = maximum_filter1d(partials, 2 * reach + 1, axis=0, mode="constant", cval=FLOOR)[rows]
    peaks = (partials > FAINTEST) & (partials >= around)
    peaks[0] = peaks[-1] = False
    return np.asarray(peaks)


@functools.cache
def _reaches() -> tuple[tuple[NDArray[np.int64], int], ...]:
    """Return groups of rows with the number of rows on each side within 1.3 bins of the analysis window."""
    size = np.array([next(size for size, high in WINDOWS if f < high) for f in FREQUENCIES])
    reach = np.maximum(np.rint(np.log1p(1.3 * SAMPLE_RATE / size / FREQUENCIES) / np.log(_STEP)).astype(int), 1)
    return tuple((np.flatnonzero(reach == each), int(each)) for each in np.unique(reach))
