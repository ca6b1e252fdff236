"""Notes that no two of the classes share the partials of, for a judge that is taught in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from terzetto_export.instrument_data.recordings import Recording
from terzetto_export.instrument_judge.features import SAMPLE_RATE
from terzetto_export.instrument_judge.notes import CLASSES


def note(instrument: str, pitch: float, seed: int, rate: int = SAMPLE_RATE, seconds: float = 0.6) -> np.ndarray:
    """A tone after 50 ms of silence; its envelope has a peak of its own for each class."""
    random = np.random.default_rng((CLASSES.index(instrument), seed))
    time = np.arange(round(seconds * rate)) / rate
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    peak = 250.0 * 1.42 ** CLASSES.index(instrument)
    sound = np.zeros(len(time))
    for partial in range(1, 30):
        frequency = partial * hertz
        if frequency < 0.45 * min(rate, SAMPLE_RATE):
            level = -40 * abs(np.log2(frequency / peak)) + random.normal(0, 1)
            sound += 10 ** (level / 20) * np.sin(2 * np.pi * frequency * time + random.uniform(0, 6))
    sound *= np.minimum(1, time / 0.02) * np.minimum(1, time[::-1] / 0.05) / np.abs(sound).max()
    return np.concatenate([np.zeros(round(0.05 * rate)), 0.5 * sound]).astype(np.float32)


def recordings(number: int, seed: int) -> Iterator[Recording]:
    random = np.random.default_rng(seed)
    for instrument in CLASSES:
        for i in range(number):
            pitch = int(random.integers(45, 70))
            audio = note(instrument, pitch, 1000 * seed + i)
            yield Recording(Path(__file__), audio, SAMPLE_RATE, instrument, pitch, source="made")
