"""What X-Synth's networks hear of a frame: its spectrum, its autocorrelation on a scale of pitches, its loudness.

The axes are in Hz and in octaves, not in bins, so one network hears streams of every sample rate.

A stream of low latency has windows that are too short for low pitches. There the ear listens to the stream's past too:
`Past` puts it together again of the frames that came before, without waiting for anything.

Conventions: the ear's spectra are complex64 (frames, bins) of frames as long as its window, which end where the
stream's do. Levels are in dB, K-weighted, 0 for a mean square of 1.
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
_STEPS = np.linspace(-1.0, 1.0, 25)  # of the pitches that are tried when one is refined
_LONGEST = 0.45  # of the window: lags beyond have too little of the frame in them


class Hearing:
    """Listens to the frames of one grid.

    Parameters
    ----------
    grid : FrameGrid
        The stream's.
    with_past : bool
        Listen to windows of twice the length, whose highest point is the centre of the stream's frame.
    """

    def __init__(self, grid: FrameGrid, with_past: bool = False) -> None:
        self.stream, self.with_past = grid, with_past
        self.loudness = Loudness(grid)
        self.window = _leaning(grid.n_fft) if with_past else grid.window()
        grid = FrameGrid(grid.sample_rate, len(self.window), grid.hop_length)
        self.grid = grid
        self._filters = _filters(grid)
        # What a lone partial's autocorrelation is multiplied with: that of the window, its spectrum's magnitude taken.
        window = np.abs(scipy.fft.rfft(self.window))
        self._fade = scipy.fft.irfft(window, grid.n_fft * _FINE)[: grid.n_fft * _FINE // 2].astype(np.float32)
        self._fade /= self._fade[0]
        self._evening = np.maximum(self._fade, 0.05) ** -0.5
        lags = grid.sample_rate / PITCH_HZ * _FINE
        lags = np.minimum(lags, self._fade.size - 2)
        self._below = lags.astype(np.int64)
        self._share = (lags - self._below).astype(np.float32)
        self._norm = 1.0 / np.maximum(self._at_pitches(self._fade[None]), 0.25)
        self._scale = 2.0 / self.window.sum()  # of a partial's magnitude to its amplitude

    def level(self, spectra: Complex) -> Float:
        """Return the levels (frames,) in dB of the stream's frames (frames, bins), -120 at the least."""
        power = self.loudness.of(spectra[..., None, :])
        return cast(Float, (10 * np.log10(np.maximum(power, SILENT))).astype(np.float32))

    def autocorrelation(self, spectra: Complex) -> Float:
        """Return the autocorrelation (frames, lags) of magnitudes, 1 at lag 0; four lags are a sample."""
        magnitude = np.abs(spectra) + 1e-12
        magnitude[..., 0] = 0.0
        size = self.grid.n_fft * _FINE
        lags = cast(Float, scipy.fft.irfft(magnitude, size, axis=-1))[..., : self._fade.size]
        return cast(Float, lags / lags[..., :1])

    def spectra(self, audio: Float) -> tuple[Complex, Complex]:
        """Return the stream's frames and the ear's of a whole signal (samples,).

        The stream's first frame is centred on the first sample.
        """
        half, hop = self.stream.n_fft // 2, self.stream.hop_length
        after = (self.stream.frames_for(len(audio)) - 1) * hop + half - len(audio)
        padded = np.pad(audio, (half, max(after, 0)))
        stream = self.stream.stft(padded)
        if not self.with_past:
            return stream, stream
        longer = np.pad(padded, (self.grid.n_fft - self.stream.n_fft, 0))
        frames = np.lib.stride_tricks.sliding_window_view(longer, self.grid.n_fft)[::hop]
        return stream, cast(Complex, scipy.fft.rfft(frames * self.window, axis=-1))

    def hear(self, spectra: Complex, autocorrelation: Float, level: Float) -> Float:
        """Return what the network hears (frames, FEATURES), each about from -1 to 1, of the ear's frames."""
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
        steps = reach * _STEPS
        candidates = pitch[:, None] * 2.0 ** (steps / 1200)
        lag = self.grid.sample_rate / candidates * _FINE
        longest = _LONGEST * self.grid.n_fft * _FINE
        most = np.clip(np.floor(longest / lag[:, :1]), 1, 12)
        total = np.zeros(candidates.shape, np.float32)
        # Long lags tell the pitch more exactly, and have less of the frame in them.
        even = autocorrelation * self._evening
        for multiple in range(1, int(most.max()) + 1):
            here = self._at(even, np.minimum(lag * multiple, self._fade.size - 2))
            total += here if len(here) == 1 else np.where(multiple <= most, here, 0.0)
        best = np.clip(total.argmax(axis=1), 1, len(steps) - 2)
        rows = np.arange(len(total))
        left, middle, right = (total[rows, best + shift] for shift in (-1, 0, 1))
        bend = left - 2 * middle + right
        shift = np.where(bend < -1e-9, 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)
        cents = steps[best] + np.clip(shift, -1, 1) * (steps[1] - steps[0])
        return cast(Float, (pitch * 2.0 ** (cents / 1200)).astype(np.float32))

    def clarity(self, autocorrelation: Float, pitch: Float) -> Float:
        """Return how well frames repeat at a pitch (frames,): about 1 for one harmonic sound, about 0 for noise.

        Parameters
        ----------
        autocorrelation : float32 (frames, lags)
        pitch : float32 (frames,)
            In Hz.
        """
        lag = np.minimum(self.grid.sample_rate / pitch * _FINE, self._fade.size - 2)[:, None]
        faded = np.maximum(np.interp(lag, np.arange(self._fade.size), self._fade), 0.05)
        return cast(Float, (self._at(autocorrelation, lag) / faded)[:, 0].astype(np.float32))

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


