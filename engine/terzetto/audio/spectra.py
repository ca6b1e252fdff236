"""Short-time spectra on one grid of frames for the whole take, computed piece by piece.

SciPy's FFT does the work here rather than librosa: a command starts two seconds sooner without numba, pieces of a
long take share one grid, and frames lie in memory as the kernel wants them. The tests hold it against librosa.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]


@dataclass(frozen=True)
class FrameGrid:
    """Frames of ``n_fft`` samples (Hann), ``hop_length`` apart; frame i is centred on sample i · hop_length.

    Windows are given in seconds, so a method behaves alike at every sample rate.
    """

    sample_rate: float
    n_fft: int
    hop_length: int

    @classmethod
    def from_seconds(cls, sample_rate: float, window: float, overlap: int = 4) -> FrameGrid:
        """Choose the grid whose window is nearest to ``window`` seconds, with a fast FFT and ``overlap`` frames."""
        hop = _fast_even(max(round(window * sample_rate / overlap), 8))
        return cls(sample_rate, hop * overlap, hop)

    @property
    def bins(self) -> int:
        """Number of frequency bins, 0 to half the sample rate."""
        return self.n_fft // 2 + 1

    @property
    def bin_hz(self) -> float:
        """Distance of two bins in Hz."""
        return self.sample_rate / self.n_fft

    @property
    def hop_seconds(self) -> float:
        """Distance of two frames in seconds."""
        return self.hop_length / self.sample_rate

    def bins_up_to(self, frequency: float) -> int:
        """Return how many bins lie at or below a frequency in Hz."""
        return min(int(frequency / self.bin_hz) + 1, self.bins)

    def frames_for(self, samples: int) -> int:
        """Return how many frames it takes to cover so many samples."""
        return 1 + -(-samples // self.hop_length)

    def sample_range(self, first: int, last: int) -> tuple[int, int]:
        """Return the samples that the frames [first, last) cover: (start, stop); start may be negative."""
        half = self.n_fft // 2
        return first * self.hop_length - half, (last - 1) * self.hop_length + half

    def frame_range(self, start: int, stop: int, frames: int) -> tuple[int, int]:
        """Return the frames [first, last) of 0..frames that touch the samples [start, stop)."""
        reach = self.n_fft // 2 // self.hop_length
        return max(start // self.hop_length - reach, 0), min(-(-stop // self.hop_length) + reach + 1, frames)

    def stft(self, samples: Float) -> Complex:
        """Return the spectra (…, frames, bins) of samples (…, n) that start where their first frame starts.

        The same numbers as ``librosa.stft(center=False)``, frame by frame in memory.
        """
        frames = sliding_window_view(samples, self.n_fft, axis=-1)[..., :: self.hop_length, :]
        return cast(Complex, scipy.fft.rfft(frames * self.window(), axis=-1))  # float32 in, complex64 out

    def istft(self, spectra: Complex) -> Float:
        """Return samples (…, n) from where the first frame starts; those that all their frames reach are whole."""
        frames = cast(Float, scipy.fft.irfft(spectra, self.n_fft, axis=-1))
        window = self.window()
        frames *= window
        overlap, count = self.n_fft // self.hop_length, frames.shape[-2]
        samples = np.zeros((*frames.shape[:-2], count + overlap - 1, self.hop_length), np.float32)
        weight = np.zeros(samples.shape[-2:], np.float32)
        for part in range(overlap):  # every frame is `overlap` hops long: add them hop by hop
            hop = slice(part * self.hop_length, (part + 1) * self.hop_length)
            samples[..., part : part + count, :] += frames[..., hop]
            weight[part : part + count] += window[hop] ** 2
        samples /= np.maximum(weight, 1e-6)
        return samples.reshape(*samples.shape[:-2], -1)

    def window(self) -> Float:
        """Return the periodic Hann window."""
        n = np.arange(self.n_fft)
        return (0.5 - 0.5 * np.cos(2 * np.pi * n / self.n_fft)).astype(np.float32)


@dataclass(frozen=True)
class Stft:
    """The short-time Fourier transform of signals of one length, and back: a pair for `terzetto.audio.phase`.

    Attributes
    ----------
    grid : FrameGrid
    samples : int
        Length of the signals.
    """

    grid: FrameGrid
    samples: int

    # A Hann window of n samples is nearest to exp(-π t² / (0.25645 n²)) (Průša, Balazs, Søndergaard 2017, table I).
    GAUSSIAN = 0.25645
    FLOOR = 1e-7  # of the largest magnitude: the logarithm's

    @property
    def shape(self) -> tuple[int, int]:
        """(frames, bins)."""
        return self.grid.frames_for(self.samples), self.grid.bins

    def forward(self, samples: Float) -> Complex:
        """Return the spectra (…, frames, bins) of signals (…, samples)."""
        before = self.grid.n_fft // 2
        after = (self.shape[0] - 1) * self.grid.hop_length + before - self.samples
        edges = [(0, 0)] * (samples.ndim - 1)
        return self.grid.stft(np.pad(samples, [*edges, (before, after)]))

    def inverse(self, spectra: Complex) -> Float:
        """Return signals (…, samples); of spectra that are no signal's, the nearest signal in mean square."""
        before = self.grid.n_fft // 2
        return self.grid.istft(spectra)[..., before : before + self.samples]

    def phase_gradient(self, magnitude: Float) -> tuple[Float, Float]:
        """Return how the phase changes to the next frame and to the next bin, (frames, bins) each, in radians.

        Průša, Balazs, Søndergaard 2017, equations 20 and 21, for phases that count from where their frame starts.
        """
        n_fft, hop = self.grid.n_fft, self.grid.hop_length
        gamma = self.GAUSSIAN * n_fft**2
        level = np.log(np.maximum(magnitude, max(self.FLOOR * float(magnitude.max()), 1e-30)))
        turn = (hop * np.arange(self.grid.bins) % n_fft * (2 * np.pi / n_fft)).astype(np.float32)
        by_frame = turn + np.float32(hop * n_fft / gamma) * _slope(level, axis=1)
        return by_frame, -np.float32(np.pi) - np.float32(gamma / (hop * n_fft)) * _slope(level, axis=0)


def _slope(values: Float, axis: int) -> Float:
    """Return central differences, one-sided at the edges and 0 along an axis of one."""
    if values.shape[axis] < 2:
        return np.zeros_like(values)
    return cast(Float, np.gradient(values, axis=axis))


def _fast_even(n: int) -> int:
    """Return the even number nearest above n with no prime factor over 5: the FFT is fast for these."""
    candidate = n + n % 2
    while True:
        rest = candidate
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return candidate
        candidate += 2
