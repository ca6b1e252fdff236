"""What the judge of drum sounds hears: where the energy lies, at which pitch, how it sets in, and how it dies away.

Drums that a spectrum of 23 ms frames does not tell apart differ in the pitch of their lowest mode and where it moves
(kick, tom), in the bursts of their first 50 ms (clap, snare), in how long they ring and how tonal that is (cymbal, open
hat, closed hat). So there is a part for each, besides the levels of bands in windows of time.
"""

from __future__ import annotations

import functools
from itertools import pairwise

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from terzetto.analysis.drum_spectra import BANDS, HOP_LENGTH, N_FFT, SAMPLE_RATE, from_onset, mel_filters
from terzetto.audio.spectra import FrameGrid

Float = NDArray[np.float32]
Double = NDArray[np.float64]

FRAMES = 151
"""1.5 s."""
SAMPLES = (FRAMES - 1) * HOP_LENGTH
EDGES = (0, 1, 2, 4, 7, 12, 20, 35, 60, 101, FRAMES)
"""Of the windows in time, in frames of 10 ms: finer where a stroke begins."""
RANGES = ((0, 10), (10, 25), (25, 45), (45, BANDS))
DEEPEST = 70.0
DECAYS, BAND_DECAYS = (6, 10, 20, 30, 40, 50, 60), (10, 20, 35, 50)
SLOPES = ((3, 15), (15, 50), (50, 140))
"""Frames between which the fall in dB a second is measured."""
CENTROIDS_AT = (0, 2, 5, 15, 40, 80)
LOW_RATE, LOW_EDGES = 2000, (0.0, 0.01, 0.02, 0.04, 0.07, 0.11, 0.17, 0.26, 0.40)
"""Below 350 Hz a sound is followed as one moving sine, at 2 kHz; its windows in seconds."""
SIXTHS = 30.0 * 2.0 ** (np.arange(31) / 6)
"""Edges of bands of a sixth of an octave, 30 to 960 Hz."""
ATTACK, BURST = 4096, 128
"""Samples of the onset, and of a step in it (2.9 ms)."""
CROSSOVER = (300.0, 3000.0)
TONAL = ((441, 4096), (4096, 8192))
"""Where windows begin in which tones are told from noise, and their sizes, in samples."""
OCTAVES = (200.0, 800.0, 3000.0, 8000.0, 16_000.0)


def judged(audio: NDArray[np.floating]) -> Float:
    """Return the features of a sound, float32 (SIZE,).

    Levels of 32 bands in 10 windows of time and on the whole, in dB below the loudest; for how many frames the sound
    and four ranges of it stay within some dB of their loudest (logarithms), and how fast they fall; centroids; level
    and frequency of what is below 350 Hz, window by window, and its spectrum in sixths of an octave; the envelopes of
    three ranges in steps of 3 ms over the first 93 ms; how tonal four ranges are.

    Parameters
    ----------
    audio
        Mono (frames,), 44.1 kHz. Raises as `terzetto.analysis.drum_spectra.from_onset`.
    """
    sound = np.zeros(SAMPLES)
    heard = from_onset(audio)[:SAMPLES]
    sound[: len(heard)] = heard
    spectrum = scipy.fft.rfft(sound)
    return np.concatenate([_bands(sound), _low(sound, spectrum), _attack(sound), _tonal(sound)]).astype(np.float32)


