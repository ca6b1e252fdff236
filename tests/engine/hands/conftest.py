"""A small piece on a synthetic piano: stretched decaying partials with a noisy hammer, hands rendered apart."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.hands.templates import partials
from terzetto.score.notes import LEFT, Score

RATE = 22050


@dataclass(frozen=True)
class Piece:
    left: NDArray[np.float32]
    right: NDArray[np.float32]
    score: Score
    sample_rate: int = RATE

    @property
    def mix(self) -> NDArray[np.float32]:
        return self.left + self.right


def play(score: Score, seconds: float, rate: int = RATE) -> list[NDArray[np.float32]]:
    """Render each hand of a score, mono."""
    rng = np.random.default_rng(5)
    hands = [np.zeros(int(seconds * rate), np.float32) for _ in range(2)]
    for onset, offset, pitch, velocity, hand in zip(
        score.onset, score.offset, score.pitch, score.velocity, score.hand, strict=True
    ):
        time = np.arange(int((offset - onset + 0.3) * rate)) / rate
        tone = np.zeros(len(time))
        for number, frequency in enumerate(partials(int(pitch), 0.0, rate / 2 - 500)[:25], start=1):
            decay = np.exp(-time * (0.8 + 0.5 * number))
            tone += np.exp(-frequency / 2500) / number * decay * np.sin(2 * np.pi * (frequency * time + rng.random()))
        tone += 0.2 * rng.standard_normal(len(time)) * np.exp(-time * 80)
        tone *= velocity * np.minimum(1, np.exp(-20 * (time - (offset - onset))))
        start = int(onset * rate)
        hands[hand][start : start + len(tone)] += (0.2 * tone[: len(hands[hand]) - start]).astype(np.float32)
    return hands


def compose(seconds: float, seed: int = 0) -> Score:
    """A melody over broken chords; now and then both hands meet on one key."""
    rng = np.random.default_rng(seed)
    notes: list[tuple[float, float, int, float, str]] = []
    for beat in np.arange(0.2, seconds - 1.2, 0.4):
        notes.append((beat, beat + 0.45, int(rng.choice([45, 48, 52, 57, 60])), 0.5 + 0.2 * rng.random(), "left"))
    for beat in np.arange(0.2, seconds - 1.2, 0.6):
        notes.append((beat, beat + 0.55, int(rng.choice([60, 64, 67, 69, 72])), 0.6 + 0.3 * rng.random(), "right"))
    return Score.from_notes(notes)


@pytest.fixture(scope="session")
def piece() -> Piece:
    score = compose(8.0)
    hands = play(score, 8.0)
    return Piece(hands[LEFT], hands[1 - LEFT], score)
