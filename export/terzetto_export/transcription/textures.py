"""What no score holds enough of: scales, chords, repeated notes and leaps over all 88 keys, single notes, clusters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from terzetto.score.notes import Score
from terzetto_export.transcription.performance import HIGHEST, LOWEST, assemble

Notes = list[tuple[float, float, int, float]]  # onset, length, pitch, velocity


def texture(seconds: float, random: np.random.Generator) -> Score:
    """Return so many seconds of passages, one after the other or two at once, some with the pedal down."""
    rows: Notes = []
    pedal = []
    for _ in range(2 if random.random() < 0.3 else 1):
        now = 0.2 + random.uniform(0, 0.3)
        while now < seconds:
            make = _PASSAGES[int(random.integers(len(_PASSAGES)))]
            passage = make(now, random)
            rows += passage
            end = max(onset for onset, *_ in passage) + random.uniform(0.1, 0.8)
            if random.random() < 0.35:
                pedal.append((now + random.uniform(0, 0.1), end))
            now = end
    onset, length, pitch, velocity = (np.array(column) for column in zip(*rows, strict=True))
    held = np.array(pedal, np.float64).reshape(-1, 2)
    return assemble(onset, length, np.clip(pitch, LOWEST, HIGHEST), velocity, held)


def _loudness(random: np.random.Generator) -> float:
    return float(random.uniform(0.1, 0.98))


def _key(random: np.random.Generator) -> int:
    return int(random.integers(LOWEST, HIGHEST + 1))


def _scale(start: float, random: np.random.Generator) -> Notes:
    step = random.uniform(0.06, 0.3)
    direction = random.choice([-1, 1]) * random.choice([1, 2, 2, 3, 4, 5, 7])
    first, loud = _key(random), _loudness(random)
    share = random.uniform(0.4, 1.3)
    return [(start + i * step, step * share, first + i * direction, loud) for i in range(int(random.integers(4, 20)))]


def _chords(start: float, random: np.random.Generator) -> Notes:
    rows: Notes = []
    step = random.uniform(0.2, 0.9)
    low, width = int(random.integers(LOWEST, HIGHEST - 12)), int(random.integers(8, 40))
    for i in range(int(random.integers(1, 6))):
        loud, size = _loudness(random), int(random.integers(2, 7))
        for pitch in random.choice(np.arange(low, low + width), min(size, width), replace=False):
            late = abs(random.normal(0, 0.01))
            rows.append((start + i * step + late, step * random.uniform(0.4, 1.2), int(pitch), loud))
    return rows


def _repeated(start: float, random: np.random.Generator) -> Notes:
    step, pitch = random.uniform(0.1, 0.35), _key(random)
    return [
        (start + i * step, step * random.uniform(0.3, 0.8), pitch, _loudness(random))
        for i in range(int(random.integers(3, 10)))
    ]


def _leaps(start: float, random: np.random.Generator) -> Notes:
    step = random.uniform(0.1, 0.5)
    return [
        (start + i * step, step * random.uniform(0.3, 3.0), _key(random), _loudness(random))
        for i in range(int(random.integers(3, 12)))
    ]


def _trill(start: float, random: np.random.Generator) -> Notes:
    step, first, other = random.uniform(0.06, 0.12), _key(random), int(random.integers(1, 4))
    loud = _loudness(random)
    return [(start + i * step, step, first + other * (i % 2), loud) for i in range(int(random.integers(6, 20)))]


def _octaves(start: float, random: np.random.Generator) -> Notes:
    step, rows = random.uniform(0.12, 0.5), []
    pitch = int(random.integers(LOWEST, HIGHEST - 12))
    for i in range(int(random.integers(2, 8))):
        loud = _loudness(random)
        rows += [(start + i * step, step * 0.8, pitch + other, loud) for other in (0, 12)]
        pitch = int(np.clip(pitch + random.integers(-5, 6), LOWEST, HIGHEST - 12))
    return rows


def _alone(start: float, random: np.random.Generator) -> Notes:
    length = random.uniform(0.3, 3.0)
    rest = random.uniform(0, 1.0)
    return [(start + rest, length, _key(random), _loudness(random))]


def _arpeggio(start: float, random: np.random.Generator) -> Notes:
    step, chord = random.uniform(0.05, 0.2), np.array([0, 4, 7]) if random.random() < 0.5 else np.array([0, 3, 7, 10])
    pitches = (int(random.integers(LOWEST, 70)) + (chord[None] + 12 * np.arange(4)[:, None])).ravel()
    pitches = pitches[pitches <= HIGHEST]
    if random.random() < 0.5:
        pitches = pitches[::-1]
    loud, held = _loudness(random), random.uniform(0.5, 6.0)
    return [(start + i * step, step * held, int(pitch), loud) for i, pitch in enumerate(pitches)]


_PASSAGES: tuple[Callable[[float, np.random.Generator], Notes], ...] = (
    _scale,
    _chords,
    _chords,
    _repeated,
    _leaps,
    _leaps,
    _trill,
    _octaves,
    _alone,
    _arpeggio,
)
