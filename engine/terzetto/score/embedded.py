"""A score inside a project's state: notes and pedal as plain JSON, read back with care."""

from __future__ import annotations

from typing import Any

import numpy as np

from terzetto.errors import InputError
from terzetto.score.notes import Score

_COLUMNS = ("onset", "offset", "pitch", "velocity", "hand")


def to_json(score: Score) -> dict[str, Any]:
    """Return a score as lists.

    ``notes`` are [onset, offset, pitch, velocity, hand], ``pedal`` is [down, up]; ``right``, how likely the right hand
    plays each note, is there where a model told the hands.
    """
    notes = [
        [round(float(onset), 6), round(float(offset), 6), int(pitch), round(float(velocity), 5), int(hand)]
        for onset, offset, pitch, velocity, hand in zip(*(getattr(score, name) for name in _COLUMNS), strict=True)
    ]
    doubt = {} if score.right is None else {"right": score.right.round(4).tolist()}
    return {"notes": notes, "pedal": np.asarray(score.pedal).round(6).tolist(), **doubt}


def from_json(content: Any) -> Score:
    """Read what `to_json` gave.

    Raises
    ------
    InputError
        It is nothing of the kind, or a note cannot be.
    """
    try:
        notes = np.array(content["notes"], np.float64).reshape(-1, len(_COLUMNS))
        pedal = np.array(content.get("pedal", []), np.float64).reshape(-1, 2)
        right = content.get("right")
        if right is not None:
            right = np.array(right, np.float64).reshape(len(notes))
        if not np.isfinite(notes).all() or not np.isfinite(pedal).all():
            raise ValueError("numbers that are not finite")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"the score in the project is damaged ({error}); give the score again") from None
    if not len(notes):
        raise InputError("the score in the project has no notes; give the score again")
    onset, offset, pitch, velocity, hand = notes.T
    track = np.zeros(len(notes), np.int64)
    hands = hand.astype(np.int64)
    return Score(onset, offset, pitch.astype(np.int64), velocity, hands, track, ("",), pedal, right=right)
