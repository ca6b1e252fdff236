"""A store of made-up pieces: textures and counterpoint, with ends for their notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.score.notes import LEFT, RIGHT
from terzetto.score.works import Work
from terzetto_export.hand_labels.counterpoint import make_counterpoint
from terzetto_export.hand_labels.data import Piece
from terzetto_export.hand_labels.textures import make_texture

COUNTERPOINT = 0.4
_NOBODY = Work("", "made up", "made up")


def make_up(pieces: int, notes: int, random: np.random.Generator) -> list[Piece]:
    """Return so many pieces of about so many notes, as written: exact onsets in seconds."""
    return [
        _counterpoint(notes, random) if random.random() < COUNTERPOINT else _texture(notes, random)
        for _ in range(pieces)
    ]


def _texture(notes: int, random: np.random.Generator) -> Piece:
    onset, pitch, hand = make_texture(notes, random)
    return Piece(Path(), _NOBODY, onset, pitch, hand, _until_next(onset, hand))


def _counterpoint(notes: int, random: np.random.Generator) -> Piece:
    rows = make_counterpoint(notes, random)
    sixteenth = float(np.exp(random.uniform(np.log(0.08), np.log(0.3))))
    onset, offset, pitch, hand = (np.array(column) for column in zip(*rows, strict=True))
    return Piece(Path(), _NOBODY, onset * sixteenth, pitch, hand, offset * sixteenth)


def _until_next(onset: NDArray[np.float64], hand: NDArray[np.int64]) -> NDArray[np.float64]:
    """Let every note last until its hand's next, or for two seconds."""
    offset = onset + 2.0
    for side in (LEFT, RIGHT):
        mine = np.flatnonzero(hand == side)
        times = np.unique(onset[mine])
        after = np.searchsorted(times, onset[mine], side="right")
        following = np.append(times, np.inf)[after]
        offset[mine] = np.minimum(offset[mine], following)
    return offset
