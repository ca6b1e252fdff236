"""Synthetic sounds whose pitch, envelope and level are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


def tone(
    frequency: float, seconds: float, rate: float, slope: float = 1.0, formant: float | None = None, level: float = 0.1
) -> Float:
    """Partials that fall as 1 / n^slope, under a resonance; its RMS is ``level``."""
    time = np.arange(round(seconds * rate)) / rate
    sound = np.zeros(len(time))
    for number in range(1, int(0.45 * rate / frequency) + 1):
        height = number**-slope
        if formant is not None:
            height *= np.exp(-0.5 * ((number * frequency - formant) / 300.0) ** 2) + 0.01
        sound += height * np.sin(2 * np.pi * number * frequency * time + number**2)
    return np.asarray(level * sound / np.sqrt(np.mean(sound**2)), np.float32)


def strongest(sound: Float, rate: float) -> float:
    """The frequency of the strongest partial in Hz."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 17)) ** 2
    return float(np.argmax(power) * rate / (1 << 17))


def level_db(sound: Float) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))
