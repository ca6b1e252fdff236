"""The bars that a model is trained on or measured with, with what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.grid import ActivationMatrix, Hvo
from terzetto.drums.midi import read_beat
from terzetto.drums.pattern_features import Bars, stack
from terzetto.errors import InputError

FULL_DENSITY = 40.0  # HVO hits in a bar; 99.9 % of Groove's bars have fewer
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """A file of drums, its style and its player ('' where not known)."""

    path: Path
    style: str = ""
    player: str = ""


@dataclass(frozen=True)
class Corpus:
    """Bars, in the order of their files; bars without a hit are left out.

    Attributes
    ----------
    bars : Bars
    file : int64 (n,)
        Index into ``sources``.
    following : int64 (n,)
        Index of the bar that follows in the same file, or the bar itself.
    sources : sequence of Source
    """

    bars: Bars
    file: Int
    following: Int
    sources: Sequence[Source]

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


def read_corpus(sources: Sequence[Source], tell: Callable[[str], None]) -> Corpus:
    """Read files of drums; what cannot be read, or has no bar of four quarter notes, is named and left out.

    Raises
    ------
    InputError
        No file can be read.
    """
    read: list[tuple[Source, Bars]] = []
    skipped = 0
    for source in sources:
        try:
            beat = read_beat(source.path)
            hvo = Hvo.bars_of(beat, skip_other_meters=True)
            fine = ActivationMatrix.bars_of(beat, skip_other_meters=True)
        except InputError as error:
            skipped += 1
            if skipped <= _NAMED:
                tell(f"left out: {source.path.name}: {str(error).removeprefix(str(source.path)).lstrip(': ')}")
            continue
        read.append((source, stack(hvo, fine)))
    if skipped > _NAMED:
        tell(f"left out: {skipped - _NAMED} more")
    if not read:
        raise InputError(f"none of {len(sources)} files holds drums in bars of four quarter notes")
    return _join(read)


_NAMED = 10


def _join(read: Iterable[tuple[Source, Bars]]) -> Corpus:
    sources: list[Source] = []
    parts: list[Bars] = []
    file: list[Int] = []
    following: list[Int] = []
    n = 0
    for source, bars in read:
        kept = np.flatnonzero(bars.fine.any(axis=(1, 2)))
        if not len(kept):
            continue
        index = np.arange(n, n + len(kept))
        next_index = index.copy()
        next_index[:-1] += np.diff(kept) == 1
        parts.append(bars.at(kept))
        file.append(np.full(len(kept), len(sources)))
        following.append(next_index)
        sources.append(source)
        n += len(kept)
    whole = Bars(*(np.concatenate(arrays) for arrays in zip(*(part.arrays for part in parts), strict=True)))
    return Corpus(whole, np.concatenate(file), np.concatenate(following), sources)
