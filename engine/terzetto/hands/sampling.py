"""Which frames to learn the templates from. A short take gives them all; of a long one, blocks are chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.hands.activations import activate
from terzetto.hands.templates import TemplateLayout
from terzetto.score.notes import Score

_BLOCK = 16
_WANTED = 4  # blocks in which every pitch should be heard
_EVEN_SHARE = 0.7  # of the budget, spread evenly over the take; the rest serves the rare pitches


def choose_frames(score: Score, layout: TemplateLayout, grid: FrameGrid, frames: int, budget: int) -> NDArray[np.int64]:
    """Return the frames to learn from, rising: all, or about ``budget`` in which every pitch is heard."""
    if frames <= budget:
        return np.arange(frames)
    blocks = -(-frames // _BLOCK)
    heard = np.zeros((len(layout.pitches), blocks), np.bool_)
    for first in range(0, blocks, budget // _BLOCK):
        last = min(first + budget // _BLOCK, blocks)
        notes = activate(score, layout, grid, first * _BLOCK, last * _BLOCK)
        heard[:, first:last] = notes.sounding().reshape(len(layout.pitches), -1, _BLOCK).any(axis=2)
    chosen = np.zeros(blocks, np.bool_)
    chosen[np.linspace(0, blocks - 1, int(_EVEN_SHARE * budget / _BLOCK)).round().astype(int)] = True
    room = budget // _BLOCK - int(chosen.sum())
    rarest_first = np.argsort(heard.sum(axis=1), kind="stable")
    for wanted in range(1, _WANTED + 1):
        for pitch in rarest_first:
            candidates = np.flatnonzero(heard[pitch] & ~chosen)
            if room and len(candidates) and int((heard[pitch] & chosen).sum()) < wanted:
                chosen[candidates[len(candidates) // 2]] = True
                room -= 1
    numbers = (np.flatnonzero(chosen)[:, None] * _BLOCK + np.arange(_BLOCK)).ravel()
    return numbers[numbers < frames]


def runs(numbers: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return rising frame numbers as ranges [first, last).

    >>> runs(np.array([0, 1, 2, 7, 8]))
    [(0, 3), (7, 9)]
    """
    breaks = np.flatnonzero(np.diff(numbers) > 1) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(numbers, breaks)]
