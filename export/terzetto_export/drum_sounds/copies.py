"""Recordings that are in two collections: a judge must not have learned from what it judges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from terzetto.analysis.drum_spectra import from_onset
from terzetto_export.drum_sounds.one_shots import OneShot

PARTS, PART = 16, 1024
ALIKE = 0.97
"""Correlation of log-spectra over the first 0.37 s. A drum machine sampled twice reaches it; so do some clicks."""


def without_copies(sounds: Sequence[OneShot], others: Sequence[OneShot]) -> list[OneShot]:
    """Return the sounds that are not among the others, nor as good as."""
    alike = _prints(sounds) @ _prints(others).T
    return [sound for sound, nearest in zip(sounds, alike.max(axis=1), strict=True) if nearest < ALIKE]


def _prints(sounds: Sequence[OneShot]) -> NDArray[np.float32]:
    """Return what tells recordings apart, (n, …), of unit length."""
    prints = []
    for sound in sounds:
        start = from_onset(sound.audio)[: PARTS * PART]
        spectra = np.abs(scipy.fft.rfft(np.pad(start, (0, PARTS * PART - len(start))).reshape(PARTS, PART), axis=1))
        levels = np.log(spectra + 1e-2).ravel()
        levels -= levels.mean()
        prints.append(levels / np.linalg.norm(levels))
    return np.asarray(prints, np.float32)
