"""What a hand-labelling model is told of a note: its neighbourhood in pitch and time, and nothing beyond a look-ahead.

Only onsets and pitches are used. Durations are not known while a note sounds, a transcription's are its weakest part,
and velocities mean little in scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
# Onsets within so many seconds of an event's first are one event, a chord.
CHORD = 0.03
# How far a note's neighbourhood reaches: in notes, and in seconds. What comes first ends it.
PAST, FUTURE = 48, 32
PAST_SECONDS, FUTURE_SECONDS = 4.0, 1.0
# Intervals beyond this many semitones count as this many.
REACH = 36
_EDGES_PAST = np.array([0.1, 0.25, 0.5, 1.0, 2.0])
_EDGES_FUTURE = np.array([0.1, 0.25, 0.5])
_N_PAST, _N_FUTURE = len(_EDGES_PAST) + 1, len(_EDGES_FUTURE) + 1
# One row per zone of time: the chord itself, the past, the future, then by order: two events before and two after.
N_ZONES = 1 + _N_PAST + _N_FUTURE + 4
WIDTH = 2 * REACH + 1
_CENTRES = np.arange(24, 109, 6)
# Its register is told within so many seconds before and after; at 0 s within its event.
_FRAMES = ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (4.0, 1.0))
N_PLAIN = len(_CENTRES) + 7 + 5 * len(_FRAMES) + 2
N_FEATURES = N_ZONES * WIDTH + N_PLAIN
# What offsets tell: which intervals are still held, whether ends are known at all, how long the note itself lasts.
N_HELD = WIDTH + 3
# A key that is up so many seconds after a note began was released for it.
RELEASE = 0.03


def group_events(onset: Sequence[float] | NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of the event of each of the sorted onsets: those within 30 ms of an event's first are in it.

    >>> group_events([0.0, 0.02, 0.029, 0.04, 1.0]).tolist()
    [0, 0, 0, 1, 2]
    """
    events, number, first = [], -1, -np.inf
    for time in onset:
        if time - first > CHORD:
            number, first = number + 1, float(time)
        events.append(number)
    return np.array(events, np.int64)


