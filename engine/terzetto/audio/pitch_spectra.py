"""Spectra on a musical scale: three bins a semitone, seen through a long and a short window, in decibels.

This is what the transcription model hears. The long window tells the pitches of a chord apart, the short one when a key
was struck. A take of any rate is resampled, levelled and analysed piece by piece; the pieces share one grid of frames,
so how a take is cut changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from terzetto.audio.files import Take
from terzetto.audio.spectra import FrameGrid

Float = NDArray[np.float32]

SAMPLE_RATE = 22_050
HOP_LENGTH = 441
FRAME_RATE = SAMPLE_RATE / HOP_LENGTH
WINDOWS = (4096, 1024)
BINS_PER_SEMITONE = 3
LOWEST_PITCH, PITCHES = 21, 88
BINS = 300
# Decibels below full scale that become 0; full scale becomes 1.
FLOOR = 80.0
# Where loud passages are brought to, as RMS in decibels below full scale.
LEVEL = -20.0
_BLOCK = 1 << 18
_MOST_GAIN = 1e4


def bin_frequencies() -> NDArray[np.float64]:
    """Return the bins' frequencies in Hz: bin 3 n + 1 is that of MIDI pitch 21 + n."""
    semitones = (np.arange(BINS) - 1) / BINS_PER_SEMITONE
    return np.asarray(440.0 * 2.0 ** ((LOWEST_PITCH + semitones - 69) / 12))


@cache
def filterbank(n_fft: int) -> scipy.sparse.csr_array:
    """Return the matrix (BINS, n_fft // 2 + 1) from an FFT's magnitudes to the bins: triangles whose sum is 1.

    A triangle is as wide as two bins, or as two of the FFT's where these are wider.
    """
    spacing = SAMPLE_RATE / n_fft
    centre = bin_frequencies()[:, None]
    width = np.maximum(centre * (2.0 ** (1 / (12 * BINS_PER_SEMITONE)) - 1.0), spacing)
    weight = np.maximum(1.0 - np.abs(np.arange(n_fft // 2 + 1) * spacing - centre) / width, 0.0)
    return scipy.sparse.csr_array((weight / weight.sum(axis=1, keepdims=True)).astype(np.float32))


def pitch_spectra(samples: Float, first: int, last: int) -> Float:
    """Return the spectra (windows, frames, BINS) of the frames [first, last), between 0 (−80 dB) and 1, or above.

    Parameters
    ----------
    samples
        Of `frame_samples`: those that the frames cover, at 22,050 Hz, mono.
    first, last
        Frame i is centred on sample 441 · i.
    """
    start = frame_samples(first, last)[0]
    spectra = np.empty((len(WINDOWS), last - first, BINS), np.float32)
    for out, n_fft in zip(spectra, WINDOWS, strict=True):
        grid = FrameGrid(SAMPLE_RATE, n_fft, HOP_LENGTH)
        a, b = grid.sample_range(first, last)
        magnitude = np.abs(grid.stft(samples[a - start : b - start])) * np.float32(4.0 / n_fft)  # a sine's amplitude
        out[:] = (filterbank(n_fft) @ magnitude.T).T
    floor = 10.0 ** (-FLOOR / 20)
    return np.asarray(np.log10(np.maximum(spectra, floor)) * np.float32(20.0 / FLOOR) + 1, np.float32)


def frame_samples(first: int, last: int) -> tuple[int, int]:
    """Return the samples that the frames [first, last) cover; the start may be negative."""
    return FrameGrid(SAMPLE_RATE, max(WINDOWS), HOP_LENGTH).sample_range(first, last)


def frames_of(take: Take) -> int:
    """Return how many frames cover a take."""
    return 1 + int(take.frames / take.sample_rate * FRAME_RATE)


def level_gain(take: Take) -> float:
    """Return the factor that brings a take's loud passages to −20 dB: the 95th percentile of RMS over 0.1 s.

    0 if the take is silent throughout.
    """
    length = max(round(0.1 * take.sample_rate), 1)
    step = max(_BLOCK // length, 1) * length
    power = []
    for start in range(0, take.frames, step):
        mono = take.read(start, min(start + step, take.frames)).mean(axis=0)
        parts = np.split(mono, np.arange(length, len(mono), length))
        power += [float(np.mean(part.astype(np.float64) ** 2)) for part in parts]
    loud = float(np.sqrt(np.percentile(power, 95))) or float(np.sqrt(np.max(power)))
    return 0.0 if loud < 10.0 ** (LEVEL / 20) / _MOST_GAIN else 10.0 ** (LEVEL / 20) / loud


def resampled(take: Take) -> Iterator[Float]:
    """Yield a take in mono at 22,050 Hz, block by block."""
    if take.sample_rate == SAMPLE_RATE:
        for start in range(0, take.frames, _BLOCK):
            yield take.read(start, min(start + _BLOCK, take.frames)).mean(axis=0)
        return
    import soxr

    stream = soxr.ResampleStream(take.sample_rate, SAMPLE_RATE, 1, dtype="float32")
    for start in range(0, take.frames, _BLOCK):
        stop = min(start + _BLOCK, take.frames)
        yield stream.resample_chunk(take.read(start, stop).mean(axis=0), last=stop == take.frames)


def pieces(take: Take, frames: int, margin: int) -> Iterator[tuple[int, int, Float]]:
    """Yield a take's spectra piece by piece: (first frame, last frame, spectra with ``margin`` more on each side).

    Beyond its ends the take is silent.
    """
    total, gain = frames_of(take), np.float32(level_gain(take))
    source = resampled(take)
    held = np.zeros(0, np.float32)
    position = 0  # of the first sample held
    ended = False
    for first in range(0, total, frames):
        last = min(first + frames, total)
        start, stop = frame_samples(first - margin, last + margin)
        while position + len(held) < stop and not ended:
            block = next(source, None)
            ended = block is None
            held = held if block is None else np.concatenate([held, block * gain])
        keep = max(start - position, 0)
        held, position = held[keep:], position + keep
        inside = held[: max(stop - position, 0)]
        samples = np.zeros(stop - start, np.float32)
        samples[position - start : position - start + len(inside)] = inside
        yield first, last, pitch_spectra(samples, first - margin, last + margin)