class Past:
    """The ear's frames of a stream, of which only the stream's own frames are known, one after the other.

    Parameters
    ----------
    hearing : Hearing
        With the past.
    """

    def __init__(self, hearing: Hearing) -> None:
        stream = hearing.stream
        self._size, self._hop = stream.n_fft, stream.hop_length
        window = stream.window()
        weight = np.zeros(hearing.grid.n_fft, np.float64)
        for back in range(0, len(weight) + self._size, self._hop):
            end = len(weight) - back
            begin = end - self._size
            if end > 0:
                weight[max(begin, 0) : end] += window[max(-begin, 0) :]
        # What the frames' own windows have made of a sample is taken back, and the ear's window laid on.
        self._gain = (hearing.window / np.maximum(weight, 1e-9)).astype(np.float32)
        self.reset()

    def reset(self) -> None:
        """Before the stream there was silence."""
        self._sum = np.zeros(len(self._gain), np.float32)

    def next(self, spectrum: Complex) -> Complex:
        """Return the ear's frame (bins,) that ends with the stream's next (bins,)."""
        self._sum[: -self._hop] = self._sum[self._hop :].copy()
        self._sum[-self._hop :] = 0.0
        self._sum[-self._size :] += scipy.fft.irfft(spectrum, self._size)
        return cast(Complex, scipy.fft.rfft(self._sum * self._gain))


def _leaning(size: int) -> Float:
    """Return a window of twice the size that rises through three quarters of its length, and falls in one."""
    rise = np.arange(3 * size // 2) / (3 * size // 2)
    fall = 1.0 - np.arange(2 * size - len(rise)) / (2 * size - len(rise))
    return cast(Float, (np.sin(0.5 * np.pi * np.concatenate([rise, fall])) ** 2).astype(np.float32))


def _filters(grid: FrameGrid) -> Float:
    """Return triangles (bins, points) around the points of the spectrum, as wide as these are apart or two bins."""
    frequency = np.arange(grid.bins)[:, None] * grid.bin_hz
    width = np.maximum(np.gradient(SPECTRUM_HZ), grid.bin_hz)
    weight = np.maximum(1.0 - np.abs(frequency - SPECTRUM_HZ) / width, 0.0)
    return cast(Float, (weight / np.maximum(weight.sum(axis=0), 1e-6)).astype(np.float32))
