"""Pianos that do not exist: struck strings whose partials, hammers and rooms are drawn by chance.

Recorded pianos are few. A model that also heard hundreds of made-up ones cannot lean on what those few have in common.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.pitch_spectra import SAMPLE_RATE
from terzetto.evaluate.transcription import sounding_ends
from terzetto.score.notes import Score

Float = NDArray[np.float32]
_PARTIALS = 24


class RandomPiano:
    """One piano: its tuning, inharmonicity, brightness, decays, and how evenly it is made."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._tuning = random.uniform(-30, 30)
        self._stiffness = np.exp(random.uniform(np.log(1e-4), np.log(8e-4)))
        self._slope = random.uniform(0.5, 1.6)
        self._touch = random.uniform(0.3, 1.2)  # how much brighter a louder note is
        self._hammer = random.uniform(0.05, 0.35)  # where on the string
        self._decay = random.uniform(0.25, 0.9)
        self._knock = random.uniform(0.0, 0.25)
        self._attack = random.uniform(0.001, 0.008)
        self._damper = random.uniform(8.0, 35.0)
        self._body = np.cumsum(random.normal(0, 0.35, 64))
        self._body -= np.linspace(self._body[0], self._body[-1], 64)
        self._uneven = random.uniform(0.05, 0.5)
        self._by_key = {
            pitch: (random.normal(0, 3.0), random.normal(0, self._uneven, _PARTIALS)) for pitch in range(21, 109)
        }

    def play(self, score: Score) -> Float:
        """Return a performance in mono, at 22,050 Hz."""
        end = sounding_ends(score)
        audio = np.zeros(round((float(end.max()) + 1.0) * SAMPLE_RATE), np.float32)
        for onset, stop, pitch, velocity in zip(score.onset, end, score.pitch, score.velocity, strict=True):
            sound = self.note(int(pitch), stop - onset, velocity)
            room = audio[round(onset * SAMPLE_RATE) :][: len(sound)]
            room += sound[: len(room)]
        return audio

    def note(self, pitch: int, seconds: float, velocity: float) -> Float:
        """Return one note with its damping."""
        random = self._random
        cents, uneven = self._by_key[pitch]
        fundamental = 440.0 * 2.0 ** ((pitch - 69) / 12 + (self._tuning + cents) / 1200)
        stiffness = self._stiffness * 2.0 ** (abs(pitch - 50) / 14 - 1)
        life = self._decay * 2.0 ** ((pitch - 60) / 18)
        time = (np.arange(round((min(seconds, 6.0 / life + 0.2) + 0.3) * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)
        number = np.arange(1, _PARTIALS + 1)
        frequency = number * fundamental * np.sqrt(1 + stiffness * number**2)
        frequency = frequency[frequency < 0.46 * SAMPLE_RATE]
        number, uneven = number[: len(frequency)], uneven[: len(frequency)]
        slope = self._slope + self._touch * (1.0 - velocity) + max(pitch - 60, 0) / 40
        level = number**-slope * np.maximum(np.abs(np.sin(np.pi * number * self._hammer)), 0.08) * np.exp(uneven)
        level *= np.exp(np.interp(np.log2(frequency / 27.5), np.linspace(0, 9, 64), self._body))
        if pitch < 40:
            level[0] *= 2.0 ** ((pitch - 40) / 6)  # the soundboard hardly radiates so low
        strong = level > 1e-3 * level.max()
        sound = np.zeros(len(time), np.float32)
        for hertz, strength, order in zip(frequency[strong], level[strong], number[strong], strict=True):
            rate = life * (1 + 0.35 * order) * random.uniform(0.8, 1.25)
            fade = 0.7 * np.exp(-3.0 * rate * time) + 0.3 * np.exp(-rate * time)
            phase = random.uniform(0, 2 * np.pi)
            sound += np.float32(strength) * fade * np.sin(np.float32(2 * np.pi * hertz) * time + np.float32(phase))
        sound /= max(float(np.sqrt(np.sum(level**2))), 1e-9)
        strike = random.normal(0, 1, min(len(time), 2200)).astype(np.float32)
        knock = np.convolve(strike, np.ones(6, np.float32) / 6, "same") * np.exp(-time[: len(strike)] * 90)
        sound[: len(knock)] += np.float32(self._knock * (0.5 + velocity)) * knock
        sound *= np.minimum(time / self._attack, 1.0) * np.exp(-self._damper * np.maximum(time - seconds, 0.0))
        return np.asarray(0.25 * velocity**1.7 * sound, np.float32)
