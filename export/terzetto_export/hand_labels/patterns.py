"""What a hand of a made-up texture does in a bar: melodies, runs, chords, broken chords, strides, held notes.

A pattern is made by ``pattern(nearest, sign, random)``: the key nearest to the other hand, -1 for the left hand
and 1 for the right, and where its choices come from. It gives the notes of one bar after another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Chord = list[int]
# Rows: beat, pitch.
Rows = list[tuple[float, int]]
Player = Callable[["Bar"], Rows]


@dataclass(frozen=True)
class Bar:
    """What both hands share in a bar: where its first beat is, its beats, its key and chord as pitch classes."""

    start: float
    beats: int
    scale: Chord
    chord: Chord


def _keys(classes: Chord, low: float, high: float) -> list[int]:
    return [pitch for pitch in range(round(low), round(high) + 1) if pitch % 12 in classes]


def _span(nearest: float, sign: int, width: float) -> tuple[float, float]:
    return (nearest, nearest + width) if sign > 0 else (nearest - width, nearest)


def _rhythm(beats: int, random: np.random.Generator, dense: float) -> list[float]:
    """Return onsets in a bar: halves, dots, quarters, eighths, triplets, sixteenths."""
    onsets, at = [], 0.0
    while at < beats:
        step = float(random.choice((2.0, 1.5, 1.0, 0.5, 1 / 3, 0.25), p=_weights(dense)))
        count = {0.5: 2, 1 / 3: 3, 0.25: 4}.get(step, 1)
        for _ in range(count):
            if at < beats - 1e-6:
                onsets.append(at)
            at += step
    return onsets


def _weights(dense: float) -> NDArray[np.float64]:
    weight = np.array([0.2, 0.3, 0.6, 1.0, 0.3, 0.6]) * np.exp(dense * np.array([-2.0, -1.0, -0.5, 0.3, 0.8, 1.6]))
    return np.asarray(weight / weight.sum())


def _melody(nearest: float, sign: int, random: np.random.Generator) -> Player:
    """Return a line in steps and leaps; with octaves, thirds, sixths, chords below it, rests, or a second voice."""
    low, high = _span(nearest, sign, float(random.uniform(9, 26)))
    dense = float(random.normal(0, 0.8))
    kind = random.choice(
        ("plain", "octaves", "thirds", "sixths", "chords", "voices"), p=(0.5, 0.1, 0.1, 0.08, 0.12, 0.1)
    )
    leap, rest = float(random.uniform(0.05, 0.4)), float(random.choice((0.0, 0.0, 0.15, 0.4)))
    place = [0.5]

    def play(bar: Bar) -> Rows:
        keys = _keys(bar.scale, low, high)
        rows: Rows = []
        if not keys or random.random() < rest:
            return rows
        for at in _rhythm(bar.beats, random, dense):
            step = random.normal(0, 4) if random.random() < leap else random.choice((-1, 1, -1, 1, 0))
            at_key = int(np.clip(round(place[0] * (len(keys) - 1) + step), 0, len(keys) - 1))
            place[0] = at_key / max(len(keys) - 1, 1)
            key = keys[at_key]
            if random.random() < 0.05:
                key += int(random.choice((-1, 1)))
            rows.append((bar.start + at, key))
            if kind == "octaves":
                rows.append((bar.start + at, key - 12 * sign))
            elif kind in ("thirds", "sixths") and at_key >= 2:
                rows.append((bar.start + at, keys[max(at_key - (2 if kind == "thirds" else 5), 0)]))
            elif kind == "chords" and (at % 1 == 0 or random.random() < 0.3):
                rows += [(bar.start + at, pitch) for pitch in _keys(bar.chord, key - 12, key - 2)[-3:]]
        if kind == "voices":
            under = _keys(bar.scale, low - 5, low + 5)
            rows += [(bar.start + at, int(random.choice(under))) for at in _rhythm(bar.beats, random, dense - 1)]
        return rows

    return play


def _running(nearest: float, sign: int, random: np.random.Generator) -> Player:
    """Return scales, broken chords or trembling figures at one speed."""
    low, high = _span(nearest, sign, float(random.uniform(12, 34)))
    speed = int(random.choice((2, 3, 4, 6)))
    kind = random.choice(("scale", "chord", "turn"))
    state = [0, 1]

    def play(bar: Bar) -> Rows:
        keys = _keys(bar.scale if kind != "chord" else bar.chord, low, high)
        rows: Rows = []
        for number in range(bar.beats * speed):
            if len(keys) < 3:
                return rows
            if kind == "turn":
                state[0] += int(random.choice((-2, -1, 1, 2)))
            else:
                state[0] += state[1]
                if random.random() < 0.06:
                    state[1] = -state[1]
            if not 0 <= state[0] < len(keys):
                state[1] = 1 if state[0] < 0 else -1
                state[0] = int(np.clip(state[0], 0, len(keys) - 1))
            rows.append((bar.start + number / speed, keys[state[0]]))
        return rows

    return play


def _chords(nearest: float, sign: int, random: np.random.Generator) -> Player:
    """Return close chords, repeated, off the beat or held."""
    low, high = _span(nearest, sign, float(random.uniform(9, 14)))
    speed = float(random.choice((0.5, 1, 1, 2, 2, 2, 3, 4)))
    late = 0.5 if random.random() < 0.15 else 0.0
    most = int(random.integers(2, 5))

    def play(bar: Bar) -> Rows:
        keys = _keys(bar.chord, low, high)
        keys = keys[:most] if sign > 0 else keys[-most:]
        onsets = np.arange(0, bar.beats, 1 / speed) + late
        return [(bar.start + float(at), key) for at in onsets for key in keys]

    return play


def _broken(nearest: float, sign: int, random: np.random.Generator) -> Player:
    """Return Alberti basses and other figures over a chord's notes, narrow or wide, over and over."""
    low, high = _span(nearest, sign, float(random.choice((9, 12, 19, 26, 31))))
    speed = int(random.choice((1, 2, 2, 3, 4)))
    figures = (
        (0, 2, 1, 2),
        (0, 1, 2, 1),
        (0, 1, 2, 3, 2, 1),
        (0, 1, 2, 3, 4, 3, 2, 1),
        (2, 1, 0, 1),
        (0, 2, 1, 2, 3, 2),
    )
    figure = figures[random.integers(len(figures))]

    def play(bar: Bar) -> Rows:
        keys = _keys(bar.chord, low, high)
        if not keys:
            return []
        stride = max(len(keys) // (max(figure) + 1), 1)
        chosen = [keys[min(step * stride, len(keys) - 1)] for step in figure]
        return [(bar.start + n / speed, chosen[n % len(chosen)]) for n in range(bar.beats * speed)]

    return play


def _stride(nearest: float, sign: int, random: np.random.Generator) -> Player:
    """Return far notes on strong beats and near chords on the others: a waltz, a rag, a march."""
    octave = random.random() < 0.3
    every = int(random.choice((2, 3, 4)))
    speed = int(random.choice((1, 2)))

    def play(bar: Bar) -> Rows:
        near = _keys(bar.chord, *_span(nearest, sign, 11))
        far = _keys(bar.chord, *_span(nearest - 14 if sign < 0 else nearest + 14, sign, 11))
        rows: Rows = []
        if not near or not far:
            return rows
        root = int(random.choice(far))
        for number in range(bar.beats * speed):
            at = bar.start + number / speed
            if number % every == 0:
                rows += [(at, root)] + ([(at, root + 12 * sign)] if octave else [])
            else:
                rows += [(at, key) for key in (near[-3:] if sign < 0 else near[:3])]
        return rows

    return play


def _held(nearest: float, sign: int, random: np.random.Generator) -> Player:
    """Return one or two slow notes, or octaves, a bar; sometimes none for a while."""
    kind = random.choice(("one", "octave", "two"))
    rest = float(random.choice((0.0, 0.3)))

    def play(bar: Bar) -> Rows:
        keys = _keys(bar.chord, *_span(nearest, sign, 17))
        rows: Rows = []
        for at in (0.0, bar.beats / 2)[: int(random.integers(1, 3))]:
            if keys and random.random() >= rest:
                key = int(random.choice(keys))
                rows.append((bar.start + at, key))
                if kind == "octave":
                    rows.append((bar.start + at, key + 12 * sign))
                elif kind == "two":
                    rows.append((bar.start + at, int(random.choice([k for k in keys if abs(k - key) <= 12]))))
        return rows

    return play


LEADING = (_melody, _melody, _melody, _running)
ACCOMPANYING = (_chords, _chords, _broken, _broken, _stride, _held, _running)
