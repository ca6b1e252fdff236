"""How loud a frame is, and the input's loudness carried around a method that knows nothing of it.

The networks of Gabrielli, Cella et al. (2018) give out the levels that they were trained on; "for now handled outside
the neural network", say the slides. So here: a frame that comes out is made as loud as the one that went in. Loudness
is the energy under the K-weighting of BS.1770: a bright timbre does not sound louder than the dull one it replaces.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.loudness import k_power
from terzetto.audio.spectra import FrameGrid
from terzetto.timbre.conversion import Complex

SILENT = 1e-12
"""Mean square, K-weighted, below which a frame is silent: -120 dB."""
MOST_GAIN = 100.0
"""By how much a frame is made louder at most: 40 dB."""


class Loudness:
    """Measures frames of one grid.

    Parameters
    ----------
    grid : FrameGrid
    """

    def __init__(self, grid: FrameGrid) -> None:
        frequencies = np.arange(grid.bins) * grid.bin_hz
        both_sides = np.where((frequencies > 0) & (frequencies < grid.sample_rate / 2), 2.0, 1.0)
        scale = both_sides / (grid.n_fft * float(np.sum(grid.window() ** 2)))
        self._weights = (k_power(grid.sample_rate, frequencies) * scale).astype(np.float32)

    def of(self, spectra: Complex) -> NDArray[np.float32]:
        """Return the mean square (…) of frames (…, channels, bins), K-weighted, the channels added."""
        power = spectra.real**2 + spectra.imag**2
        return np.asarray((power @ self._weights).sum(axis=-1))

    def gain(self, before: Complex, after: Complex, follow: float = 1.0, most: float = MOST_GAIN) -> np.float32:
        """Return what makes a frame as loud as the one before the method.

        Parameters
        ----------
        before, after : complex64 (channels, bins)
        follow : float
            0..1: how much of the way in decibels.
        most : float
            The largest gain.
        """
        was, now = float(self.of(before)), float(self.of(after))
        if now <= SILENT or follow == 0.0:
            return np.float32(1.0)
        return np.float32(min((was / now) ** 0.5, most) ** follow)

    def mixed(self, before: Complex, after: Complex, amount: float, follow: float, most: float = MOST_GAIN) -> Complex:
        """Return a frame between the one before the method and the one after it, neither louder nor softer than both.

        Two sounds whose phases have nothing to do with each other would lose 3 dB halfway; with ``follow`` they do not.
        """
        if amount < 1.0:
            share = np.float32(amount)
            after = before + share * (self.gain(before, after, follow, most) * after - before)
        return cast(Complex, after * self.gain(before, after, follow, most))
