"""Mel-frequency cepstral coefficients of frames: what mosaicing hears of a timbre, whatever its loudness.

Conventions: 40 mel bands (Slaney's, as librosa makes them) from 50 Hz to 10 kHz, or as far as the sample rate goes;
natural logarithm of their power, at most 80 dB below the loudest band; orthonormal DCT-II. Coefficients 1 to 19 are
kept: the zeroth is the loudness.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.timbre.conversion import Complex

Float = NDArray[np.float32]

BANDS, COEFFICIENTS = 40, 19
LOWEST, HIGHEST = 50.0, 10_000.0
_RANGE = np.float32(1e-8)


class Mfcc:
    """Describes frames of one grid.

    Parameters
    ----------
    grid : FrameGrid
    """

    def __init__(self, grid: FrameGrid) -> None:
        import librosa

        filters = librosa.filters.mel(
            sr=grid.sample_rate,
            n_fft=grid.n_fft,
            n_mels=BANDS,
            fmin=LOWEST,
            fmax=min(HIGHEST, grid.sample_rate / 2),
        )
        # With a short window the lowest filters lie between two bins; the nearest bin then stands for them.
        for row in np.flatnonzero(filters.sum(axis=1) == 0):
            filters[row] = filters[row - 1] if row else np.eye(1, grid.bins, 1)
        self._filters = np.ascontiguousarray(filters.T, np.float32)

    def __call__(self, spectra: Complex) -> Float:
        """Return the coefficients (n, 19) of frames (n, bins); those of silence are 0."""
        power = (spectra.real**2 + spectra.imag**2) @ self._filters
        power = np.maximum(power, np.maximum(power.max(axis=-1, keepdims=True) * _RANGE, np.float32(1e-20)))
        return cast(Float, scipy.fft.dct(np.log(power), axis=-1, norm="ortho")[..., 1 : COEFFICIENTS + 1])
