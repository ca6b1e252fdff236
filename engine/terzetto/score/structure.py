"""Which part of a take plays which part of a score: late starts, early ends, repeats and cuts, before any fine timing.

A Viterbi search in the take's time over positions in the score, as in jump DTW (Fremerey, Müller, Clausen 2010): from
frame to frame the score moves on by 0 to 3 frames; beside the positions there are states for "not in the score": before
it, after it, and between two passages, which costs something, so that a jump must be worth it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.score.synchrony import RATE, Features

Float = NDArray[np.float64]

STEP = 10  # features per frame here
FRAME_RATE = RATE / STEP
_WINDOW = 21  # features over which a frame is smoothed
_NEUTRAL = 0.4  # cosine distance above which the take had better not be in the score
_JUMP = 6.0
_MOVES = ((1, 0.0), (2, 0.02), (3, 0.08))
_STAYS = (0.02, 0.06)  # the first frame on one place of the score, and more
_TEMPI = (0.35, 0.5, 0.71, 1.0, 1.41, 2.0, 2.8)
UNRELATED = 0.7
"""Mean distance of frames that have nothing to do with each other."""


@dataclass(frozen=True)
class Passage:
    """A stretch of the take that plays a stretch of the score, in seconds.

    Attributes
    ----------
    take, score : tuple of float
        Start and end.
    distance : float64 (n,)
        Cosine distance of the chroma, at even steps over the stretch of the take.
    """

    take: tuple[float, float]
    score: tuple[float, float]
    distance: Float

    def distance_between(self, start: float, end: float) -> float:
        """Return the mean distance between two times of the take."""
        places = np.linspace(*self.take, len(self.distance))
        here = self.distance[(places >= start) & (places <= end)]
        return float((here if len(here) else self.distance).mean())


@dataclass(frozen=True)
class Structure:
    """What was found.

    Attributes
    ----------
    passages : tuple of Passage
        In the take's order.
    cost : float
        Mean distance where take and score go together, with what is left over on both sides counted as unrelated:
        about 0.1 for a score of this take, above 0.4 for another piece's.
    """

    passages: tuple[Passage, ...]
    cost: float


def find_structure(take: Features, score: Features) -> Structure:
    """Find the passages at the global tempo that fits best (half to twice the score's)."""
    heard = _coarse(take)
    sounding = np.flatnonzero(take.chroma.max(axis=0)[::STEP] > 0)
    found: list[Structure] = []
    for tempo in _TEMPI:
        read = _coarse(score, tempo)
        found.append(_search(1 - heard.T @ read, tempo, sounding))
    return min(found, key=lambda structure: structure.cost)


def _coarse(features: Features, tempo: float = 1.0) -> Float:
    """Return smoothed chroma of unit length, (12, frames)."""
    kernel = np.hanning(_WINDOW + 2)[1:-1]
    smooth = (
        np.apply_along_axis(np.convolve, 1, features.chroma, kernel, "same") if features.frames else features.chroma
    )
    places = np.arange(0, features.frames, STEP * tempo)
    picked = smooth[:, places.astype(int)]
    length = np.linalg.norm(picked, axis=0)
    return np.where(length > 1e-3, picked / np.maximum(length, 1e-3), 12**-0.5)


def _search(cost: Float, tempo: float, sounding: NDArray[np.int64]) -> Structure:
    frames, places = cost.shape
    gain = cost - _NEUTRAL
    layers = np.full((3, places), np.inf)
    before, between, after = 0.0, np.inf, 0.0
    between_from = after_from = -1  # a cell (layer * places + place) of the frame before, or -1: the same state
    # Where each cell came from: 0..2 a stay from that layer, 3..5 moves (layer in best_layer), 6 before, 7 between.
    came = np.zeros((frames, 3, places), np.int8)
    best_layer = np.zeros((frames, places), np.int8)
    ends = np.full((frames, 2), -1, np.int64)
    for t in range(frames):
        low = layers.min(axis=0)
        best_layer[t] = layers.argmin(axis=0)
        exit_at = int(low.argmin())
        exit_cost = float(low[exit_at])
        fresh = np.empty((3, places))
        fresh[0] = min(before, between + _JUMP)
        came[t, 0] = 6 if before <= between + _JUMP else 7
        for number, (step, penalty) in enumerate(_MOVES):
            if step >= places:
                continue
            moved = low[:-step] + penalty
            better = moved < fresh[0, step:]
            fresh[0, step:][better] = moved[better]
            came[t, 0, step:][better] = 3 + number
        fresh[1] = layers[0] + _STAYS[0]
        longer = layers[2] < layers[1]
        fresh[2] = np.where(longer, layers[2], layers[1]) + _STAYS[1]
        came[t, 2] = np.where(longer, 2, 1)
        between_from = after_from = -1
        if exit_cost < between:
            between, between_from = exit_cost, exit_at
        if exit_cost < after:
            after, after_from = exit_cost, exit_at
        ends[t] = between_from, after_from
        layers = fresh + gain[t]
    return _backtrack(cost, came, best_layer, ends, layers, after, tempo, sounding)


def _backtrack(
    cost: Float,
    came: NDArray[np.int8],
    best_layer: NDArray[np.int8],
    ends: NDArray[np.int64],
    layers: Float,
    after: float,
    tempo: float,
    sounding: NDArray[np.int64],
) -> Structure:
    frames = len(cost)
    path = np.full(frames, -1)
    t = frames - 1
    low = layers.min(axis=0)
    if low.min() < after:
        state, place = "score", int(low.argmin())
        layer = int(layers[:, place].argmin())
    else:
        state, place, layer = "after", -1, -1
    starts = set()
    while t >= 0 and state != "before":
        if state == "score":
            path[t] = place
            code = int(came[t, layer, place]) if layer != 1 else 0
            if code >= 6:
                starts.add(t)
                state = "before" if code == 6 else "between"
            elif code >= 3:
                place -= _MOVES[code - 3][0]
                layer = int(best_layer[t, place])
            else:
                layer = code
        else:
            came_from = int(ends[t, 0 if state == "between" else 1])
            if came_from >= 0:
                # The exit is taken from the frame before this one.
                place, state = came_from, "score"
                layer = int(best_layer[t, place])
        t -= 1
    return _structure(cost, path, starts, tempo, sounding)


def _structure(
    cost: Float, path: NDArray[np.int64], starts: set[int], tempo: float, sounding: NDArray[np.int64]
) -> Structure:
    on = np.flatnonzero(path >= 0)
    passages = []
    edges = sorted(starts)
    for number, first in enumerate(edges):
        stop = edges[number + 1] if number + 1 < len(edges) else len(path)
        inside = on[(on >= first) & (on < stop)]
        last = int(inside[-1])
        values = cost[inside, path[inside]]
        passages.append(
            Passage(
                (first / FRAME_RATE, (last + 1) / FRAME_RATE),
                (path[first] * tempo / FRAME_RATE, (path[last] + 1) * tempo / FRAME_RATE),
                values,
            )
        )
    read = np.zeros(cost.shape[1], bool)
    for first in edges:
        stop = next((edge for edge in edges if edge > first), len(path))
        inside = on[(on >= first) & (on < stop)]
        read[path[first] : path[inside[-1]] + 1] = True
    # A take may be longer than the score and a score longer than the take; both left over is what does not fit.
    left = min(len(np.setdiff1d(sounding, on)), int((~read).sum() / 1.0))
    total = float(cost[on, path[on]].sum()) if len(on) else 0.0
    count = len(on) + left
    return Structure(tuple(passages), (total + left * UNRELATED) / count if count else UNRELATED)
