"""Bars that nobody played, made of those somebody did: windows that begin elsewhere, lanes of two bars, fewer drums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES, read_drum_map
from terzetto.drums.grid import STEPS
from terzetto.drums.pattern_features import WITHIN, Bars
from terzetto_export.drum_patterns.corpus import Corpus


@dataclass(frozen=True)
class Amount:
    """Shares of the bars that are changed in each way."""

    shifted: float = 0.35
    crossed: float = 0.28
    thinned: float = 0.14


# The class that a drum of the HVO form is, so that both forms of a bar change alike.
_CLASS_OF_DRUM = read_drum_map().classes(read_drum_map().note_of_drum)


def draw(corpus: Corpus, index: NDArray[np.int64], amount: Amount, random: np.random.Generator) -> Bars:
    """Return bars of a corpus, some of them changed.

    Parameters
    ----------
    corpus
        Where the bars are.
    index
        Which of them, (n,).
    amount
        How many are changed.
    random
        By which chance.
    """
    bars = Bars(*(array.copy() for array in corpus.bars.at(index).arrays))
    _shift(bars, corpus, index, random.random(len(index)) < amount.shifted, random)
    _cross(bars, np.flatnonzero(random.random(len(index)) < amount.crossed), random)
    _thin(bars, np.flatnonzero(random.random(len(index)) < amount.thinned), random)
    return bars


def _shift(
    bars: Bars, corpus: Corpus, index: NDArray[np.int64], chosen: NDArray[np.bool_], random: np.random.Generator
) -> None:
    """Let windows begin at another step (of a beat, mostly) and go on into the bar that follows."""
    n = len(index)
    steps = np.where(random.random(n) < 0.7, random.integers(1, 4, n) * 4, random.integers(1, STEPS, n))
    for step in np.unique(steps[chosen]):
        rows = np.flatnonzero(chosen & (steps == step))
        first, second = corpus.bars.at(index[rows]), corpus.bars.at(corpus.following[index[rows]])
        for array, before, after, by in zip(
            bars.arrays, first.arrays, second.arrays, (WITHIN * step, step, step, step), strict=True
        ):
            array[rows] = np.concatenate([before[:, :, by:], after[:, :, :by]], axis=2)


def _cross(bars: Bars, rows: NDArray[np.int64], random: np.random.Generator) -> None:
    """Give bars some lanes of others."""
    others = random.permutation(rows)
    lanes = random.random((len(rows), len(CLASSES))) < 0.35
    for array, swapped in zip(bars.arrays, (lanes, *[lanes[:, _CLASS_OF_DRUM]] * 3), strict=True):
        array[rows] = np.where(swapped[:, :, None], array[others], array[rows])


def _thin(bars: Bars, rows: NDArray[np.int64], random: np.random.Generator) -> None:
    """Leave lanes out."""
    kept = random.random((len(rows), len(CLASSES))) > 0.2
    for array, lanes in zip(bars.arrays, (kept, *[kept[:, _CLASS_OF_DRUM]] * 3), strict=True):
        array[rows] *= lanes[:, :, None]
