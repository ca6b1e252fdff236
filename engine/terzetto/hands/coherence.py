"""Part two hands with the help of phase: templates learn how fast their partials turn, a Kalman smoother uses it.

Where partials of both hands share a bin, magnitudes cannot tell their phases and a mask gives each hand a share of
the beating sum. But a partial's phase turns by a constant angle from frame to frame, and the two seldom by the same.
The native code states the model (native/coherence/coherence.hpp); with no coherence it is the Wiener filter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto import _coherence
from terzetto.audio.spectra import FrameGrid

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

DOMINANCE = 0.9
"""A template's phase advance is learned where it makes up more than this share of a bin."""
CORRELATION = 0.98
"""Of a source with itself one frame later, where its templates agree perfectly."""
HIGHEST = 2800.0
"""Above this frequency in Hz phases are not followed: partials are weak there and turn too unevenly to gain by it."""
_PRIOR = 1e-5  # per frame, in units of the loudest bin's energy: pulls towards the advance of the nearest peak
_FLOOR = 1e-10  # in units of the loudest bin's energy


@dataclass
class PhaseAdvance:
    """What has been heard of each template's turning, rows × bins; more frames may be added.

    Attributes
    ----------
    turn : complex64
        Σ x[n] x*[n−1] where the template dominates.
    size : float32
        Σ |x[n] x*[n−1]| there.
    frames : int
        Frames heard.
    peak : float
        The loudest magnitude heard.
    """

    turn: Complex
    size: Float
    frames: int = 0
    peak: float = 0.0

    @property
    def bins(self) -> int:
        """How many bins are followed, from 0 Hz."""
        return int(self.turn.shape[1])

    @classmethod
    def empty(cls, rows: int, bins: int) -> PhaseAdvance:
        """Return an advance that has heard nothing."""
        return cls(np.zeros((rows, bins), np.complex64), np.zeros((rows, bins), np.float32))

    def hear(self, spectra: Complex, W: Float, H: Float, threads: int) -> None:
        """Learn from spectra, channels × frames × bins, factorised as W H (rows × frames)."""
        for channel in spectra:
            _coherence.learn_advance(
                channel, W, H, threshold=DOMINANCE, turn=self.turn, size=self.size, threads=threads
            )
        self.frames += spectra.shape[1]
        self.peak = max(self.peak, float(np.abs(spectra).max(initial=0.0)))

    def turning(self, W: Float, grid: FrameGrid, harmonic_rows: int) -> Complex:
        """Return W times each template's unit phase advance times its coherence (0..1), rows × bins.

        Onset templates (from ``harmonic_rows`` on) are noise: they turn as their bins' centres do.
        """
        center = peak_bins(W)
        center[harmonic_rows:] = np.arange(W.shape[1])
        prior = _PRIOR * self.frames * self.peak**2
        expected = np.exp(2j * np.pi * center * grid.hop_length / grid.n_fft)
        turn, size = self.turn.copy(), self.size.copy()
        turn[harmonic_rows:], size[harmonic_rows:] = 0, 0
        total = turn + prior * expected
        # Of unit length where all that was heard agrees; prior alone counts as agreement.
        turning: Complex = (W * total / np.maximum(size + prior, 1e-30)).astype(np.complex64)
        return turning


def channel_gains(spectra: Complex) -> Float:
    """Return each channel's level over that of the factorised magnitudes, channels × bins.

    Parameters
    ----------
    spectra
        channels × frames × bins.
    """
    return gains_of(np.sum(spectra.real**2 + spectra.imag**2, axis=1))


def gains_of(power: NDArray[Any]) -> Float:
    """Return the channels' levels over their mean, of their power (channels, bins)."""
    mean = power.mean(axis=0)
    gains: Float = np.sqrt(np.divide(power, mean, out=np.ones_like(power), where=mean > 0)).astype(np.float32)
    return gains


def floor_of(peak: float) -> float:
    """Return the variance that every source has, for a take with this loudest magnitude."""
    return max(_FLOOR * peak**2, 1e-30)


def split_hands(
    spectra: Complex, W: Float, turning: Complex, H_left: Float, H_right: Float, gain: Float, peak: float
) -> Complex:
    """Return the left hand's spectra of one channel, frames × bins; the right hand's are the rest.

    Parameters
    ----------
    spectra
        frames × bins of one channel.
    H_left, H_right
        Each hand's activations, rows × frames.
    gain
        Per bin: this channel's level over that of the factorised magnitudes.
    peak
        The loudest magnitude of the take.
    """
    return _coherence.split_left(
        spectra,
        W,
        turning,
        H_left,
        H_right,
        gain,
        correlation=CORRELATION,
        floor=floor_of(peak),
        threads=1,
    )


def peak_bins(W: Float) -> NDArray[np.float64]:
    """Return, per template and bin, the (fractional) bin of the nearest peak; the bin itself if none is near."""
    rows, bins = W.shape
    result = np.tile(np.arange(bins, dtype=np.float64), (rows, 1))
    logarithm = np.log(W + 1e-12)
    for row in range(rows):
        w, y = W[row], logarithm[row]
        inner = w[1:-1]
        peaks = np.flatnonzero((inner > w[:-2]) & (inner >= w[2:]) & (inner > w.max() * 1e-4)) + 1
        if not len(peaks):
            continue
        below, at, above = y[peaks - 1], y[peaks], y[peaks + 1]
        offset = 0.5 * (below - above) / (below - 2 * at + above - 1e-12)
        place = peaks + np.clip(offset, -0.5, 0.5)
        nearest = place[np.searchsorted((peaks[1:] + peaks[:-1]) / 2, np.arange(bins))]
        near = np.abs(nearest - np.arange(bins)) <= 4
        result[row, near] = nearest[near]
    return result
