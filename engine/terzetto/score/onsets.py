"""How much each key of a piano sounds struck at each moment of a recording: what note times are refined by."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from terzetto.score.synchrony import SAMPLE_RATE

HOP = 220
RATE = SAMPLE_RATE / HOP
"""Values per second (about 100)."""
_N_FFT = 4096
_BLOCK = 1024  # frames transformed at once
_WINDOWS = ((0, 4096, 3), (52, 2048, 2), (67, 1024, 1))  # from this pitch on: window, and half the rise's span in hops
_PARTIALS = (1.0, 0.8, 0.6, 0.4, 0.3)
_INHARMONICITY = 3e-4


def strike_strength(audio: NDArray[np.float32], pitches: NDArray[np.int64], tuning: float) -> NDArray[np.float32]:
    """Return the rise of a key's partials, compressed: float32 (pitches, frames), 0 or more, about 1 at a strike.

    Parameters
    ----------
    audio
        Mono at `SAMPLE_RATE`.
    pitches
        MIDI pitches, in any order.
    tuning
        In cents above 440 Hz.
    """
    frames = 1 + len(audio) // HOP
    strength = np.zeros((len(pitches), frames), np.float32)
    loud = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) or 1.0
    lower = [first for first, _, _ in _WINDOWS]
    for number, (first, window, span) in enumerate(_WINDOWS):
        last = lower[number + 1] if number + 1 < len(lower) else 128
        rows = np.flatnonzero((pitches >= first) & (pitches < last))
        if not len(rows):
            continue
        level = _levels(audio, window, 30 * 8 / (loud * window))
        rise = np.zeros_like(level)
        rise[:, span:-span] = np.maximum(level[:, 2 * span :] - level[:, : -2 * span], 0)
        for row in rows:
            fundamental = 440.0 * 2.0 ** ((pitches[row] - 69 + tuning / 100) / 12)
            weights = 0.0
            for partial, weight in enumerate(_PARTIALS, start=1):
                at = partial * fundamental * np.sqrt(1 + _INHARMONICITY * partial**2) * _N_FFT / SAMPLE_RATE
                low, high = round(at * 2 ** (-1 / 36)), round(at * 2 ** (1 / 36)) + 1
                if high >= len(rise):
                    break
                strength[row] += weight * rise[low:high].max(axis=0)
                weights += weight
            strength[row] /= max(weights, 1e-9)
    return strength


def _levels(audio: NDArray[np.float32], window: int, gain: float) -> NDArray[np.float32]:
    """Return compressed magnitudes (bins, frames) under a Hann window in the middle of `_N_FFT` samples.

    SciPy's FFT instead of librosa's: a take is compared with its score before it is learned, and numba loads slowly.
    """
    shape = np.zeros(_N_FFT, np.float32)
    first = (_N_FFT - window) // 2
    shape[first : first + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    padded = np.pad(audio, _N_FFT // 2)
    frames = sliding_window_view(padded, _N_FFT)[::HOP]
    levels = np.empty((_N_FFT // 2 + 1, len(frames)), np.float32)
    for start in range(0, len(frames), _BLOCK):
        spectra = scipy.fft.rfft(frames[start : start + _BLOCK] * shape, axis=-1)
        levels[:, start : start + _BLOCK] = np.log1p(np.float32(gain) * np.abs(spectra)).T
    return levels