def order_notes(
    onset: NDArray[np.float64], pitch: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the notes' order (by event, then pitch), and in that order each note's event and its event's time."""
    by_time = np.lexsort((pitch, onset))
    event = group_events(onset[by_time])
    order = by_time[np.lexsort((pitch[by_time], event))]
    first = np.searchsorted(event, event)
    return order, event, onset[by_time][first]


def features(pitch: NDArray[np.int64], event: NDArray[np.int64], time: NDArray[np.float64], chosen: slice) -> Float:
    """Return the features of some of the notes, which are in the order of `order_notes`.

    Parameters
    ----------
    pitch, event, time : (n,)
        Pitches, event numbers, event times in seconds.
    chosen
        The notes whose features are wanted; the others are their neighbourhood.

    Returns
    -------
    float32 (m, N_FEATURES)
        Which intervals sound in each zone of time, then pitch, place in the chord and the time to the events around,
        then where the note lies between the lowest and the highest around it.
    """
    index = np.arange(len(pitch))[chosen]
    n = len(index)
    table = np.zeros((n, N_FEATURES), np.float32)
    if not n:
        return table
    neighbour, valid, gap, steps = _neighbours(event, time, index)
    interval = (pitch[neighbour] - pitch[index, None]).clip(-REACH, REACH) + REACH
    zone = np.where(steps == 0, 0, np.where(steps < 0, _past_zone(gap), _future_zone(gap)))
    row, column = np.nonzero(valid)
    table[row, zone[row, column] * WIDTH + interval[row, column]] = 1.0
    row, column = np.nonzero(valid & (steps != 0) & (np.abs(steps) <= 2))
    near = steps[row, column]
    by_order = N_ZONES - 4 + np.where(near < 0, near + 2, near + 1)
    table[row, by_order * WIDTH + interval[row, column]] = 1.0
    plain = _plain(pitch[index], valid, steps, gap)
    register = _register(pitch[neighbour] - pitch[index, None], valid, gap)
    table[:, N_ZONES * WIDTH :] = np.concatenate([plain, register], axis=1)
    return table


def _neighbours(
    event: NDArray[np.int64], time: NDArray[np.float64], index: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]:
    """Return each note's neighbours, whether there is one so near, and how far it is in seconds and in events."""
    neighbour = index[:, None] + np.arange(-PAST, FUTURE + 1)
    valid = (neighbour >= 0) & (neighbour < len(time))
    neighbour = neighbour.clip(0, len(time) - 1)
    gap = time[neighbour] - time[index, None]
    valid &= (gap >= -PAST_SECONDS) & (gap <= FUTURE_SECONDS)
    return neighbour, valid, gap, event[neighbour] - event[index, None]


def held_features(
    pitch: NDArray[np.int64],
    event: NDArray[np.int64],
    time: NDArray[np.float64],
    offset: NDArray[np.float64],
    chosen: slice,
) -> Float:
    """Return what offsets tell of some of the notes, all zeros where a note's end is not known (its event's time).

    Parameters
    ----------
    pitch, event, time, offset : (n,)
        In the order of `order_notes`.
    chosen
        The notes whose features are wanted.

    Returns
    -------
    float32 (m, N_HELD)
        Which intervals are held from before, 1 for a known end, the length and what it is to the next event's distance.
    """
    index = np.arange(len(pitch))[chosen]
    table = np.zeros((len(index), N_HELD), np.float32)
    if not len(index):
        return table
    neighbour, valid, gap, steps = _neighbours(event, time, index)
    held = valid & (steps < 0) & (offset[neighbour] > time[index, None] + RELEASE)
    row, column = np.nonzero(held)
    interval = (pitch[neighbour] - pitch[index, None]).clip(-REACH, REACH) + REACH
    table[row, interval[row, column]] = 1.0
    length = np.log(np.maximum(offset - time, 0.0)[index] + RELEASE)
    following = np.where(valid & (steps > 0), gap, FUTURE_SECONDS).min(axis=1)
    known = offset[index] > time[index] + 1e-3
    told = np.stack([np.ones(len(index)), length / 2, np.tanh(length - np.log(following + RELEASE))], axis=1)
    table[:, WIDTH:] = told * known[:, None]
    return table


def _past_zone(gap: NDArray[np.float64]) -> NDArray[np.int64]:
    return 1 + np.searchsorted(_EDGES_PAST, -gap)


def _future_zone(gap: NDArray[np.float64]) -> NDArray[np.int64]:
    return 1 + _N_PAST + np.searchsorted(_EDGES_FUTURE, gap)


def _plain(
    pitch: NDArray[np.int64], valid: NDArray[np.bool_], steps: NDArray[np.int64], gap: NDArray[np.float64]
) -> Float:
    chord = valid & (steps == 0)
    below, above = chord[:, :PAST].sum(axis=1), chord[:, PAST + 1 :].sum(axis=1)
    last = np.where(valid & (steps < 0), -gap, PAST_SECONDS).min(axis=1)
    following = np.where(valid & (steps > 0), gap, FUTURE_SECONDS).min(axis=1)
    busy_past = (valid & (gap >= -1.0) & (steps < 0)).sum(axis=1)
    busy_future = (valid & (steps > 0)).sum(axis=1)
    plain: list[Any] = [below / 4, above / 4, np.log(last + 0.02) / 4, np.log(following + 0.02) / 4]
    plain += [(below == 0) * 1.0, (above == 0) * 1.0, (busy_past + busy_future) / 40]
    where = np.exp(-0.5 * ((pitch[:, None] - _CENTRES) / 4.0) ** 2)
    return np.concatenate([where, np.stack(plain, axis=1)], axis=1).astype(np.float32)


def _register(interval: NDArray[np.int64], valid: NDArray[np.bool_], gap: NDArray[np.float64]) -> Float:
    """Say where each note lies among those around: what a split at the midpoint or at the widest gap would go by."""
    columns: list[Any] = []
    for before, after in _FRAMES:
        seen = valid & (gap >= -before) & (gap <= after)
        low = np.where(seen, interval, 128).min(axis=1)
        high = np.where(seen, interval, -128).max(axis=1)
        below = (seen & (interval < 0)).sum(axis=1) / seen.sum(axis=1)
        columns += [low / 24, high / 24, (low + high) / 24, np.tanh((low + high) / 4), below]
    within = np.sort(np.where(valid & (np.abs(gap) <= 1.0), interval, 200), axis=1)
    steps = np.where(within[:, 1:] < 200, np.diff(within, axis=1), 0)
    widest = steps.argmax(axis=1)
    centre = within[np.arange(len(within)), widest] + steps.max(axis=1) / 2
    columns += [np.where(steps.max(axis=1) > 0, np.tanh(centre / 6), 0.0), steps.max(axis=1) / 12]
    return np.stack(columns, axis=1).astype(np.float32)
