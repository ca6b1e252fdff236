"""Short pieces on a synthetic piano, as a sheet and as somebody plays them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from tests.conftest import tone

from terzetto.audio.files import ArrayTake
from terzetto.score.notes import Score

Float = NDArray[np.float64]
RATE = 22050
BEAT = 0.5  # seconds of the sheet


def compose(beats: int, seed: int) -> Score:
    """A melody in quavers over chords that wander through the keys."""
    random = np.random.default_rng(seed)
    notes: list[tuple[float, float, int, float, str]] = []
    root = int(random.integers(40, 52))
    for beat in range(beats):
        start = BEAT * beat
        if beat % 2 == 0:
            root = 40 + (root - 40 + int(random.choice((1, 2, 5, 7, 9)))) % 12
            notes += [(start, start + 2 * BEAT, root + step, 0.5, "left") for step in (0, 7)]
        for half in range(2):
            at = start + BEAT / 2 * half
            pitch = root + int(random.choice((19, 24, 28, 31, 33, 36)))
            notes.append((at, at + BEAT / 2, pitch, 0.5, "right"))
    return Score.from_notes(notes)


def performed(score: Score, warp: Callable[[Float], Float]) -> Score:
    """The score in another time."""
    onset = warp(score.onset)
    rows = zip(onset, np.maximum(warp(score.offset), onset + 0.05), score.pitch, score.hand, strict=True)
    return Score.from_notes([(a, b, int(pitch), 0.6, ("left", "right")[hand]) for a, b, pitch, hand in rows])


def play(score: Score, seconds: float = 0.0, cents: float = 0.0) -> NDArray[np.float32]:
    """Render a score; ``cents`` sharp."""
    frames = round(max(seconds, score.end + 0.5) * RATE)
    audio = np.zeros(frames, np.float32)
    random = np.random.default_rng(1)
    for onset, offset, pitch in zip(score.onset, score.offset, score.pitch, strict=True):
        sound = tone(pitch + cents / 100, offset - onset, float(random.uniform(0.4, 0.9)), RATE)
        room = audio[round(onset * RATE) :][: len(sound)]
        room += sound[: len(room)]
    return audio


def take(*parts: NDArray[np.float32]) -> ArrayTake:
    return ArrayTake(np.concatenate(parts).astype(np.float32), RATE)
