"""Made-up voices as in fugues, divided between two hands: what the hands can reach says who plays an inner voice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.score.notes import LEFT, RIGHT

# In sixteenths. A hand reaches an octave easily; beyond, each semitone costs; so does a voice that changes hands.
_REACH, _CHANGE = 12, 5.0
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11), (0, 2, 3, 5, 7, 9, 10))
Rows = list[tuple[float, float, int, int]]


def make_counterpoint(notes: int, random: np.random.Generator) -> Rows:
    """Return about so many notes of two to five voices: onset, offset (sixteenths), pitch, hand."""
    voices = int(random.choice((2, 3, 3, 3, 4, 4, 5)))
    steps = int(notes / (voices * random.uniform(0.35, 0.55))) + 16
    key = int(random.integers(12))
    scale = np.array([p for p in range(24, 104) if (p - key) % 12 in _SCALES[random.integers(len(_SCALES))]])
    sounding = np.full((voices, steps), -1)
    begins = np.zeros((voices, steps), bool)
    centre = np.sort(random.normal(60, 3) + (np.arange(voices) - (voices - 1) / 2) * random.uniform(7, 11))
    for voice in range(voices):
        _walk(sounding[voice], begins[voice], scale, float(centre[voice]), random)
    # A voice rests where it would go below the one under it.
    for voice in range(1, voices):
        under = sounding[voice - 1]
        sounding[voice] = np.where((sounding[voice] >= 0) & (sounding[voice] <= under), -1, sounding[voice])
    cut = _divide(sounding)
    rows: Rows = []
    for voice in range(voices):
        line = sounding[voice]
        starts = np.flatnonzero((line >= 0) & (begins[voice] | (np.roll(line, 1) != line)))
        for start in starts.tolist():
            stop = start + 1
            while stop < steps and line[stop] == line[start] and not begins[voice, stop]:
                stop += 1
            rows.append((float(start), float(stop), int(line[start]), LEFT if voice < cut[start] else RIGHT))
    return sorted(rows)[:notes]


def _walk(
    line: NDArray[np.int64],
    begins: NDArray[np.bool_],
    scale: NDArray[np.int64],
    centre: float,
    random: np.random.Generator,
) -> None:
    """Fill a voice: runs of one note value in steps and small leaps, pulled to its centre, with rests of some bars."""
    at, place = 0, int(np.abs(scale - centre).argmin())
    rest = random.uniform(0.05, 0.25)
    while at < len(line):
        if random.random() < rest:
            at += int(random.choice((2, 4, 8, 16, 32)))
            continue
        value = int(random.choice((1, 2, 4, 8), p=(0.4, 0.35, 0.2, 0.05)))
        for _ in range(int(random.choice((2, 4, 4, 8, 8, 16))) if value < 4 else int(random.integers(1, 4))):
            pull = np.sign(centre - scale[place]) if random.random() < abs(centre - scale[place]) / 14 else 0
            step = int(pull) or int(random.choice((-1, 1, -1, 1, -2, 2, -4, 4, 0)))
            place = int(np.clip(place + step, 0, len(scale) - 1))
            if at >= len(line):
                return
            line[at : at + value] = scale[place]
            begins[at] = True
            at += value


def _divide(sounding: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of the voices the left hand has at each time: the cheapest way through."""
    voices, steps = sounding.shape
    cuts = np.arange(voices + 1)
    cost = np.zeros((steps, voices + 1))
    for cut in cuts.tolist():
        for part in (sounding[:cut], sounding[cut:]):
            low = np.where(part >= 0, part, 999).min(axis=0, initial=999)
            high = np.where(part >= 0, part, -999).max(axis=0, initial=-999)
            span = np.maximum(high - low, 0)
            cost[:, cut] += 0.05 * span + 0.7 * np.maximum(span - _REACH, 0)
        cost[:, cut] += 0.8 * (cut in (0, voices)) + 0.3 * abs(cut - voices / 2)
    change = _CHANGE * np.abs(cuts[:, None] - cuts[None])
    best, back = cost[0], np.zeros((steps, voices + 1), np.int64)
    for step in range(1, steps):
        total = best[:, None] + change
        back[step] = total.argmin(axis=0)
        best = total.min(axis=0) + cost[step]
    path = np.zeros(steps, np.int64)
    path[-1] = best.argmin()
    for step in range(steps - 1, 0, -1):
        path[step - 1] = back[step, path[step]]
    return path
