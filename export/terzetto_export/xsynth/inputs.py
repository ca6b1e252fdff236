"""Sounds to go in while training: pitch and loudness are the target's, everything else is drawn at random.

The network sees each target played by an endless choir of other sounds, plucked and blown, dull and bright, noisy and
clean, so it learns to hear pitch and loudness and to make up the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from terzetto.timbre.partials import PARTIALS

Float = NDArray[np.float32]
Random = np.random.Generator

_TABLE = 2048


@dataclass(frozen=True)
class Gesture:
    """What is played: per sample the fundamental in Hz (0: none) and the root mean square; where notes begin."""

    pitch: NDArray[np.float64]
    envelope: Float
    onsets: tuple[int, ...]


def play(gesture: Gesture, sample_rate: float, random: Random) -> Float:
    """Return a gesture as some random instrument plays it, float32 (samples,)."""
    voiced = gesture.pitch[gesture.pitch > 0]
    mean = float(np.median(voiced)) if voiced.size else 220.0
    highest = float(voiced.max()) if voiced.size else 220.0
    count = int(np.clip(0.45 * sample_rate / highest, 1, PARTIALS))
    phase = np.cumsum(gesture.pitch / sample_rate) + random.random()
    bright = _amplitudes(count, mean, random)
    if random.random() < 0.15:
        sound = _additive(phase, bright[: min(count, 24)], random)
    else:
        dark = bright * 10 ** (-random.uniform(0, 9) * np.log2(np.arange(1, count + 1)) / 20)
        share = _since(gesture, random.uniform(0.05, 1.0) * sample_rate)
        sound = _wavetable(phase, bright, random) * share + _wavetable(phase, dark, random) * (1.0 - share)
    sound *= gesture.pitch > 0
    envelope = gesture.envelope.astype(np.float64)
    if random.random() < 0.25:  # plucked or struck: it dies away
        envelope = envelope * (0.003 + _since(gesture, np.exp(random.uniform(np.log(0.15), np.log(2.0))) * sample_rate))
    breath = _noise(len(phase), random) * 10 ** (random.uniform(-60, -14) / 20)
    sound = (sound + breath) * envelope
    if random.random() < 0.3:
        sound += _clicks(gesture, len(phase), sample_rate, random)
    if random.random() < 0.35:
        sound = _in_a_room(sound, sample_rate, random)
    sound += _noise(len(phase), random) * 10 ** (random.uniform(-100, -62) / 20)
    return (sound * 10 ** (random.normal(0, 1.5) / 20)).astype(np.float32)


def play_noise(envelope: Float, random: Random) -> Float:
    """Return coloured noise with an envelope, float32 (samples,)."""
    return (_noise(len(envelope), random) * envelope).astype(np.float32)


def _amplitudes(count: int, mean: float, random: Random) -> NDArray[np.float64]:
    """Return the partials' amplitudes of a random timbre, whose root mean square is 1."""
    number = np.arange(1, count + 1)
    level = -random.uniform(1.0, 14.0) * np.log2(number) + random.normal(0, random.uniform(0, 9), count)
    for _ in range(random.integers(0, 4)):
        centre, width = np.exp(random.uniform(np.log(250), np.log(5000))), random.uniform(0.15, 0.7)
        level += random.uniform(-12, 24) * np.exp(-0.5 * (np.log2(number * mean / centre) / width) ** 2)
    kind = random.random()
    if kind < 0.15:
        level[1::2] -= random.uniform(10, 40)
    elif kind < 0.27:
        level[: random.integers(1, 3)] -= random.uniform(8, 40)
    elif kind < 0.38:
        level[random.integers(1, 4) :] -= random.uniform(20, 70)
    amplitude = 10 ** (level / 20)
    return np.asarray(amplitude / np.sqrt(0.5 * np.sum(amplitude**2)))


def _wavetable(phase: NDArray[np.float64], amplitude: NDArray[np.float64], random: Random) -> NDArray[np.float64]:
    spectrum = np.zeros(_TABLE // 2 + 1, np.complex128)
    turn = random.choice([0.0, 1.0, 1.0]) * random.uniform(0, 2 * np.pi, len(amplitude))
    spectrum[1 : len(amplitude) + 1] = amplitude * np.exp(1j * turn) * _TABLE / 2
    table = np.fft.irfft(spectrum)
    place = (phase % 1.0) * _TABLE
    below = place.astype(np.int64)
    ahead = (below + 1) % _TABLE
    below %= _TABLE
    return np.asarray(table[below] + (place - np.floor(place)) * (table[ahead] - table[below]))


def _additive(phase: NDArray[np.float64], amplitude: NDArray[np.float64], random: Random) -> NDArray[np.float64]:
    """Return a sum of sines, stretched like a stiff string's."""
    stiffness = np.exp(random.uniform(np.log(5e-6), np.log(4e-4)))
    number = np.arange(1, len(amplitude) + 1)
    stretched = number * np.sqrt((1 + stiffness * number**2) / (1 + stiffness))
    sound = np.zeros(len(phase))
    for value, factor in zip(amplitude, stretched, strict=True):
        sound += value * np.sin(2 * np.pi * (factor * phase + random.random()))
    return sound


def _since(gesture: Gesture, fade: float) -> NDArray[np.float64]:
    """Return what falls from 1 at each onset by a factor of e in ``fade`` samples."""
    place = np.arange(len(gesture.pitch))
    onsets = np.array((0, *gesture.onsets))
    last = onsets[np.searchsorted(onsets, place, side="right") - 1]
    return np.asarray(np.exp(-(place - last) / fade))


def _noise(length: int, random: Random) -> NDArray[np.float64]:
    """Return noise of a random colour whose root mean square is 1."""
    white = random.standard_normal(length, dtype=np.float32)
    pole, zero = random.uniform(-0.5, 0.98), random.uniform(-0.9, 0.9)
    sound = scipy.signal.lfilter([1.0, -zero], [1.0, -pole], white)
    return np.asarray(sound / (np.sqrt(np.mean(sound**2)) + 1e-9))


def _clicks(gesture: Gesture, length: int, sample_rate: float, random: Random) -> NDArray[np.float64]:
    """Return a short noise at each onset."""
    size = int(random.uniform(0.004, 0.04) * sample_rate)
    level = 10 ** (random.uniform(-20, 2) / 20)
    sound = np.zeros(length)
    for onset in gesture.onsets:
        here = slice(onset, min(onset + size, length))
        n = here.stop - here.start
        if n > 8:
            peak = gesture.envelope[here.start : min(here.start + 8 * size, length)].max()
            sound[here] += _noise(n, random) * np.exp(-6 * np.arange(n) / size) * level * peak
    return sound


def _in_a_room(sound: NDArray[np.float64], sample_rate: float, random: Random) -> NDArray[np.float64]:
    """Return a sound with a room's tail."""
    length = int(random.uniform(0.15, 0.9) * sample_rate)
    tail = random.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail = scipy.signal.lfilter([0.4], [1.0, -0.6], tail)
    tail *= 10 ** (random.uniform(-22, -5) / 20) / np.sqrt(np.sum(tail**2))
    return np.asarray(sound + scipy.signal.fftconvolve(sound, tail)[: len(sound)])
