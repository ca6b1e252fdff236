"""From an alignment by features to the moment of every note: the keys that are struck decide.

Notes that begin together in the score are an event. Each event may be moved; a Viterbi search weighs how much its keys
sound struck there against how far the interval to the event before departs from the alignment's. At last each note of a
chord may stray a little from its event.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.score.onsets import RATE, strike_strength

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_REACH = 2.0  # seconds an event may be moved
_PULL = 0.2  # what that costs; a clear strike gains about 1
_BEND = 2.0  # what an interval e times the alignment's costs
_LOOSE = 0.25
_SLACK = 0.05  # seconds added to both intervals when they are compared
_CLOSEST = 0.02  # seconds between two events
_STRAY = 0.05  # seconds a note may stray from its event
_STRAY_PULL = 0.3


def refine(
    audio: NDArray[np.float32], onset: Float, pitch: Int, score_onset: Float, tuning: float
) -> tuple[Float, Float]:
    """Find the notes' moments.

    Parameters
    ----------
    audio
        Mono at `terzetto.score.synchrony.SAMPLE_RATE`.
    onset : float64 (n,)
        As aligned by features, in seconds of the take.
    pitch : int64 (n,)
    score_onset : float64 (n,)
        In seconds of the score, never falling.
    tuning
        In cents.

    Returns
    -------
    onset : float64 (n,)
        In seconds of the take.
    strength : float64 (n,)
        How much each key sounds struck then: about 1 if it is, 0.1 if not.
    """
    pitches, row = np.unique(pitch, return_inverse=True)
    strength = strike_strength(audio, pitches, tuning)
    edges = np.flatnonzero(np.diff(score_onset) > 1e-3) + 1
    events = np.split(np.arange(len(onset)), edges)
    at = np.array([np.median(onset[event]) for event in events])
    last = strength.shape[1] - 1
    centre = np.round(at * RATE).astype(np.int64) + _moves(at, [strength[row[event]] for event in events])
    result, found = np.empty_like(onset), np.empty_like(onset)
    near = np.arange(-round(_STRAY * RATE), round(_STRAY * RATE) + 1)
    cost = _STRAY_PULL * (near / near[-1]) ** 2
    for event, middle in zip(events, centre, strict=True):
        window = strength[row[event]][:, np.clip(middle + near, 0, last)]
        best = (window - cost).argmax(axis=1)
        result[event] = (middle + near[best]) / RATE
        found[event] = window[np.arange(len(event)), best]
    return np.clip(result, 0.0, last / RATE), found


def _moves(at: Float, strength: Sequence[NDArray[np.float32]]) -> Int:
    """Return by how many frames each event is moved."""
    reach = round(_REACH * RATE)
    moves = np.arange(-reach, reach + 1)
    drift = _PULL * (moves / reach) ** 2
    came = np.zeros((len(at), len(moves)), np.int64)
    total = np.zeros(len(moves))
    apart = np.arange(-2 * reach, 2 * reach + 1) / RATE  # this event's move minus the one's before
    for number, keys in enumerate(strength):
        if number:
            gap = max(at[number] - at[number - 1], 0.0)
            interval = gap + apart
            # The alignment is least sure of the first and the last event: nothing holds it from the other side.
            weight = _BEND * (_LOOSE if number in (1, len(at) - 1) else 1.0)
            with np.errstate(invalid="ignore", divide="ignore"):
                bend = weight * np.log((interval + _SLACK) / (gap + _SLACK)) ** 2
            bend[interval < min(_CLOSEST, gap)] = np.inf
            # Row i, column j: from move j to move i.
            table = np.lib.stride_tricks.sliding_window_view(bend, len(moves))[:, ::-1]
            whole = total[None, :] + table
            came[number] = whole.argmin(axis=1)
            total = whole[np.arange(len(moves)), came[number]]
        frames = round(at[number] * RATE) + moves
        heard = keys[:, np.clip(frames, 0, keys.shape[1] - 1)].mean(axis=0)
        heard[(frames < 0) | (frames >= keys.shape[1])] = 0.0
        total = total - heard + drift
    result = np.zeros(len(at), np.int64)
    choice = int(total.argmin())
    for number in range(len(at) - 1, -1, -1):
        result[number] = moves[choice]
        choice = int(came[number, choice])
    return result
