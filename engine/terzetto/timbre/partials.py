"""Partials in a frame's spectrum: how strong they are, and a harmonic sound put together of them.

A windowed partial is the window's transform around its frequency; of the Hann window all but -45 dB lies within four
bins. So a frame of a hundred partials takes some hundred complex numbers, not a hundred sines (Rodet, Depalle 1992,
spectral envelopes and inverse FFT synthesis).

Conventions: amplitudes are those of sines; phases are those at the frame's centre.
"""

from __future__ import annotations

import functools
from typing import cast

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

PARTIALS = 80
"""How many of a harmonic sound the networks know."""
BANDS = 40
BAND_HZ = 50.0 * 2.0 ** (np.arange(BANDS) * 8.2 / (BANDS - 1))
"""Centres of the bands of noise, 50 Hz to 14.7 kHz, about five an octave."""
_TAPS = np.arange(-4, 5)


def band_density(power: Float, grid: FrameGrid, counted: NDArray[np.bool_] | None = None) -> Float:
    """Return the mean density of spectra in bands, (frames, BANDS), in dB a Hz for a mean square of 1.

    Parameters
    ----------
    power : float32 (frames, bins)
        Squared magnitudes of Hann-windowed frames.
    counted : bool (frames, bins), optional
        Which bins count; a band without any takes its value from its neighbours.
    """
    filters = _band_filters(grid)
    density = power * np.float32(2.0 / (grid.sample_rate * np.sum(grid.window() ** 2)))
    if counted is None:
        return cast(Float, 10 * np.log10(np.maximum(density @ filters, 1e-20)))
    weight = counted.astype(np.float32) @ filters
    mean = (density * counted) @ filters / np.maximum(weight, 1e-9)
    level = 10 * np.log10(np.maximum(mean, 1e-20))
    known = weight > 0.02
    rows = np.arange(BANDS)
    return np.stack(
        [np.interp(rows, rows[here], row[here]) if here.any() else row for row, here in zip(level, known, strict=True)]
    ).astype(np.float32)


@functools.cache
def _band_filters(grid: FrameGrid) -> Float:
    """Return triangles (bins, BANDS) between the centres of neighbouring bands, at least two bins to each side."""
    frequency = np.arange(grid.bins)[:, None] * grid.bin_hz
    width = np.maximum(np.gradient(BAND_HZ), 2 * grid.bin_hz)
    weight = np.maximum(1.0 - np.abs(frequency - BAND_HZ) / width, 0.0)
    return cast(Float, (weight / np.maximum(weight.sum(axis=0), 1e-9)).astype(np.float32))


Where = tuple[NDArray[np.int64], Float]
"""Of partials: bins (n, 9), and the window's transform at each (n, 9)."""


class Partials:
    """Reads and writes the partials of frames of one grid."""

    def __init__(self, grid: FrameGrid) -> None:
        self.grid = grid
        self._half = 0.25 * grid.n_fft  # a sine of amplitude 1 has this magnitude, at its frequency
        # The frame begins half a window before its centre: neighbouring bins turn by half a circle.
        self._sign = np.where(np.arange(-8, grid.bins + 8) % 2 == 0, 1.0, -1.0).astype(np.float32)

    def at(self, frequencies: NDArray[np.floating]) -> Where:
        """Return where partials of frequencies in Hz lie: the bins around them, and the window's transform there."""
        place = frequencies / self.grid.bin_hz
        bins = np.round(place).astype(np.int64)[:, None] + _TAPS
        return bins, _hann(bins - place[:, None]).astype(np.float32)

    def write(self, where: Where, amplitudes: Complex) -> Complex:
        """Return the spectrum (bins,) of partials with complex amplitudes, all below half the sample rate."""
        bins, kernel = where
        values = kernel * amplitudes[:, None] * np.float32(self._half)
        size = self.grid.bins + 16
        place = np.clip(bins + 8, 0, size - 1).ravel()
        real = np.bincount(place, values.real.ravel(), size)
        imaginary = np.bincount(place, values.imag.ravel(), size)
        spectrum = (real + 1j * imaginary).astype(np.complex64) * self._sign
        # What reaches below 0 Hz comes back mirrored.
        spectrum[8:16] += np.conj(spectrum[8::-1][:8])
        return cast(Complex, spectrum[8:-8])

    def read(self, spectrum: Complex, where: Where) -> Complex:
        """Return the complex amplitudes (n,) of the partials of a spectrum (bins,), each measured on its own."""
        bins, kernel = where
        inside = np.clip(bins, 0, self.grid.bins - 1)
        values = spectrum[inside] * self._sign[inside + 8]
        norm = np.float32(self._half) * np.sum(kernel**2, axis=1)
        return cast(Complex, (np.sum(values * kernel, axis=1) / norm).astype(np.complex64))


def _hann(offset: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the Hann window's transform at offsets in bins, 1 at 0."""
    # Nowhere 0 / 0: a millionth of a bin beside is near enough.
    beside = np.pi * (offset + 1e-6)
    return np.asarray(np.sin(beside) / (beside * (1.0 - (offset + 1e-6) ** 2)))
