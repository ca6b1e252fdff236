"""A hand-labelling model reads a performance note by note while it is played, a look-ahead behind."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from terzetto.models import Model
from terzetto.score.hand_features import CHORD, FUTURE, FUTURE_SECONDS, PAST, features
from terzetto.score.hand_path import HandPath
from terzetto.score.notes import LEFT, RIGHT

# Features are made for so many notes at once, which bounds the memory.
_AT_ONCE = 1024


class NoteReader:
    """Feeds a model note by note, each with its neighbourhood, and carries its memory.

    Parameters
    ----------
    model
        Opened.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._state: NDArray[np.float32] | None = None
        self._path = HandPath()
        self._now = -math.inf
        # Notes of events that are complete, in the model's order; the first `_done` are read and only context.
        self._note: list[int] = []
        self._pitch: list[int] = []
        self._event: list[int] = []
        self._time: list[float] = []
        self._done = 0
        self._open: list[tuple[int, int]] = []  # pitch and number of the notes of the event that may still grow
        self._first = 0.0
        self._events = 0

    def take(self, onset: float, pitch: int, note: int) -> None:
        """Take a note and the number by which `read` calls it; onsets never fall."""
        self.advance(onset)
        if not self._open:
            self._first = onset
        self._open.append((pitch, note))

    def advance(self, time: float) -> None:
        """Know that no note comes before ``time``, which is not before what was reached."""
        self._now = time
        if self._open and time - self._first > CHORD:
            self._close()

    def read(self, last: bool) -> list[tuple[int, float, int]]:
        """Return the notes that have become known, the logit of the model's right hand, the hand; at ``last`` all."""
        if last:
            self._close()
        known = len(self._note) if last else self._known()
        if known == self._done:
            return []
        pitch, event, time = np.array(self._pitch), np.array(self._event), np.array(self._time)
        logits: list[float] = []
        for start in range(self._done, known, _AT_ONCE):
            stop = min(start + _AT_ONCE, known)
            context = slice(max(start - PAST, 0), stop + FUTURE)
            chosen = slice(start - context.start, stop - context.start)
            table = features(pitch[context], event[context], time[context], chosen)
            logits += [self._step(row) for row in table]
        result: list[tuple[int, float, int]] = []
        first = self._done
        while first < known:
            after = first + 1
            while after < known and self._event[after] == self._event[first]:
                after += 1
            chord = logits[first - self._done : after - self._done]
            self._path.take(self._time[first], self._pitch[first:after], np.array(chord))
            cut = self._path.settle()
            hands = [LEFT] * cut + [RIGHT] * (len(chord) - cut)
            result += zip(self._note[first:after], chord, hands, strict=True)
            first = after
        self._done = known
        spare = max(known - PAST, 0)
        for column in (self._note, self._pitch, self._event, self._time):
            del column[:spare]
        self._done -= spare
        return result

    def _step(self, row: NDArray[np.float32]) -> float:
        # One note a call, however many are known: a matrix product over many rows may round otherwise than over one.
        if self._state is None:
            self._state = np.zeros((1, 1, int(self._model.constants["memory"])), np.float32)
        logit, self._state = self._model.session.run(None, {"features": row[None, None], "state": self._state})
        return float(logit[0, 0])

    def _close(self) -> None:
        """Put the open event's notes, which are all there, in the model's order."""
        for pitch, note in sorted(self._open):
            self._note.append(note)
            self._pitch.append(pitch)
            self._event.append(self._events)
            self._time.append(self._first)
        self._events += bool(self._open)
        self._open = []

    def _known(self) -> int:
        """Return how many of the complete notes have all their future that counts; chords are known as one."""
        reached = self._first if self._open else self._now
        known = max(len(self._note) - FUTURE, self._done)
        while known > self._done and self._event[known] == self._event[known - 1]:
            known -= 1
        while known < len(self._note) and reached - self._time[known] > FUTURE_SECONDS:
            known += 1
        return known
