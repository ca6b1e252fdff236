"""The bars that a model is trained on or measured with, as arrays, with what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.pattern_features import Bars, stack
from terzetto_export.drum_data.bars import DrumBar
from terzetto_export.drum_data.files import DrumFile

FULL_DENSITY = 40.0  # HVO hits in a bar; 99.9 % of Groove's bars have fewer
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Corpus:
    """Bars, in the order of their files.

    Attributes
    ----------
    bars : Bars
    file : int64 (n,)
        Index into ``sources``.
    following : int64 (n,)
        Index of the bar that follows in the same file, or the bar itself.
    sources : sequence of DrumFile
    """

    bars: Bars
    file: Int
    following: Int
    sources: Sequence[DrumFile]

    @classmethod
    def of(cls, bars: Sequence[DrumBar]) -> Corpus:
        """Stack bars; those of a file come together and in order."""
        sources = list({bar.file.path: bar.file for bar in bars}.values())
        number = {source.path: index for index, source in enumerate(sources)}
        file = np.array([number[bar.file.path] for bar in bars], np.int64)
        following = np.arange(len(bars))
        place = np.array([bar.number for bar in bars], np.int64)
        following[:-1] += (np.diff(file) == 0) & (np.diff(place) == 1)
        return cls(stack([bar.hvo for bar in bars], [bar.activations for bar in bars]), file, following, sources)

    def __len__(self) -> int:
        """Return the number of bars."""
        return len(self.bars)

    @property
    def density(self) -> NDArray[np.float32]:
        """Of each bar, 0..1 of `FULL_DENSITY` hits."""
        hits = self.bars.hits.sum(axis=(1, 2))
        return np.asarray(np.minimum(hits / FULL_DENSITY, 1.0), np.float32)

    def style(self, styles: Sequence[str]) -> Int:
        """Return each bar's style as an index into ``styles``, -1 where it is none of them."""
        known = {name: index for index, name in enumerate(styles)}
        return np.array([known.get(source.style, -1) for source in self.sources], np.int64)[self.file]
