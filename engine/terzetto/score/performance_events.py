"""Piano performances as one line of events: key down, key up, time passes, how hard the next keys are struck.

The 388 events of the CONV-WTA paper, which has them from Oore, Simon, Dieleman, Eck and Simonyan (This time with
feeling: learning expressive musical performance, 2018):

===========  ==============================================
0 … 127      a key goes down (note on), by MIDI pitch
128 … 255    it comes up (note off)
256 … 355    time passes: 10 ms, 20 ms … 1 s
356 … 387    the keys after this are struck so hard: 32 steps
===========  ==============================================

There is no pedal: as Oore et al. do, a note lasts until the pedal that holds it is lifted, or the key is struck again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.errors import InputError
from terzetto.score.notes import UNKNOWN, Score

KEYS, SHIFTS, VELOCITIES = 128, 100, 32
NOTE_ON, NOTE_OFF, TIME_SHIFT, VELOCITY = 0, KEYS, 2 * KEYS, 2 * KEYS + SHIFTS
EVENTS = VELOCITY + VELOCITIES
STEPS_PER_SECOND = 100
_LOUDEST = 127
_WIDTH = (_LOUDEST + 1) // VELOCITIES  # MIDI velocities in one step
_USUAL = 16  # velocity step of keys before which none is given
Events = NDArray[np.int64]


def to_events(score: Score) -> Events:
    """Return a performance as events, int64 (n,), each 0..387; time begins at the score's 0.

    Onsets and offsets are rounded to 10 ms, a note lasts at least that; of keys struck twice within 10 ms the louder
    stays. At one time keys come up before others go down, low ones first.

    Raises
    ------
    InputError
        Notes before time 0, or no notes.
    """
    if not len(score):
        raise InputError("the performance has no notes")
    if score.onset.min() < 0:
        raise InputError(f"a performance begins at 0; its first note is at {score.onset.min():.3f} s")
    moments: list[tuple[int, int, int, int]] = []  # step, 0 up or 1 down, pitch, velocity step
    for start, end, pitch, velocity in _struck(score):
        moments += [(start, 1, pitch, velocity), (end, 0, pitch, 0)]
    events: list[int] = []
    now, loudness = 0, -1
    for step, down, pitch, velocity in sorted(moments):
        while step > now:
            shift = min(step - now, SHIFTS)
            events.append(TIME_SHIFT + shift - 1)
            now += shift
        if down and velocity != loudness:
            events.append(VELOCITY + velocity)
            loudness = velocity
        events.append((NOTE_ON if down else NOTE_OFF) + pitch)
    return np.array(events, np.int64)


def from_events(events: ArrayLike) -> Score:
    """Return the performance that events say; hands are unknown, there is no pedal, and there may be no notes.

    What a network writes need not be well formed: a key that comes up without having gone down is passed over, one that
    goes down again ends its note, and one that never comes up ends with the last event.

    Raises
    ------
    InputError
        Numbers that are no events.
    """
    line = _checked(events)
    down: dict[int, tuple[int, int]] = {}
    notes: list[tuple[int, int, int, int]] = []
    now, loudness = 0, _USUAL

    def up(pitch: int) -> None:
        if pitch in down:
            start, velocity = down.pop(pitch)
            notes.append((start, max(now, start + 1), pitch, velocity))

    for event in line.tolist():
        if event < NOTE_OFF:
            up(event)
            down[event] = (now, loudness)
        elif event < TIME_SHIFT:
            up(event - NOTE_OFF)
        elif event < VELOCITY:
            now += event - TIME_SHIFT + 1
        else:
            loudness = event - VELOCITY
    for pitch in list(down):
        up(pitch)
    rows = np.array(notes, np.float64).reshape(-1, 4)
    unknown = np.full(len(rows), UNKNOWN)
    return Score(
        rows[:, 0] / STEPS_PER_SECOND,
        rows[:, 1] / STEPS_PER_SECOND,
        rows[:, 2].astype(np.int64),
        (_WIDTH * rows[:, 3] + _WIDTH // 2) / _LOUDEST,
        unknown,
        np.zeros(len(rows), np.int64),
        ("notes",),
    )


def times_of(events: ArrayLike) -> NDArray[np.float64]:
    """Return when each event happens, in seconds, float64 (n,): a time shift when it begins."""
    line = _checked(events)
    shift = np.where((line >= TIME_SHIFT) & (line < VELOCITY), line - TIME_SHIFT + 1, 0)
    return np.asarray((np.cumsum(shift) - shift) / STEPS_PER_SECOND, np.float64)


def one_hot(events: ArrayLike) -> NDArray[np.float32]:
    """Return events as rows, float32 (388, n): in each column one 1."""
    line = _checked(events)
    rows = np.zeros((EVENTS, len(line)), np.float32)
    rows[line, np.arange(len(line))] = 1.0
    return rows


def _checked(events: ArrayLike) -> Events:
    line = np.asarray(events)
    if line.ndim != 1 or not (np.issubdtype(line.dtype, np.integer) or not line.size):
        raise InputError(f"events are whole numbers in a row; given: {line.dtype}, shape {line.shape}")
    if line.size and not 0 <= int(line.min()) <= int(line.max()) < EVENTS:
        raise InputError(f"events are numbered 0 to {EVENTS - 1}; given: {line.min()} to {line.max()}")
    return line.astype(np.int64)


def _struck(score: Score) -> list[tuple[int, int, int, int]]:
    """Return (start, end, pitch, velocity step) in steps of 10 ms; no note reaches into the same key's next."""
    start = np.rint(score.onset * STEPS_PER_SECOND).astype(np.int64)
    end = np.maximum(np.rint(score.sounding_offset() * STEPS_PER_SECOND).astype(np.int64), start + 1)
    loudness = (np.clip(np.rint(score.velocity * _LOUDEST), 1, _LOUDEST).astype(np.int64) - 1) // _WIDTH
    notes: list[tuple[int, int, int, int]] = []
    order = np.lexsort((start, score.pitch))
    columns = (each[order].tolist() for each in (start, end, score.pitch, loudness))
    for s, e, pitch, velocity in zip(*columns, strict=True):
        if notes and notes[-1][2] == pitch:
            before = notes[-1]
            if before[0] == s:
                notes[-1] = (s, max(before[1], e), pitch, max(before[3], velocity))
                continue
            notes[-1] = (before[0], min(before[1], s), pitch, before[3])
        notes.append((s, e, pitch, velocity))
    return notes