def _bands(sound: Double) -> Double:
    padded = np.pad(sound.astype(np.float32), (N_FFT // 2, N_FFT // 2))
    power = (
        np.abs(FrameGrid(SAMPLE_RATE, N_FFT, HOP_LENGTH).stft(padded)).astype(np.float64) ** 2 @ mel_filters() + 1e-9
    )
    pairs = power.reshape(FRAMES, BANDS // 2, 2).mean(axis=2)
    windows = np.stack([pairs[a:b].mean(axis=0) for a, b in pairwise(EDGES)])
    whole, band = power.sum(axis=0), np.arange(BANDS)
    shape = _decibels(whole, DEEPEST)
    centroid = float(whole @ band / whole.sum())
    spread = float(np.sqrt(whole @ (band - centroid) ** 2 / whole.sum()))
    along = (power @ band / power.sum(axis=1))[list(CENTROIDS_AT)]
    colour = [centroid, spread, shape.mean(), shape.argmax(), np.abs(np.diff(shape)).mean()]
    parts = [_decibels(windows, DEEPEST).ravel(), shape[::2], np.array(colour), along]
    for first, last in ((0, BANDS), *RANGES):
        level = _decibels(power[:, first:last].sum(axis=1), DEEPEST)
        depths = DECAYS if last - first == BANDS else BAND_DECAYS
        parts.append(np.log1p([np.sum(level > -depth) for depth in depths]))
        parts.append(np.array([100.0 * (level[b] - level[a]) / (b - a) for a, b in SLOPES]))
    return np.concatenate(parts)


def _low(sound: Double, spectrum: NDArray[np.complex128]) -> Double:
    """Return how loud and how high what is below 350 Hz is, window by window, and its spectrum."""
    frequency = np.arange(len(spectrum)) * SAMPLE_RATE / SAMPLES
    passed = np.clip((frequency - 20.0) / 10.0, 0.0, 1.0) * np.clip((400.0 - frequency) / 100.0, 0.0, 1.0)
    points = SAMPLES * LOW_RATE // SAMPLE_RATE
    analytic = scipy.fft.ifft((2.0 * spectrum * passed)[: points // 2], points) * (points / SAMPLES)
    energy = np.abs(analytic) ** 2
    # From one sample to the next, weighted by the energy of both: where it beats, the louder partial counts.
    turn = analytic[1:] * analytic[:-1].conj()
    power = np.square(sound)
    levels, heights = [], []
    for a, b in pairwise(LOW_EDGES):
        window = slice(round(a * LOW_RATE), round(b * LOW_RATE))
        there = slice(round(a * SAMPLE_RATE), round(b * SAMPLE_RATE))
        levels += [energy[window].mean(), power[there].mean()]
        hertz = np.angle(turn[window].sum()) * LOW_RATE / (2 * np.pi)
        heights.append(np.log2(max(float(hertz), 20.0)))
    late = slice(round(0.04 * SAMPLE_RATE), round(0.4 * SAMPLE_RATE))
    ringing = scipy.fft.rfft(sound[late] * np.hanning(late.stop - late.start), SAMPLES)
    colours = [_decibels(_sixths() @ np.abs(each[: _sixths().shape[1]]) ** 2, 60.0) for each in (spectrum, ringing)]
    parts = (_decibels(np.array(levels), DEEPEST), np.array(heights), *colours)
    return np.concatenate([*parts, [float(np.argmax(each)) for each in colours]])


@functools.cache
def _sixths() -> Double:
    """Return what sums the bins of the whole sound's spectrum over bands of a sixth of an octave, (30, bins)."""
    bins = np.arange(int(SIXTHS[-1] * SAMPLES / SAMPLE_RATE) + 1) * SAMPLE_RATE / SAMPLES
    return np.array([(bins >= a) & (bins < b) for a, b in pairwise(SIXTHS)], np.float64)


def _attack(sound: Double) -> Double:
    """Return the envelopes of three ranges over the first 93 ms, and how much they rise again after 6 ms."""
    spectrum = scipy.fft.rfft(sound[:ATTACK], 2 * ATTACK)
    octave = np.log2(np.maximum(np.arange(len(spectrum)) * SAMPLE_RATE / (2 * ATTACK), 1.0))
    low, high = (np.clip(octave - np.log2(each) + 0.5, 0.0, 1.0) for each in CROSSOVER)
    parts = []
    for passed in (1.0 - low, low * (1.0 - high), high):
        there = scipy.fft.irfft(spectrum * passed)[:ATTACK]
        level = _decibels(np.square(there).reshape(-1, BURST).mean(axis=1), 40.0)
        parts += [level, np.array([np.maximum(np.diff(level[2:]), 0.0).sum(), level.argmax()])]
    return np.concatenate(parts)


def _tonal(sound: Double) -> Double:
    """Return flatness and crest of four ranges at the onset and after it: noise is flat, few partials stand out."""
    found = []
    for start, size in TONAL:
        power = np.abs(scipy.fft.rfft(sound[start : start + size] * np.hanning(size))) ** 2 + 1e-9
        for low, high in pairwise(OCTAVES):
            level = 10.0 * np.log10(power[int(low * size / SAMPLE_RATE) : int(high * size / SAMPLE_RATE)])
            mean = 10.0 * np.log10(np.mean(10.0 ** (level / 10.0)))
            found += [level.mean() - mean, level.max() - mean]
    return np.array(found)


def _decibels(power: Double, deepest: float) -> Double:
    """Return levels in dB below the loudest, and no lower than so deep."""
    level = 10.0 * np.log10(power + 1e-9)
    return np.asarray(np.maximum(level - level.max(), -deepest))


_OF_A_RANGE = len(BAND_DECAYS) + len(SLOPES)
SIZE = (
    (len(EDGES) - 1 + 1) * BANDS // 2
    + 5
    + len(CENTROIDS_AT)
    + len(DECAYS)
    + len(SLOPES)
    + len(RANGES) * _OF_A_RANGE
    + 3 * (len(LOW_EDGES) - 1)
    + 2 * len(SIXTHS)
    + 3 * (ATTACK // BURST + 2)
    + 4 * len(TONAL) * (len(OCTAVES) - 1) // 2
)
