"""Hands without a neural network: what a sceptic would try first.

- *Split at middle C*: below is left.
- *Split at the moving midpoint*: below the middle between the lowest and the highest note within a second is left.
- *Two-hand HMM*: Nakamura, Ono, Sagayama, "Merged-output HMM for piano fingering of both hands", ISMIR 2014, in its
  simplified form without fingers. Each hand is a Markov chain of its own pitches; at every note a switch tells which
  chain moves, and the observed notes are the merged output. Viterbi over (hand, the other hand's last pitch). Here a
  hand's register is one more factor at every note: without it the hands drift (8 points less on the validation works).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.score.hand_features import order_notes
from terzetto.score.notes import LEFT, RIGHT

Float = NDArray[np.float64]
Int = NDArray[np.int64]
MIDDLE_C = 60
WINDOW = 1.0
# Intervals beyond five octaves count as five octaves.
REACH = 60
_SMOOTHING = 0.5
# Where a hand is before its first note.
_REST = {LEFT: 48, RIGHT: 72}


def split_at_middle_c(pitch: Int) -> Int:
    """Return the hands: left below middle C."""
    return np.where(pitch < MIDDLE_C, LEFT, RIGHT)


def split_at_midpoint(onset: Float, pitch: Int) -> Int:
    """Return the hands: left below the middle of the pitches that start within a second before or after.

    Where all of them are one pitch, middle C decides. ``onset`` is sorted.
    """
    first = np.searchsorted(onset, onset - WINDOW, side="left")
    after = np.searchsorted(onset, onset + WINDOW, side="right")
    hand = np.empty(len(pitch), np.int64)
    for i, (start, stop) in enumerate(zip(first, after, strict=True)):
        around = pitch[start:stop]
        low, high = around.min(), around.max()
        middle = (low + high) / 2 if high > low else MIDDLE_C
        hand[i] = LEFT if pitch[i] < middle else RIGHT
    return hand


@dataclass(frozen=True)
class Parameters:
    """Of the two-hand HMM, as logarithms.

    Attributes
    ----------
    switch : float64 (2, 2, 2)
        Probability of a hand after a hand: [within an event, last hand, this hand].
    interval : float64 (2, 2, 2, 121)
        Probability of a hand's step from its own last pitch, -60..60: [within an event, the hand changed, hand, step].
    register : float64 (2, 128)
        Probability of a hand given the pitch alone.
    """

    switch: Float
    interval: Float
    register: Float

    @classmethod
    def count(cls, pieces: Iterable[tuple[Float, Int, Int]]) -> Parameters:
        """Count them in pieces whose hands are known: onsets (seconds), pitches, hands; add-half smoothing."""
        switch = np.full((2, 2, 2), _SMOOTHING)
        interval = np.full((2, 2, 2, 2 * REACH + 1), _SMOOTHING)
        register = np.full((2, 128), _SMOOTHING)
        for onset, pitch, hand in pieces:
            order, event, _ = order_notes(onset, pitch)
            last, before = dict(_REST), None
            for key, this, number in zip(pitch[order].tolist(), hand[order].tolist(), event.tolist(), strict=True):
                if before is not None:
                    within, changed = int(number == before[1]), int(this != before[0])
                    switch[within, before[0], this] += 1
                    interval[within, changed, this, _step(key - last[this])] += 1
                register[this, key] += 1
                last[this], before = key, (this, number)
        switch /= switch.sum(axis=-1, keepdims=True)
        interval /= interval.sum(axis=-1, keepdims=True)
        # Counts of single pitches follow the keys the pieces happen to be in; a fourth around evens that out.
        near = np.exp(-0.5 * (np.arange(-6, 7) / 2.5) ** 2)
        register = np.stack([np.convolve(row, near, "same") for row in register])
        return cls(np.log(switch), np.log(interval), np.log(register / register.sum(axis=0)))

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as lists, to a hundredth."""
        return {name: getattr(self, name).round(2).tolist() for name in ("switch", "interval", "register")}

    @classmethod
    def from_json(cls, content: Any) -> Parameters:
        """Read what `to_json` gave; raises ValueError, KeyError or TypeError if it is nothing of the kind."""
        switch, interval, register = (
            np.array(content[name], np.float64) for name in ("switch", "interval", "register")
        )
        return cls(switch.reshape(2, 2, 2), interval.reshape(2, 2, 2, 2 * REACH + 1), register.reshape(2, 128))


def merged_output_hmm(onset: Float, pitch: Int, parameters: Parameters) -> Int:
    """Return the likeliest hands of notes under the two-hand HMM; ``onset`` is sorted.

    The state after a note is the hand that played it and the last pitch of the other hand: the one that played is at
    the note itself.
    """
    if not len(pitch):
        return np.zeros(0, np.int64)
    order, event, _ = order_notes(onset, pitch)
    keys = pitch[order].tolist()
    steps = _step(np.arange(128)[None] - np.arange(128)[:, None])  # [from, to]
    best = np.full((2, 128), -np.inf)
    for hand, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
        start = parameters.interval[0, 1, hand, _step(keys[0] - _REST[hand])] + parameters.register[hand, keys[0]]
        best[hand, _REST[other]] = start
    back = np.full((len(keys), 2), -1, np.int64)  # where a hand took over: the best last pitch of that hand before
    for n in range(1, len(keys)):
        last, key, within = keys[n - 1], keys[n], int(event[n] == event[n - 1])
        after = np.empty_like(best)
        for hand in (LEFT, RIGHT):
            other = 1 - hand
            stay = parameters.switch[within, hand, hand] + parameters.interval[within, 0, hand, _step(key - last)]
            after[hand] = best[hand] + stay
            reached = best[other] + parameters.interval[within, 1, hand, steps[:, key]]
            origin = int(reached.argmax())
            change = float(reached[origin]) + parameters.switch[within, other, hand]
            if change > after[hand, last]:
                after[hand, last], back[n, hand] = change, origin
            after[hand] += parameters.register[hand, key]
        best = after
    hand, other_pitch = (int(i) for i in np.unravel_index(int(best.argmax()), best.shape))
    hands = np.empty(len(keys), np.int64)
    for n in range(len(keys) - 1, -1, -1):
        hands[n] = hand
        if n and other_pitch == keys[n - 1] and back[n, hand] >= 0:
            other_pitch, hand = int(back[n, hand]), 1 - hand
    result = np.empty_like(hands)
    result[order] = hands
    return result


def _step(interval: Any) -> Any:
    return np.clip(interval, -REACH, REACH) + REACH
