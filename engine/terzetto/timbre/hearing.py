"""What X-Synth's networks hear of a frame: its spectrum, its autocorrelation on a scale of pitches, its loudness.

The axes are in Hz and in octaves, not in bins, so one network hears streams of every sample rate.

Conventions: spectra are complex64 (frames, bins) of Hann-windowed frames. Levels are in dB, K-weighted, 0 for a mean
square of 1.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.timbre.loudness import SILENT, Loudness

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

LOWEST, PER_OCTAVE, PITCHES = 32.703, 24, 169
"""The scale of pitches: C1 in Hz, quarter tones, up to C8."""
PITCH_HZ = LOWEST * 2.0 ** (np.arange(PITCHES) / PER_OCTAVE)
SPECTRUM_HZ = np.concatenate([np.arange(1, 108) * 23.4375, 2531.25 * 2.0 ** (np.arange(1, 37) * 2.6 / 36)])
"""Where the spectrum is heard: every half bin of the short window up to 2.5 kHz, then 36 steps up to 15 kHz."""
FEATURES = len(SPECTRUM_HZ) + PITCHES + 1
FLOOR_DB = -80.0
"""What lies further below the frame's level is not heard."""
_FINE = 4  # points of the autocorrelation in a sample
_LONGEST = 0.45  # of the window: lags beyond have too little of the frame in them


class Hearing:
    """Listens to the frames of one grid.

    Parameters
    ----------
    grid : FrameGrid
    """

    def __init__(self, grid: FrameGrid) -> None:
        self.grid = grid
        self.loudness = Loudness(grid)
        self._filters = _filters(grid)
        # What a lone partial's autocorrelation is multiplied with: that of the window, its spectrum's magnitude taken.
        window = np.abs(scipy.fft.rfft(grid.window()))
        self._fade = scipy.fft.irfft(window, grid.n_fft * _FINE)[: grid.n_fft * _FINE // 2].astype(np.float32)
        self._fade /= self._fade[0]
        self._evening = np.maximum(self._fade, 0.05) ** -0.5
        lags = grid.sample_rate / PITCH_HZ * _FINE
        lags = np.minimum(lags, self._fade.size - 2)
        self._below = lags.astype(np.int64)
        self._share = (lags - self._below).astype(np.float32)
        self._norm = 1.0 / np.maximum(self._at_pitches(self._fade[None]), 0.25)
        self._scale = 2.0 / grid.window().sum()  # of a partial's magnitude to its amplitude

    def level(self, spectra: Complex) -> Float:
        """Return the levels (frames,) in dB, -120 at the least."""
        power = self.loudness.of(spectra[..., None, :])
        return cast(Float, (10 * np.log10(np.maximum(power, SILENT))).astype(np.float32))

    def autocorrelation(self, spectra: Complex) -> Float:
        """Return the autocorrelation (frames, lags) of magnitudes, 1 at lag 0; four lags are a sample."""
        magnitude = np.abs(spectra) + 1e-12
        magnitude[..., 0] = 0.0
        size = self.grid.n_fft * _FINE
        lags = cast(Float, scipy.fft.irfft(magnitude, size, axis=-1))[..., : self._fade.size]
        return cast(Float, lags / lags[..., :1])

    def hear(self, spectra: Complex, autocorrelation: Float) -> Float:
        """Return what the network hears (frames, FEATURES), each about from -1 to 1."""
        level = self.level(spectra)
        amplitude = np.abs(spectra) * np.float32(self._scale)
        bands = 20 * np.log10(np.maximum(amplitude @ self._filters, 1e-9)) - level[:, None]
        spectrum = np.maximum(bands, FLOOR_DB) / -FLOOR_DB + 0.5
        pitches = self._at_pitches(autocorrelation) * self._norm
        silent = (level < -90.0)[:, None]
        spectrum = np.where(silent, -0.5, spectrum)
        pitches = np.where(silent, 0.0, pitches)
        return np.concatenate([spectrum, pitches, (level[:, None] + 40.0) / 40.0], axis=1, dtype=np.float32)

    def refine(self, autocorrelation: Float, pitch: Float, reach: float = 45.0) -> Float:
        """Return the fundamentals in Hz (frames,), near those given, at which the autocorrelation repeats best.

        Parameters
        ----------
        autocorrelation : float32 (frames, lags)
        pitch : float32 (frames,)
            In Hz.
        reach : float
            How far to look, in cents.
        """
        steps = np.linspace(-reach, reach, 25)
        candidates = pitch[:, None] * 2.0 ** (steps / 1200)
        lag = self.grid.sample_rate / candidates * _FINE
        longest = _LONGEST * self.grid.n_fft * _FINE
        most = np.clip(np.floor(longest / lag[:, :1]), 1, 12)
        total = np.zeros(candidates.shape, np.float32)
        # Long lags tell the pitch more exactly, and have less of the frame in them.
        even = autocorrelation * self._evening
        for multiple in range(1, int(most.max()) + 1):
            at = np.minimum(lag * multiple, self._fade.size - 2)
            total += np.where(multiple <= most, self._at(even, at), 0.0)
        best = np.clip(total.argmax(axis=1), 1, len(steps) - 2)
        rows = np.arange(len(total))
        left, middle, right = (total[rows, best + shift] for shift in (-1, 0, 1))
        bend = left - 2 * middle + right
        shift = np.where(bend < -1e-9, 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)
        cents = steps[best] + np.clip(shift, -1, 1) * (steps[1] - steps[0])
        return cast(Float, (pitch * 2.0 ** (cents / 1200)).astype(np.float32))

    def _at_pitches(self, autocorrelation: Float) -> Float:
        low = autocorrelation[:, self._below]
        return cast(Float, low + self._share * (autocorrelation[:, self._below + 1] - low))

    @staticmethod
    def _at(values: Float, positions: NDArray[np.floating]) -> Float:
        """Return values (frames, n) between their points, at positions (frames, m)."""
        below = positions.astype(np.int64)
        share = (positions - below).astype(np.float32)
        rows = np.arange(len(values))[:, None]
        low = values[rows, below]
        return low + share * (values[rows, below + 1] - low)


def _filters(grid: FrameGrid) -> Float:
    """Return triangles (bins, points) around the points of the spectrum, as wide as these are apart or two bins."""
    frequency = np.arange(grid.bins)[:, None] * grid.bin_hz
    width = np.maximum(np.gradient(SPECTRUM_HZ), grid.bin_hz)
    weight = np.maximum(1.0 - np.abs(frequency - SPECTRUM_HZ) / width, 0.0)
    return cast(Float, (weight / np.maximum(weight.sum(axis=0), 1e-6)).astype(np.float32))
