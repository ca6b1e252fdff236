"""Strokes that nobody recorded, made of those somebody did: tuned, damped, filtered, in a room, driven, noisy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto_export.drum_sounds.one_shots import SAMPLE_RATE

LONGEST = round(1.15 * SAMPLE_RATE)
"""Samples of a sound that are varied: the classifiers hear one second."""


def varied(audio: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return another sound of the same class, mono 44.1 kHz.

    Speed by up to 7 semitones; a third of the sounds damped, a fifth lengthened; up to three peaking filters of up to
    9 dB, sometimes a low pass; a third in a room; some driven into saturation or with noise under them.
    """
    import scipy.signal
    import soxr

    sound = soxr.resample(audio[:LONGEST], SAMPLE_RATE, SAMPLE_RATE * 2.0 ** random.uniform(-0.6, 0.6))
    sound = np.asarray(sound, np.float64)
    choice = random.random()
    if choice < 0.4:
        sound *= np.exp(-random.uniform(0, 12) * np.arange(len(sound)) / SAMPLE_RATE)
    elif choice < 0.6:
        envelope = np.maximum(scipy.signal.lfilter([0.002], [1, -0.998], np.abs(sound)), 1e-4)
        sound *= (envelope / envelope.max()) ** -random.uniform(0, 0.35)
    for _ in range(random.integers(0, 4)):
        sound = _peaking(sound, _log_uniform(random, 60, 14_000), random.uniform(-9, 9), random.uniform(0.5, 2))
    if random.random() < 0.3:
        sound = scipy.signal.lfilter(*_low_pass(_log_uniform(random, 4000, 16_000)), sound)
    if random.random() < 0.35:
        sound = _in_a_room(sound, random)
    peak = float(np.abs(sound).max())
    if random.random() < 0.2:
        sound = np.tanh(sound / peak * random.uniform(1, 5))
    if random.random() < 0.3:
        sound = sound + random.standard_normal(len(sound)) * np.abs(sound).max() * 10 ** (random.uniform(-80, -45) / 20)
    return np.asarray(sound, np.float32)


def _log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _low_pass(frequency: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import scipy.signal

    numerator, denominator = scipy.signal.butter(1, frequency / (SAMPLE_RATE / 2))
    return numerator, denominator


def _peaking(sound: NDArray[np.float64], frequency: float, gain_db: float, q: float) -> NDArray[np.float64]:
    """Return a sound through a peaking filter (Bristow-Johnson's audio EQ cookbook)."""
    import scipy.signal

    amplitude, angle = 10 ** (gain_db / 40), 2 * np.pi * frequency / SAMPLE_RATE
    alpha = np.sin(angle) / (2 * q)
    numerator = [1 + alpha * amplitude, -2 * np.cos(angle), 1 - alpha * amplitude]
    denominator = [1 + alpha / amplitude, -2 * np.cos(angle), 1 - alpha / amplitude]
    return np.asarray(scipy.signal.lfilter(numerator, denominator, sound))


def _in_a_room(sound: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Add a tail of dying noise, 50 to 500 ms long."""
    import scipy.signal

    length = round(SAMPLE_RATE * random.uniform(0.05, 0.5))
    room = random.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    room = scipy.signal.lfilter(*_low_pass(_log_uniform(random, 1500, 12_000)), room)
    room *= random.uniform(0.05, 0.5) / np.sqrt(np.sum(room**2))
    wet = scipy.signal.fftconvolve(sound, room)
    wet[: len(sound)] += sound
    return np.asarray(wet)
