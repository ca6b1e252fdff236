"""Scores whose hands are known, and how they are parted: by composition, so that no work is on both sides."""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError, TerzettoWarning
from terzetto.score.notes import LEFT, RIGHT
from terzetto.score.read import READERS, read_score
from terzetto.score.works import Work, identify, read_index

VALIDATION, TEST = 0.1, 0.15
_FEWEST_WORKS, _FEWEST_NOTES = 4, 2000


@dataclass(frozen=True)
class Piece:
    """The notes of one file.

    Attributes
    ----------
    path : Path
    work : Work
        Its ``opus`` is what is held out together.
    onset : float64 (n,)
    pitch : int64 (n,)
    hand : int64 (n,)
        ``LEFT`` or ``RIGHT``.
    offset : float64 (n,)
    """

    path: Path
    work: Work
    onset: NDArray[np.float64]
    pitch: NDArray[np.int64]
    hand: NDArray[np.int64]
    offset: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.onset)


@dataclass(frozen=True)
class Split:
    """Pieces to learn from, to choose by, to report on; and the composers nothing else was seen of."""

    training: Sequence[Piece]
    validation: Sequence[Piece]
    test: Sequence[Piece]
    other_composers: Sequence[Piece] = ()

    def works(self, part: str) -> list[str]:
        """Return the works of a part, sorted."""
        return sorted({piece.work.opus for piece in getattr(self, part)})


def tell_on_terminal(line: str) -> None:
    """Say what was left out, on standard error."""
    print(line, file=sys.stderr, flush=True)


def read_pieces(folders: Iterable[Path], tell: Callable[[str], None] = tell_on_terminal) -> list[Piece]:
    """Read all scores below some folders; what cannot be used is named with the reason and skipped.

    Raises
    ------
    InputError
        A folder is missing, or what is left is too little to learn from.
    """
    pieces, skipped = [], 0
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder; --data names folders of MIDI or CSV scores with hands")
        paths = sorted(
            path for path in folder.rglob("*") if path.suffix.lower() in READERS and path.name != "index.csv"
        )
        if not paths:
            raise InputError(f"{folder}: no scores ({', '.join(READERS)}) in it or below")
        index = read_index(folder)
        for path in paths:
            work = identify(path, folder, index)
            if work.reserved:
                tell(f"{path}: left out, the demo or the published takes are made of this work")
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", TerzettoWarning)
                    score = read_score(path)
            except (InputError, TerzettoWarning) as problem:
                tell(f"{path}: skipped: {str(problem).removeprefix(f'{path}: ')}")
                skipped += 1
                continue
            pieces.append(Piece(path, work, score.onset, score.pitch, score.hand, score.offset))
    notes, works = sum(map(len, pieces)), len({piece.work.opus for piece in pieces})
    if works < _FEWEST_WORKS or notes < _FEWEST_NOTES:
        raise InputError(
            f"{works} works with {notes} notes are too little to learn hands from ({skipped} files were skipped); give "
            f"at least {_FEWEST_WORKS} works with {_FEWEST_NOTES} notes, two tracks named rh and lh each"
        )
    return pieces


def split_by_work(pieces: Sequence[Piece], composers_apart: Sequence[str] = ()) -> Split:
    """Part pieces by their work: a tenth of the opuses for validation, 15 % for the test, by a hash of the name.

    ``composers_apart`` are in none of the three. With few works each part still has one.
    """
    apart = [piece for piece in pieces if piece.work.composer in composers_apart]
    rest = [piece for piece in pieces if piece.work.composer not in composers_apart]
    works = sorted({piece.work.opus for piece in rest}, key=_place)
    n_validation, n_test = (max(round(share * len(works)), 1) for share in (VALIDATION, TEST))
    if len(works) < 3:
        raise InputError(f"{len(works)} works cannot be parted into training, validation and test; give at least 4")
    validation, test = set(works[:n_validation]), set(works[n_validation : n_validation + n_test])

    def those(chosen: Callable[[str], bool]) -> list[Piece]:
        return [piece for piece in rest if chosen(piece.work.opus)]

    return Split(
        those(lambda work: work not in validation | test),
        those(lambda work: work in validation),
        those(lambda work: work in test),
        apart,
    )


def share_of_left(pieces: Sequence[Piece]) -> float:
    """Return the left hand's share of all notes."""
    hands = np.concatenate([piece.hand for piece in pieces])
    return float((hands == LEFT).sum() / max(((hands == LEFT) | (hands == RIGHT)).sum(), 1))


def _place(opus: str) -> str:
    return hashlib.sha256(opus.encode()).hexdigest()
