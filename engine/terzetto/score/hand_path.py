"""From each note's probability to hands that could play: one threshold in every chord, and no needless travel.

In a chord the left hand has the lower notes, so what is decided is where it is cut. A way to cut the chords of a
performance is the likelier the likelier its notes are under the model and the less the hands' travel costs: a hand lies
over an octave; a chord it cannot cover and each semitone it has to move cost `EFFORT` nats, the less the more time it
has. A beam search finds the best way; live, a chord's cut is final at once, and what contradicts it is forgotten.
Offline all ways are weighed, too, and each note has its probability.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SPAN = 12
# Nats a semitone, and the seconds in which it halves. Chosen on validation works: of 24 movements of nASAP that are in
# no published figure 94.4 % are right without, 94.5 % with it; of Chopin's first editions 96.6 % and 96.4 %.
EFFORT, HALF_TIME = 0.1, 1.0
# How many ways are pursued, and how far a chord's cut may lie behind its likeliest, in nats.
_WAYS, _BEHIND = 12, 5.0
# Gains are divided by this before they become probabilities, for the network is too sure of itself. Brier scores on
# those movements and Chopin's validation works: 1 0.0478 and 0.0290, 1.5 0.0469 and 0.0293, 2 0.0478 and 0.0306.
WARMTH = 1.5


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
        likely = _likely_cuts(logit)
        ways: dict[object, _Way] = {}
        for way in self._ways:
            for gain, cut in likely:
                left, right, cost = _play(way, time, pitch, cut)
                total = way.gain + gain - cost
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


class _Step(NamedTuple):
    """A chord on the lattice: the log mass of each place before it, and (from, to, cut, log weight) through it."""

    mass: NDArray[np.float64]
    edges: list[tuple[int, int, int, float]]


def probabilities(
    logit: NDArray[np.float64], pitch: NDArray[np.int64], event: NDArray[np.int64], time: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how likely the right hand plays each note of a whole performance; all arrays in the model's order.

    Forward and backward over all ways to cut the chords (Rabiner 1989, equations 19 to 27), each as likely as it is
    good. The likelier hand of a note need not be that of the best way (`decide`).
    """
    starts = np.flatnonzero(np.diff(event, prepend=-1)).tolist()
    ends = [*starts[1:], len(event)]
    places: dict[object, _Way] = {None: _Way(0.0, None, None, None)}
    steps = []
    for start, end in zip(starts, ends, strict=True):
        mass = np.array([way.gain for way in places.values()])
        ways, edges = _branch(places.values(), float(time[start]), pitch[start:end].tolist(), logit[start:end])
        kept = sorted(ways, key=lambda key: -ways[key].gain)[:_WAYS]
        number = {key: i for i, key in enumerate(kept)}
        steps.append(_Step(mass, [(i, number[key], cut, gain) for i, key, cut, gain in edges if key in number]))
        most = ways[kept[0]].gain
        places = {key: ways[key]._replace(gain=ways[key].gain - most) for key in kept}
    right = np.empty(len(event))
    after = np.zeros(len(places))
    for step, start, end in zip(reversed(steps), reversed(starts), reversed(ends), strict=True):
        origin, reached, cut, weight = (np.array(column) for column in zip(*step.edges, strict=True))
        onward = weight + after[reached]
        share = np.exp((both := step.mass[origin] + onward) - both.max())
        cuts = np.bincount(cut, share, end - start + 1)
        right[start:end] = np.cumsum(cuts)[:-1] / cuts.sum()
        after = np.full(len(step.mass), -np.inf)
        np.logaddexp.at(after, origin, onward)
        after -= after.max()
    return right.clip(0.0, 1.0)


def _gain_of(way: _Way) -> float:
    return way.gain


def _branch(
    places: Iterable[_Way], time: float, pitch: Sequence[int], logit: NDArray[np.float64]
) -> tuple[dict[object, _Way], list[tuple[int, object, int, float]]]:
    """Return where a chord takes the hands, with the log mass of all ways there, and every way of one chord."""
    likely = _likely_cuts(logit)
    ways: dict[object, _Way] = {}
    edges: list[tuple[int, object, int, float]] = []
    for number, way in enumerate(places):
        for gain, cut in likely:
            left, right, cost = _play(way, time, pitch, cut)
            weight = (gain - cost) / WARMTH
            key = (left and left[:2], right and right[:2])
            edges.append((number, key, cut, weight))
            here = _Way(way.gain + weight, left, right, None)
            if (other := ways.get(key)) is not None:
                here = max(here, other, key=_gain_of)._replace(gain=float(np.logaddexp(here.gain, other.gain)))
            ways[key] = here
    return ways, edges


def _likely_cuts(logit: NDArray[np.floating]) -> list[tuple[float, int]]:
    """Return the cuts of a chord that are not far behind the likeliest: their gain, and how many notes are left."""
    gains = np.zeros(len(logit) + 1)
    gains[1:] -= np.cumsum(logit) / 2
    gains[:-1] += np.cumsum(logit[::-1])[::-1] / 2
    return [(float(gains[cut]), int(cut)) for cut in np.flatnonzero(gains > gains.max() - _BEHIND)]


def _play(way: _Way, time: float, pitch: Sequence[int], cut: int) -> tuple[_Place | None, _Place | None, float]:
    """Return where the hands are after a chord is cut, and what that costs."""
    left, right, cost = way.left, way.right, 0.0
    if cut:
        left, cost = _move(left, pitch[0], pitch[cut - 1], time)
    if cut < len(pitch):
        right, more = _move(right, pitch[cut], pitch[-1], time)
        cost += more
    return left, right, cost
