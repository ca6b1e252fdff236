"""A drum sound as numbers that can be learnt: its body, its noise and its partials; and the way there.

- The *body*, all below 300 Hz, is one sine whose amplitude and frequency move: what a kick, a tom or a snare's shell
  is. Both are read off the analytic signal.
- *Noise* and *partials* above are two maps that share 96 rows, evenly spaced in pitch from 200 Hz to 20 kHz (0.84
  semitones). The split is by how the phase moves: around a partial all bins of a spectrum have the partial's own
  instantaneous frequency, around a click each has its own, and in noise it is in between (Nelson: Cross-spectral
  methods for processing speech, JASA 2001; Auger, Flandrin: Improving the readability of time-frequency
  representations by the reassignment method, IEEE Trans. Signal Processing 1995).

All have 64 columns, which lie 2.9 ms apart at the onset and ever further later on, as drums change: fast first.
`terzetto.drums.sound_synthesis` goes the way back.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.optimize import brentq

Float = NDArray[np.float32]

SAMPLE_RATE = 44_100
HOP = 128
SECONDS = 1.5
"""The longest sound."""
FRAMES = int(SECONDS * SAMPLE_RATE)
SPECTRA = FRAMES // HOP + 1
ROWS, COLUMNS = 96, 64
LOWEST, HIGHEST = 200.0, 20_000.0
FLOOR = -80.0
"""dB; silence in the maps."""
FREQUENCIES = LOWEST * (HIGHEST / LOWEST) ** (np.arange(ROWS) / (ROWS - 1))
"""Hz, of the rows."""
# Windows, in samples, each up to a frequency in Hz: pitch has to be told apart below, time above.
WINDOWS = ((1024, 1650.0), (512, SAMPLE_RATE / 2))
# Hz: below the first all is body, above the second nothing.
_BODY = (220.0, 380.0)
BODY_PITCH = 100.0
_DECIMATION = 32
_LENGTH = 1 << 17  # of the transform that parts the body from the rest: the sound, and its mirror before it
# How fast the instantaneous frequency may change along the frequency axis within a partial, and where there is none.
_PARTIAL, _NOISE = 0.12, 0.34
_AROUND = 25  # spectra over which that is averaged: 73 ms


def _column_frames() -> NDArray[np.float64]:
    def last(rate: float) -> float:
        return float(np.expm1((COLUMNS - 1) * rate) / np.expm1(rate)) - (SPECTRA - 1)

    rate = brentq(last, 1e-3, 1.0)
    return np.asarray(np.expm1(np.arange(COLUMNS) * rate) / np.expm1(rate))


COLUMN_FRAMES = _column_frames()
"""Where the columns lie, in hops from the onset."""


@dataclass(frozen=True)
class SoundMaps:
    """What a sound is made of.

    Attributes
    ----------
    noise : float32 (96, 64)
        dB: power density, 0 dB being that of white noise of variance 1. At least -80.
    partials : float32 (96, 64)
        dB: amplitude of the partial there, 0 dB being a sine of amplitude 1. At least -80; its ridges are the partials.
    body : float32 (64,)
        dB: amplitude of the body. At least -80.
    pitch : float32 (64,)
        Of the body, in octaves above 100 Hz.
    seconds : float
        0..1.5
    """

    noise: Float
    partials: Float
    body: Float
    pitch: Float
    seconds: float


def trim(audio: Float, most: int = FRAMES) -> Float:
    """Return a sound from its onset on, with a peak of 0.95, without the silence behind it, at most so many samples.

    The onset is where it first comes within 40 dB of its peak; it is over where it stays more than 66 dB below.
    """
    size = np.abs(audio)
    peak = float(size.max(initial=0.0))
    if peak < 1e-6:
        return np.zeros(0, np.float32)
    first = int(np.argmax(size > 0.01 * peak))
    # The sign changes before the onset: the last one is where the sound starts from 0.
    before = audio[max(first - 64, 0) : first + 1]
    crossings = np.flatnonzero(np.diff(np.signbit(before)))
    first -= len(before) - 1 - int(crossings[-1] + 1) if len(crossings) else min(8, len(before) - 1)
    last = len(size) - int(np.argmax(size[::-1] > 0.0005 * peak))
    return np.asarray(audio[first : min(last, first + most)] * (0.95 / peak), np.float32)


def analyse(audio: Float) -> SoundMaps:
    """Return the maps of a sound.

    Parameters
    ----------
    audio
        float32 (frames,) at 44.1 kHz, from its onset on; what lies behind 1.5 s is left out.
    """
    audio = np.asarray(audio[:FRAMES], np.float32)
    seconds = len(audio) / SAMPLE_RATE
    columns = _to_columns()
    rest, body, pitch = _part(audio)
    noise, partials = [], []
    low = 0.0
    for size, high in WINDOWS:
        rows = FREQUENCIES[np.searchsorted(FREQUENCIES, low) : np.searchsorted(FREQUENCIES, high)]
        bins, to_rows = _bins(size, float(rows[0]), float(rows[-1]), len(rows))
        power, partial = _split(_frames(rest, size), size, bins)
        partials.append(_loudest(partial, to_rows) * np.float32(4 / _hann(size).sum() ** 2))
        share = np.maximum(power - partial, 0.0)
        noise.append((share @ _mean(to_rows)) / np.float32((_hann(size) ** 2).sum()))
        low = high
    maps = [_decibels((columns @ np.concatenate(part, axis=1)).T) for part in (noise, partials)]
    return SoundMaps(maps[0], maps[1], body, pitch, seconds)


def _part(audio: Float) -> tuple[Float, Float, Float]:
    """Return a sound without its body, and the body's level in dB and pitch in octaves, each (columns,)."""
    mirrored = np.zeros(_LENGTH)
    mirrored[: len(audio)] = audio
    mirrored[_LENGTH - len(audio) + 1 :] = -audio[:0:-1]
    spectrum = np.fft.rfft(mirrored)
    frequencies = np.arange(len(spectrum)) * SAMPLE_RATE / _LENGTH
    share = np.clip((_BODY[1] - frequencies) / (_BODY[1] - _BODY[0]), 0.0, 1.0)
    low = spectrum * (0.5 - 0.5 * np.cos(np.pi * share))
    rest = audio - np.fft.irfft(low, n=_LENGTH)[: len(audio)]
    count = _LENGTH // _DECIMATION
    one_sided = np.zeros(count, np.complex128)
    one_sided[: count // 2] = 2 * low[: count // 2] * np.clip(frequencies[: count // 2] / 20.0 - 0.5, 0.0, 1.0)
    analytic = np.fft.ifft(one_sided) / _DECIMATION
    each = HOP // _DECIMATION
    weights = _to_columns(each)
    now, following = analytic[: weights.shape[1]], analytic[1 : weights.shape[1] + 1]
    power = weights @ (np.abs(now) ** 2)
    # Where the body is faint its pitch is that of its neighbourhood.
    turn = weights @ (following * now.conj())
    near = np.exp(-0.5 * ((np.arange(COLUMNS)[:, None] - np.arange(COLUMNS)) / 0.5) ** 2) + 1e-7
    turn = near @ turn
    hertz = np.clip(np.angle(turn) * SAMPLE_RATE / _DECIMATION / (2 * np.pi), 20.0, _BODY[1])
    return rest.astype(np.float32), _decibels(power), np.log2(hertz / BODY_PITCH).astype(np.float32)


def _decibels(power: NDArray[np.floating]) -> Float:
    return np.asarray(np.maximum(10 * np.log10(np.maximum(power, 1e-12)), FLOOR), np.float32)


def _split(frames: Float, size: int, bins: NDArray[np.float64]) -> tuple[Float, Float]:
    """Return the power at frequencies in Hz, (spectra, bins), and how much of it is partials'."""
    plain, derived = _kernels(size, tuple(bins))
    spectrum, moved = frames @ plain, frames @ derived
    n = len(bins)
    real, imaginary = spectrum[:, :n], spectrum[:, n:]
    power = real**2 + imaginary**2 + np.float32(1e-12)
    # The instantaneous frequency's distance from the bin's, in Hz: -Im(X_d / X).
    offset = -(moved[:, n:] * real - moved[:, :n] * imaginary) / power * np.float32(SAMPLE_RATE / (2 * np.pi))
    slope = 1.0 + np.diff(offset, axis=1) / np.diff(bins).astype(np.float32)
    weight = np.sqrt(power[:, 1:] * power[:, :-1])
    unsteady = weight * np.minimum(np.abs(slope), 2.0)
    wide = max(round(1.5 * SAMPLE_RATE / size / float(np.mean(np.diff(bins)))), 1)
    for axis, length in ((0, _AROUND), (1, wide)):
        unsteady = uniform_filter1d(unsteady, length, axis=axis, mode="nearest")
        weight = uniform_filter1d(weight, length, axis=axis, mode="nearest")
    steady = np.clip((_NOISE - unsteady / weight) / (_NOISE - _PARTIAL), 0.0, 1.0)
    steady = 0.5 * (np.pad(steady, ((0, 0), (1, 0)), mode="edge") + np.pad(steady, ((0, 0), (0, 1)), mode="edge"))
    return power, (power * steady).astype(np.float32)


def _frames(audio: Float, size: int) -> Float:
    """Cut a sound into frames around every hop, (spectra, size); before the onset is its mirror, with the sign changed.

    A partial that starts at phase 0 goes on unbroken in the mirror, so that it is seen whole from the first frame on.
    """
    half = size // 2
    padded = np.zeros(half + (SPECTRA - 1) * HOP + half, np.float32)
    padded[half : half + len(audio)] = audio[: len(padded) - half]
    padded[:half] = -padded[half + 1 : size + 1][::-1] if len(padded) > size else 0.0
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::HOP]


