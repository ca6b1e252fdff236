"""What becomes a stem: the hands, or every pitch, note or track (Zunner 2021, figure 2.1, parts single notes)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError
from terzetto.score.notes import HANDS, UNKNOWN, Score, pitch_name

RESIDUAL = "residual"
"""Name of what belongs to no part; the stems and it sum to the take."""


@dataclass(frozen=True)
class Grouping:
    """What the stems are.

    Attributes
    ----------
    names : tuple of str
    part : int64 (n,)
        Which of them each note of the score belongs to; −1: none.
    hands : bool
        Whether they are the left and the right hand.
    right : float64 (n,) or None
        How likely each note is the right hand's, where a model told the hands.
    """

    names: tuple[str, ...]
    part: NDArray[np.int64]
    hands: bool = False
    right: NDArray[np.float64] | None = None


def by_hand(score: Score) -> Grouping:
    """Return two stems, ``left_hand`` and ``right_hand``."""
    if not score.has_hands:
        raise InputError(
            f"{int((score.hand == UNKNOWN).sum())} notes of the score have no hand; read it with left_track, "
            "right_track or split_pitch, or separate by 'pitch', 'note' or 'track'"
        )
    return Grouping(tuple(f"{hand}_hand" for hand in HANDS), score.hand, True, score.right)


def by_pitch(score: Score) -> Grouping:
    """Return a stem per pitch: ``pitch_060_C4``."""
    pitches, part = np.unique(score.pitch, return_inverse=True)
    return Grouping(tuple(f"pitch_{pitch:03d}_{_file_name(int(pitch))}" for pitch in pitches), part)


def by_note(score: Score) -> Grouping:
    """Return a stem per note, in order of their onsets: ``note_0001_C4``."""
    names = tuple(f"note_{i + 1:04d}_{_file_name(int(pitch))}" for i, pitch in enumerate(score.pitch))
    return Grouping(names, np.arange(len(score)))


def by_track(score: Score) -> Grouping:
    """Return a stem per track of the score: ``track_1_right``."""
    tracks, part = np.unique(score.track, return_inverse=True)

    def name(track: int) -> str:
        text = score.track_names[track] if track < len(score.track_names) else ""
        safe = "".join(sign if sign.isalnum() else "_" for sign in text).strip("_").lower()
        return f"track_{track + 1}" + (f"_{safe}" if safe else "")

    return Grouping(tuple(name(int(track)) for track in tracks), part)


GROUPINGS: dict[str, Callable[[Score], Grouping]] = {
    "hand": by_hand,
    "pitch": by_pitch,
    "note": by_note,
    "track": by_track,
}


def group(score: Score, by: str) -> Grouping:
    """Return the grouping of this name; see `GROUPINGS`."""
    return GROUPINGS[by](score)


def _file_name(pitch: int) -> str:
    return pitch_name(pitch).replace("#", "s")
