"""What the judge of drum sounds hears: where the energy lies, in which bands, and how it dies away."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from terzetto.analysis.drum_spectra import BANDS, FLOOR, FRAMES, RANGE, mel_levels

Float = NDArray[np.float32]

EDGES = (0, 1, 2, 4, 7, 12, 20, 35, 60, FRAMES)
"""Of the windows in time, in frames of 10 ms: finer where a stroke begins."""
DEEPEST = 70.0
DECAYS, BAND_DECAYS = (6, 10, 20, 30, 40, 50), (10, 20, 35)
RANGES = ((0, 10), (10, 25), (25, 45), (45, BANDS))
CENTROIDS_AT = (0, 2, 5, 15, 40)
SIZE = (len(EDGES) - 1) * BANDS // 2 + BANDS // 2 + len(DECAYS) + 5 + len(CENTROIDS_AT) + len(RANGES) * len(BAND_DECAYS)


def judged(audio: NDArray[np.floating]) -> Float:
    """Return the features of a sound, float32 (SIZE,).

    The levels of 32 bands in 9 windows of time, and of 32 bands on the whole, in dB below the loudest; for how many
    frames the sound, and each of four ranges of it, stays within some dB of its loudest; centroid, spread, flatness,
    peak and roughness of the spectrum; and the centroid along the time.

    Parameters
    ----------
    audio
        Mono (frames,), 44.1 kHz. Raises as `terzetto.analysis.drum_spectra.from_onset`.
    """
    levels = mel_levels(audio)
    power = np.where(levels > 0, 10.0 ** ((levels.astype(np.float64) * RANGE + FLOOR) / 10), 1e-9)
    pairs = power.reshape(FRAMES, BANDS // 2, 2).mean(axis=2)
    windows = np.stack([pairs[a:b].mean(axis=0) for a, b in pairwise(EDGES)])
    whole, band = power.sum(axis=0), np.arange(BANDS)
    spectrum = _below_loudest(whole)
    centroid = float(whole @ band / whole.sum())
    spread = float(np.sqrt(whole @ (band - centroid) ** 2 / whole.sum()))
    along = (power @ band / power.sum(axis=1))[list(CENTROIDS_AT)]
    shape = [centroid, spread, spectrum.mean(), spectrum.argmax(), np.abs(np.diff(spectrum)).mean()]
    decays = [_frames_within(power.sum(axis=1), DECAYS)]
    decays += [_frames_within(power[:, a:b].sum(axis=1), BAND_DECAYS) for a, b in RANGES]
    parts = (_below_loudest(windows).ravel(), spectrum[::2], shape, along, *decays)
    return np.concatenate(parts).astype(np.float32)


def _below_loudest(power: NDArray[np.float64]) -> NDArray[np.float64]:
    decibels = 10.0 * np.log10(power + 1e-9)
    return np.asarray(np.maximum(decibels - decibels.max(), -DEEPEST))


def _frames_within(power: NDArray[np.float64], depths: tuple[int, ...]) -> NDArray[np.float64]:
    decibels = 10.0 * np.log10(power + 1e-9)
    return np.array([np.sum(decibels > decibels.max() - depth) for depth in depths], np.float64)