@functools.cache
def _hann(size: int) -> NDArray[np.float64]:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size))


@functools.cache
def _kernels(size: int, bins: tuple[float, ...]) -> tuple[Float, Float]:
    """Return what gives frames' real and imaginary parts, (size, 2 bins): by the window, and by its derivative."""
    n = np.arange(size) - size // 2
    phase = 2 * np.pi * n[:, None] * np.asarray(bins)[None] / SAMPLE_RATE
    waves = np.concatenate([np.cos(phase), -np.sin(phase)], axis=1)
    derived = np.pi / size * np.sin(2 * np.pi * np.arange(size) / size)
    return (_hann(size)[:, None] * waves).astype(np.float32), (derived[:, None] * waves).astype(np.float32)


@functools.cache
def _bins(size: int, first: float, last: float, rows: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the frequencies to look at, and which of them each row has, (bins, rows); wide rows have many."""
    step = (last / first) ** (1 / max(rows - 1, 1))
    centres = first * step ** np.arange(rows)
    edges = first * step ** (np.arange(rows + 1) - 0.5)
    each = np.maximum(np.ceil(np.diff(edges) / (0.7 * SAMPLE_RATE / size)), 1).astype(int)
    bins: list[float] = []
    owner: list[int] = []
    for row, count in enumerate(each):
        inside = edges[row] + (np.arange(count) + 0.5) * (edges[row + 1] - edges[row]) / count
        bins.extend(inside if count > 1 else [centres[row]])
        owner.extend([row] * count)
    return np.asarray(bins), np.asarray(owner)[:, None] == np.arange(rows)


def _mean(to_rows: NDArray[np.bool_]) -> Float:
    return np.asarray(to_rows / to_rows.sum(axis=0), np.float32)


def _loudest(power: Float, to_rows: NDArray[np.bool_]) -> Float:
    starts = np.argmax(to_rows, axis=0)
    return np.asarray(np.maximum.reduceat(power, starts, axis=1), np.float32)


@functools.cache
def _to_columns(each: int = 1) -> Float:
    """Return the weights, in each column, of what comes ``each`` times a hop: triangles up to the neighbours."""
    before = np.append(COLUMN_FRAMES[0] - 1, COLUMN_FRAMES[:-1])[:, None]
    after = np.append(COLUMN_FRAMES[1:], 2 * COLUMN_FRAMES[-1] - COLUMN_FRAMES[-2])[:, None]
    at, now = COLUMN_FRAMES[:, None], np.arange((SPECTRA - 1) * each + 1)[None] / each
    weights = np.clip(np.minimum((now - before) / (at - before), (after - now) / (after - at)), 0.0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
