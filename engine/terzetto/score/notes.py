"""The score: which notes sound when, and which hand plays them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.errors import InputError

LEFT, RIGHT, UNKNOWN = 0, 1, -1
HANDS = ("left", "right")
# Eleven days; beyond, something other than seconds was meant.
_LONGEST = 1e6
NOTE_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def pitch_name(pitch: int) -> str:
    """Name a MIDI pitch, with C4 = 60.

    >>> pitch_name(60), pitch_name(69)
    ('C4', 'A4')
    """
    return f"{NOTE_NAMES[pitch % 12]}{pitch // 12 - 1}"


@dataclass(frozen=True)
class Score:
    """Notes in seconds from the start of the take, sorted by onset.

    Attributes
    ----------
    onset, offset : float64 (n,)
        Key down and key up, in seconds; ``offset > onset``.
    pitch : int64 (n,)
        MIDI pitch, 0..127.
    velocity : float64 (n,)
        0..1. ``has_velocity`` says whether it means anything.
    hand : int64 (n,)
        ``LEFT`` (0), ``RIGHT`` (1) or ``UNKNOWN`` (-1).
    track : int64 (n,)
        The MIDI track (or CSV instrument) the note came from, an index into ``track_names``.
    track_names : tuple of str
    pedal : float64 (m, 2)
        Intervals in seconds during which the sustain pedal is down, sorted, apart from each other; empty when the
        score does not say.
    bars : float64 (k, 2)
        Start in seconds and number of each bar, sorted; empty when the score does not say.
    right : float64 (n,) or None
        How likely the right hand plays each note, 0..1, where a model told the hands; None where they are known.

    Raises
    ------
    InputError
        Columns of different length, times that are not finite, notes without length, pitches, velocities, hands or
        probabilities that there are none of.
    """

    onset: NDArray[np.float64]
    offset: NDArray[np.float64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.float64]
    hand: NDArray[np.int64]
    track: NDArray[np.int64]
    track_names: tuple[str, ...] = ()
    pedal: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    bars: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    right: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        columns = {
            name: np.asarray(getattr(self, name), dtype)
            for name, dtype in (
                ("onset", np.float64),
                ("offset", np.float64),
                ("pitch", np.int64),
                ("velocity", np.float64),
                ("hand", np.int64),
                ("track", np.int64),
                *((("right", np.float64),) if self.right is not None else ()),
            )
        }
        lengths = {name: column.shape for name, column in columns.items()}
        if len(set(lengths.values())) > 1 or columns["onset"].ndim != 1:
            raise InputError(f"a score's columns must have one length; given {lengths}")
        if not all(np.isfinite(columns[name]).all() for name in ("onset", "offset", "velocity")):
            raise InputError("the score has times or velocities that are not finite numbers")
        if not all((np.abs(columns[name]) <= _LONGEST).all() for name in ("onset", "offset")):
            raise InputError(f"the score has times beyond {_LONGEST:.0f} s; are they in seconds?")
        if (columns["offset"] <= columns["onset"]).any():
            first = int(np.argmax(columns["offset"] <= columns["onset"]))
            raise InputError(
                f"note {first + 1} of the score ends at {columns['offset'][first]:.3f} s, not after its start at "
                f"{columns['onset'][first]:.3f} s; every note needs a duration above 0"
            )
        if ((columns["pitch"] < 0) | (columns["pitch"] > 127)).any():
            wrong = columns["pitch"][(columns["pitch"] < 0) | (columns["pitch"] > 127)]
            raise InputError(f"the score has pitch {wrong[0]}; MIDI pitches are 0..127")
        if ((columns["velocity"] < 0) | (columns["velocity"] > 1)).any():
            raise InputError("the score has velocities outside 0..1")
        if not np.isin(columns["hand"], (LEFT, RIGHT, UNKNOWN)).all():
            raise InputError(f"a note's hand is {LEFT} (left), {RIGHT} (right) or {UNKNOWN} (unknown)")
        if self.right is not None and not ((columns["right"] >= 0) & (columns["right"] <= 1)).all():
            raise InputError("the score has probabilities of the right hand outside 0..1")
        order = np.lexsort((columns["pitch"], columns["onset"]))
        for name, column in columns.items():
            object.__setattr__(self, name, column[order])
        object.__setattr__(self, "pedal", _union(self.pedal))

    def __len__(self) -> int:
        return len(self.onset)

    @classmethod
    def from_notes(
        cls, notes: Sequence[tuple[float, float, int, float, str]], pedal: Sequence[tuple[float, float]] = ()
    ) -> Score:
        """Build a score from ``(onset, offset, pitch, velocity, hand)`` rows, hand ``"left"`` or ``"right"``."""
        if not notes:
            raise InputError("the score has no notes")
        onset, offset, pitch, velocity, hand = zip(*notes, strict=True)
        unknown = sorted({name for name in hand if name not in HANDS})
        if unknown:
            raise InputError(f"hand {unknown[0]!r} is not known; valid: 'left', 'right'")
        codes = np.array([HANDS.index(name) for name in hand])
        return cls(
            np.array(onset),
            np.array(offset),
            np.array(pitch),
            np.array(velocity),
            codes,
            codes,
            HANDS,
            np.array(pedal, np.float64).reshape(-1, 2),
        )

    @property
    def end(self) -> float:
        """The last key-up, in seconds (0 for an empty score)."""
        return float(self.offset.max(initial=0.0))

    @property
    def has_velocity(self) -> bool:
        """Whether velocities differ at all: a score that says 64 everywhere says nothing."""
        return len(self) > 1 and bool(np.ptp(self.velocity) > 1e-6)

    @property
    def has_hands(self) -> bool:
        """Whether every note's hand is known."""
        return bool((self.hand != UNKNOWN).all())

    def select(self, keep: NDArray[np.bool_]) -> Score:
        """Return the score with only the notes where ``keep`` is true."""
        columns = ("onset", "offset", "pitch", "velocity", "hand", "track")
        right = None if self.right is None else self.right[keep]
        return replace(self, **{name: getattr(self, name)[keep] for name in columns}, right=right)

    def between(self, start: float, stop: float) -> Score:
        """Return the notes that sound (keys or pedal down) between two times, in seconds."""
        return self.select((self.onset < stop) & (self.sounding_offset() > start))

    def sounding_offset(self) -> NDArray[np.float64]:
        """Return when each note's damper falls, in seconds: key up, or the pedal's lift if that is later."""
        if not len(self.pedal):
            return self.offset.copy()
        down, up = self.pedal[:, 0], self.pedal[:, 1]
        index = np.searchsorted(down, self.offset, side="right") - 1
        held = (index >= 0) & (self.offset < up[index])
        return np.where(held, up[index], self.offset)

    def with_hands(self, hand: NDArray[np.int64], right: NDArray[np.float64] | None = None) -> Score:
        """Return the score with these hand labels and, where they are a model's, the right hand's probabilities."""
        return replace(self, hand=hand, right=right)

    def split_at(self, pitch: int) -> Score:
        """Return the score with the notes below ``pitch`` in the left hand and the others in the right."""
        if not 0 <= pitch <= 127:
            raise InputError(f"split pitch {pitch} is not a MIDI pitch; valid: 0..127 (60 is middle C)")
        return self.with_hands(np.where(self.pitch < pitch, LEFT, RIGHT))


def _union(intervals: ArrayLike) -> NDArray[np.float64]:
    """Return the pedal's intervals sorted, those that overlap as one."""
    pedal = np.asarray(intervals, np.float64)
    if pedal.size == 0:
        return np.zeros((0, 2))
    if pedal.ndim != 2 or pedal.shape[1] != 2 or not np.isfinite(pedal).all() or (pedal[:, 1] < pedal[:, 0]).any():
        raise InputError("the pedal's intervals must be (m, 2): down and up in seconds, up not before down")
    pedal = pedal[np.argsort(pedal[:, 0], kind="stable")]
    reach = np.maximum.accumulate(pedal[:, 1])
    first = np.concatenate([[True], pedal[1:, 0] > reach[:-1]])  # begins after all before have ended
    last = np.concatenate([first[1:], [True]])
    return np.stack([pedal[first, 0], reach[last]], axis=1)
