"""A hand-labelling model reads a performance: at once and from both ends, or note by note, a look-ahead behind."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from terzetto.models import Model
from terzetto.score.hand_features import CHORD, FUTURE, FUTURE_SECONDS, PAST, features, order_notes
from terzetto.score.hand_path import HandPath, decide, probabilities
from terzetto.score.notes import LEFT, RIGHT

# Features are made for so many notes at once, which bounds the memory.
_AT_ONCE = 1024
# A whole performance is read in pieces of so many notes, each with so many more on either side: it bounds the memory.
_PIECE, _MARGIN = 4096, 512


def read_whole(
    model: Model, onset: NDArray[np.float64], pitch: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each note's hand in a performance that is read forwards and backwards, and decided as a whole.

    Parameters
    ----------
    model
        Opened.
    onset : float64 (n,)
        Seconds, rising.
    pitch : int64 (n,)

    Returns
    -------
    hand : int64 (n,)
        In the best way to play it all.
    right : float64 (n,)
        How likely the right hand plays each note, over all ways to play it.
    """
    order, event, time = order_notes(onset, pitch)
    keys = pitch[order]
    logits = np.empty(len(keys))
    for start in range(0, len(keys), _PIECE):
        stop = min(start + _PIECE, len(keys))
        first, after = max(start - _MARGIN, 0), min(stop + _MARGIN, len(keys))
        context = slice(max(first - PAST, 0), after + FUTURE)
        chosen = slice(first - context.start, after - context.start)
        table = features(keys[context], event[context], time[context], chosen)
        logits[start:stop] = _ask(model, table, whole=True)[0][start - first : stop - first]
    hand, right = np.empty(len(keys), np.int64), np.empty(len(keys))
    hand[order] = np.where(decide(logits, keys, event, time), RIGHT, LEFT)
    right[order] = probabilities(logits, keys, event, time)
    return hand, right


def _ask(
    model: Model, table: NDArray[np.float32], *, whole: bool, state: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a model's logits (notes,) and its memory after the last note."""
    if state is None:
        state = np.zeros((1, 1, int(model.constants["memory"])), np.float32)
    given = {"features": table[:, None], "state": state, "whole": np.full((1, 1, 1), whole, np.float32)}
    logits, state = model.session.run(None, given)
    return logits[:, 0], state


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
        logit, self._state = _ask(self._model, row[None], whole=False, state=self._state)
        return float(logit[0])

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
