"""Short-time spectra on one grid of frames for the whole take, computed piece by piece (librosa does the STFT)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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
        from scipy.fft import next_fast_len

        hop = next_fast_len(max(round(window * sample_rate / overlap), 8), real=True)
        hop += hop % 2
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
        """Return the spectra (…, bins, frames) of samples that start where their first frame starts."""
        import librosa

        spectra: Complex = librosa.stft(
            samples, n_fft=self.n_fft, hop_length=self.hop_length, window="hann", center=False
        )
        return spectra

    def istft(self, spectra: Complex) -> Float:
        """Return samples (…, n) from where the first frame starts; only those that all their frames reach are whole."""
        import librosa

        samples: Float = librosa.istft(
            spectra, n_fft=self.n_fft, hop_length=self.hop_length, window="hann", center=False
        )
        return samples
