"""From each note's probability to hands that could play: one threshold in every chord, and no needless travel.

In a chord the left hand has the lower notes, so what is decided is where it is cut. Of all ways to cut the chords of a
performance that one is taken whose notes are likeliest under the model, less what the hands' travel costs: a hand lies
over an octave; a chord it cannot cover and each semitone it has to move cost `EFFORT` nats, the less the more time it
has. A beam search finds it; live, a chord's cut is final at once, and what contradicts it is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SPAN = 12
# Nats a semitone, and the seconds in which it halves. Chosen on 94 movements of nASAP that the shipped model never saw
# and that are in no published figure: 91.2 % right without, 91.7 % with it; 0.8 gives 91.8 % there, and loses a point
# of Chopin's validation works (docs/hands.md).
EFFORT, HALF_TIME = 0.4, 1.0
# How many ways are pursued, and how far a chord's cut may lie behind its likeliest, in nats.
_WAYS, _BEHIND = 12, 5.0


class _Place(NamedTuple):
    """Where the lowest key under a hand may be, semitones, and when it last played."""

    low: float
    high: float
    time: float


class _Way(NamedTuple):
    gain: float
    left: _Place | None
    right: _Place | None
    cuts: tuple[_Way, int] | None  # the way before the last chord, and how many of its notes are left


class HandPath:
    """Takes chord after chord and decides which notes are the left hand's."""

    def __init__(self) -> None:
        self._ways = [_Way(0.0, None, None, None)]

    def take(self, time: float, pitch: Sequence[int], logit: NDArray[np.floating]) -> None:
        """Take a chord.

        Parameters
        ----------
        time
            Seconds, not before the last chord's.
        pitch
            Rising.
        logit : (notes,)
            Of the right hand.
        """
        gains = np.zeros(len(pitch) + 1)
        gains[1:] -= np.cumsum(logit) / 2
        gains[:-1] += np.cumsum(logit[::-1])[::-1] / 2
        likely = [(float(gains[cut]), int(cut)) for cut in np.flatnonzero(gains > gains.max() - _BEHIND)]
        ways: dict[object, _Way] = {}
        for way in self._ways:
            for gain, cut in likely:
                left, right, total = way.left, way.right, way.gain + gain
                if cut:
                    left, cost = _move(left, pitch[0], pitch[cut - 1], time)
                    total -= cost
                if cut < len(pitch):
                    right, cost = _move(right, pitch[cut], pitch[-1], time)
                    total -= cost
                # Ways that leave the hands in the same places differ in nothing that counts later.
                places = (left and left[:2], right and right[:2])
                if places not in ways or ways[places].gain < total:
                    ways[places] = _Way(total, left, right, (way, cut))
        self._ways = sorted(ways.values(), key=lambda way: -way.gain)[:_WAYS]

    def settle(self) -> int:
        """Make the best way's last cut final and return it: how many of the chord's notes are the left hand's."""
        best = self._ways[0]
        if best.cuts is None:
            return 0
        cut = best.cuts[1]
        self._ways = [
            _Way(way.gain - best.gain, way.left, way.right, None)
            for way in self._ways
            if way.cuts and way.cuts[1] == cut
        ]
        return cut

    def cuts(self) -> list[int]:
        """Return the best way's cuts, chord by chord, since the last that was settled."""
        found, step = [], self._ways[0].cuts
        while step is not None:
            found.append(step[1])
            step = step[0].cuts
        return found[::-1]


def _move(place: _Place | None, lowest: int, highest: int, time: float) -> tuple[_Place, float]:
    """Return where a hand is after it played from the lowest to the highest of some keys, and what that costs."""
    low, high = float(highest - SPAN), float(lowest)
    cost = EFFORT * max(0.0, low - high) / 2
    if low > high:
        low = high = (low + high) / 2
    if place is None:
        return _Place(low, high, time), cost
    travel = max(0.0, low - place.high, place.low - high)
    cost += EFFORT * travel * HALF_TIME / (HALF_TIME + time - place.time)
    if travel:
        low = high = low if place.high < low else high
    else:
        low, high = max(low, place.low), min(high, place.high)
    return _Place(low, high, time), cost


def decide(
    logit: NDArray[np.float64], pitch: NDArray[np.int64], event: NDArray[np.int64], time: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which notes of a whole performance are the right hand's; all arrays in the model's order."""
    path, right = HandPath(), np.ones(len(logit), bool)
    starts = np.flatnonzero(np.diff(event, prepend=-1))
    ends = np.append(starts[1:], len(event))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        path.take(float(time[start]), pitch[start:end].tolist(), logit[start:end])
    for start, cut in zip(starts.tolist(), path.cuts(), strict=True):
        right[start : start + cut] = False
    return right
