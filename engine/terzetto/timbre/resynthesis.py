"""A frame put together of partials on the input's pitch, of noise, and where no single pitch is heard, of the input.

Conventions: a frame's spectrum is complex64 (bins,), as that of a Hann-windowed frame.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.timbre.loudness import Loudness
from terzetto.timbre.partials import BAND_HZ, PARTIALS, Partials, band_density
from terzetto.timbre.xsynth_model import Wanted

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

_HIGHEST = 16_000.0  # Hz: partials above are left out
_LOCK = 10 ** (-30 / 10)  # power of a partial, of the strongest's, at which its phase counts half
_NO_ODD = -24.0  # dB of the odd partials, of the even ones: there are none
_SURE, _UNSURE = 0.7, 0.3  # how harmonic a frame must be to be played by partials alone, and not at all
# How well a frame must repeat at its pitch for the same: frames of noise lie below, of notes one in twenty.
_CLEAR, _UNCLEAR = 0.45, 0.25
_OCTAVE = np.hanning(9)[1:-1] / np.hanning(9).sum()
_BOOST, _CUT = 30.0, -60.0  # dB that the envelope of the input itself is moved at most
_BLOCKS = 32  # of a window: how finely a frame's course in time is seen
_SUDDEN, _STEADY = 9.0, 4.0  # dB between courses: followed wholly, not at all
_LOUDER = 20.0  # dB that the method's own loudness may differ from the input's
_FAINT = -65.0  # dB below which there is no loudness but the input's


class Resynthesis:
    """Puts frames of one stream together.

    Parameters
    ----------
    grid : FrameGrid
    loudness : Loudness
        On that grid.
    """

    def __init__(self, grid: FrameGrid, loudness: Loudness) -> None:
        self.grid, self._loudness = grid, loudness
        self._partials = Partials(grid)
        frequency = np.maximum(np.arange(grid.bins) * grid.bin_hz, BAND_HZ[0])
        place = np.interp(np.log(frequency), np.log(BAND_HZ), np.arange(len(BAND_HZ)))
        self._below = np.minimum(place.astype(np.int64), len(BAND_HZ) - 2)
        self._share = (place - self._below).astype(np.float32)
        self._turn = 2 * np.pi * grid.hop_length / grid.sample_rate
        self._window = grid.window()
        self._number = np.arange(1, PARTIALS + 1)
        self.reset()

    def reset(self) -> None:
        """Begin a stream: its noise is always the same."""
        self._random = np.random.default_rng(0)
        self._noise = self._random.standard_normal(self.grid.n_fft, dtype=np.float32)
        self._phase = np.exp(2j * np.pi * self._random.random(PARTIALS)).astype(np.complex64)
        self._pitch = 0.0

    def frame(
        self, heard: Complex, wanted: Wanted, pitch: float, clarity: float, level: float, follow: float
    ) -> Complex:
        """Return the next frame.

        Parameters
        ----------
        heard : complex64 (bins,)
            The input's.
        wanted : Wanted
            What the network wants in its place.
        pitch : float
            The input's fundamental in Hz, where it has one.
        clarity : float
            How well the frame repeats at that pitch, see `Hearing.clarity`: noises that the network takes for a tone
            are found out by it.
        level : float
            The input's, in dB.
        follow : float
            1: it comes out as loud as it went in; 0: as loud as the target would be.
        """
        noise = self._next_noise()
        pitched = min(float(wanted.pitch.sum()), 1.0)
        sure, clear = _risen(wanted.harmonic, _UNSURE, _SURE), _risen(clarity, _UNCLEAR, _CLEAR)
        one = sure * clear
        made = np.zeros(self.grid.bins, np.complex64)
        if one > 0.0:
            if pitched > 0.05:
                made += np.float32(one * pitched) * self._harmonic(heard, wanted.partials + level, pitch)
            made += np.float32(one) * noise * self._gains(wanted.noise + level + self._noise_db())
        if pitched <= 0.05 or one == 0.0:
            self._pitch = 0.0
        if one < 1.0:
            power = (heard.real**2 + heard.imag**2)[None]
            there = band_density(power, self.grid)[0] - level
            # What only seemed to have a pitch is noise, and takes the colour of the target's noise.
            for share, bands in ((1.0 - sure, _broad(wanted.bands)), (sure - one, wanted.noise)):
                if share > 0.0:
                    made += np.float32(share) * heard * self._gains(np.clip(bands - there, _CUT, _BOOST))
        made = self._in_time(heard, made)
        return made * self._gain(heard, made, wanted.level, level, follow)

    def _harmonic(self, heard: Complex, levels: Float, pitch: float) -> Complex:
        """Return partials at multiples of the pitch, in phase with the input's where it has some."""
        count = int(min(PARTIALS, min(_HIGHEST, 0.49 * self.grid.sample_rate) / pitch))
        here = slice(0, max(count, 1))
        where = self._partials.at(self._number[here] * pitch)
        if self._pitch > 0.0:
            mean = 0.5 * (self._pitch + pitch)
            self._phase *= np.exp(1j * self._turn * mean * self._number).astype(np.complex64)
        found = self._partials.read(heard, where)
        strength = np.abs(found)
        power = (strength / max(float(strength.max()), 1e-20)) ** 2
        lock = (power / (power + _LOCK)).astype(np.float32)
        turned = self._phase[here] * (1 - lock) + found / np.maximum(strength, 1e-20) * lock
        self._phase[here] = turned / np.maximum(np.abs(turned), 1e-6)
        self._pitch = pitch
        amplitude = 10.0 ** (levels[here] / 20)
        amplitude[::2] *= _odd_share(strength)
        return self._partials.write(where, (amplitude * self._phase[here]).astype(np.complex64))

    def _next_noise(self) -> Complex:
        """Return the spectrum of the next frame of white noise, whose samples have a variance of 1."""
        hop = self.grid.hop_length
        self._noise[:-hop] = self._noise[hop:].copy()
        self._noise[-hop:] = self._random.standard_normal(hop, dtype=np.float32)
        return cast(Complex, scipy.fft.rfft(self._noise * self._window))

    def _noise_db(self) -> float:
        """Return by how much white noise of a density of 1 a Hz is louder than one of a variance of 1."""
        return float(10 * np.log10(self.grid.sample_rate / 2))

    def _gains(self, bands: Float) -> Float:
        """Return factors (bins,) for levels in bands, in dB."""
        low = bands[self._below]
        level = low + self._share * (bands[self._below + 1] - low)
        return cast(Float, (10.0 ** (level / 20)).astype(np.float32))

    def _in_time(self, heard: Complex, made: Complex) -> Complex:
        """Return a frame that swells and fades within its window as the input does: attacks stay as sharp."""
        size = self.grid.n_fft
        samples = scipy.fft.irfft(np.stack([heard, made]), size, axis=-1).astype(np.float32)
        block = -(-size // _BLOCKS)
        squares = np.zeros((2, _BLOCKS * block), np.float32)
        squares[:, :size] = samples**2
        power = squares.reshape(2, _BLOCKS, block).sum(axis=2)
        smooth = np.stack([np.convolve(each, _SMOOTH, "same") for each in power])
        smooth /= np.maximum(smooth.sum(axis=1, keepdims=True), 1e-20)
        smooth += 1e-4 / _BLOCKS
        course = 5 * np.log10(smooth[0] / smooth[1])
        # How different the courses are, where the window lets it be heard.
        difference = 2 * float(np.sqrt(np.sum(_HEARD * course**2)))
        share = min(max((difference - _STEADY) / (_SUDDEN - _STEADY), 0.0), 1.0)
        if share == 0.0:
            return made
        place = (np.arange(size) + 0.5) / block - 0.5
        gain = 10.0 ** (share * np.clip(np.interp(place, np.arange(_BLOCKS), course), -40, 12) / 10)
        return cast(Complex, scipy.fft.rfft((samples[1] * gain).astype(np.float32)))

    def _gain(self, heard: Complex, made: Complex, own: float, level: float, follow: float) -> np.float32:
        gain = self._loudness.gain(heard[None], made[None])
        if follow < 1.0:
            away = min(max(own - level, -_LOUDER), _LOUDER) * min(max((level - _FAINT) / 20.0, 0.0), 1.0)
            gain *= np.float32(10 ** ((1.0 - follow) * away / 20))
        return np.float32(gain)


def _broad(bands: Float) -> Float:
    """Return levels in bands, smoothed over most of an octave: no note of a chord falls between another's partials."""
    power = 10.0 ** (bands / 10)
    padded = np.pad(power, len(_OCTAVE) // 2, mode="edge")
    return cast(Float, (10 * np.log10(np.convolve(padded, _OCTAVE, "valid"))).astype(np.float32))


def _risen(value: float, nothing: float, everything: float) -> float:
    return min(max((value - nothing) / (everything - nothing), 0.0), 1.0)


def _odd_share(strength: Float) -> float:
    """Return 0 where the input has even partials alone, as where it is heard an octave too low; else 1."""
    odd, even = float(np.sum(strength[:8:2] ** 2)), float(np.sum(strength[1:8:2] ** 2))
    ratio = 10 * np.log10(max(odd, 1e-20) / max(even, 1e-20))
    return float(min(max((ratio - _NO_ODD) / 6.0, 0.0), 1.0))


_SMOOTH = np.hanning(9)[1:-1] / np.hanning(9)[1:-1].sum()
_HEARD = np.hanning(_BLOCKS + 2)[1:-1] ** 2 / np.sum(np.hanning(_BLOCKS + 2)[1:-1] ** 2)
