"""A space of sounds that can be told apart: a decaying tone, its pitch and its length the two numbers of a point."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.drums.drum_map import CLASSES

Float = NDArray[np.float32]


class Tones:
    """``z`` is (kHz, seconds); the class is the number of partials."""

    sample_rate = 44100.0
    latent_size = 2
    pad_range = (0.0, 1.0)

    def encode(self, audio: Float, sample_rate: float, sound_class: str) -> Float:
        """Return the loudest frequency and the length."""
        magnitude = np.abs(np.fft.rfft(audio))
        return np.array([magnitude.argmax() * sample_rate / len(audio) / 1000, len(audio) / sample_rate], np.float32)

    def decode(self, z: ArrayLike, sound_class: str, seed: int = 0) -> Float:
        kilohertz, seconds = np.asarray(z, np.float64)
        time = np.arange(round(seconds * self.sample_rate)) / self.sample_rate
        partials = range(1, CLASSES.index(sound_class) + 2)
        tone = sum(np.sin(2000 * np.pi * kilohertz * time * each) / each for each in partials)
        return np.asarray(0.3 * tone * (1 - time / seconds), np.float32)

    def sample(self, sound_class: str, seed: int, spread: float = 0.5) -> Float:
        return np.array([0.2 + 0.1 * (seed % 10), 0.2 * spread], np.float32)

    def pad_latent(self, sound_class: str, x: float, y: float) -> Float:
        return np.array([0.2 + x, 0.05 + 0.1 * y], np.float32)

    def morph(self, a: ArrayLike, b: ArrayLike, amount: float) -> Float:
        return np.asarray((1 - amount) * np.asarray(a) + amount * np.asarray(b), np.float32)
