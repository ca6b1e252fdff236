"""Phrases put together of a target's sounds: what the network shall give out, at any pitch, gliding and shaken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.timbre.partials import BANDS, PARTIALS
from terzetto_export.xsynth.analysis import DENSITY_FLOOR, ENVELOPE_HOP, FLOOR, Sound
from terzetto_export.xsynth.inputs import Gesture

Float = NDArray[np.float32]
Random = np.random.Generator

LOWEST, HIGHEST = 31.0, 97.0
"""MIDI notes: the pitches that are taught, whatever the target's own range is."""
_SILENT = -120.0


@dataclass(frozen=True)
class Target:
    """An instrument: its sounds, and the MIDI note of each (0 for one without pitch)."""

    name: str
    sounds: Sequence[Sound]
    notes: NDArray[np.float64]

    @classmethod
    def of(cls, name: str, sounds: Sequence[Sound]) -> Target:
        """Return the target with these sounds."""
        return cls(name, sounds, np.array([_median(sound) for sound in sounds]))


@dataclass
class Phrase:
    """What is wanted, frame by frame, as in `Sound`; and the gesture that plays it."""

    pitch: Float
    level: Float
    partials: Float
    noise: Float
    bands: Float
    gesture: Gesture


def transposed(partials: Float, ratio: Float) -> Float:
    """Return partials (frames, n) of a sound that is moved by factors (frames,), its spectral envelope left in place.

    Odd and even partials keep an envelope each: what a closed pipe leaves out stays left out.
    """
    result = np.empty_like(partials)
    number = np.arange(1, partials.shape[1] + 1)
    for row, (values, factor) in enumerate(zip(partials, ratio, strict=True)):
        for parity in (0, 1):
            here = number[parity::2]
            # Below its lowest partial the envelope stays level; towards the top it falls on by 12 dB an octave.
            result[row, parity::2] = np.interp(np.log2(here * factor), np.log2(here), values[parity::2])
            beyond = np.maximum(np.log2(here * factor / here[-1]), 0.0)
            result[row, parity::2] -= 12.0 * beyond
    return np.maximum(result, FLOOR)


def draw(target: Target, frames: int, sample_rate: float, random: Random) -> Phrase:
    """Return a phrase of some of a target's sounds, one after the other.

    Parameters
    ----------
    frames
        How long.
    """
    sounds, medians = target.sounds, target.notes
    hop = sounds[0].hop
    phrase = Phrase(
        np.zeros(frames, np.float32),
        np.full(frames, _SILENT, np.float32),
        np.full((frames, PARTIALS), FLOOR, np.float32),
        np.full((frames, BANDS), DENSITY_FLOOR, np.float32),
        np.full((frames, BANDS), DENSITY_FLOOR, np.float32),
        Gesture(np.zeros(frames * hop), np.zeros(frames * hop, np.float32), ()),
    )
    at, onsets = int(random.integers(0, 12)), []
    wide = random.random() < 0.4  # beyond the target's own range too
    note = float(random.choice(medians[medians > 0])) if (medians > 0).any() else 60.0
    joined = False
    while at < frames - 4:
        if wide:
            note = random.uniform(LOWEST, HIGHEST) if random.random() < 0.5 else note + random.normal(0, 5)
            note = float(np.clip(note, LOWEST, HIGHEST))
        else:
            note = float(random.choice(medians[medians > 0])) if (medians > 0).any() else 60.0
            note += random.uniform(-0.5, 0.5)
        sound = sounds[_choose(medians, note, random)]
        length = _place(phrase, sound, note, at, joined, hop, sample_rate, random)
        onsets.append(at * hop)
        joined = random.random() < 0.4
        at += max(length, 4) + (-2 if joined else int(random.integers(0, 14)))
    envelope = phrase.gesture.envelope
    phrase.gesture = Gesture(phrase.gesture.pitch, envelope, tuple(onsets))
    return phrase


def _median(sound: Sound) -> float:
    voiced = sound.pitch[(sound.pitch > 0) & (sound.level > sound.level.max() - 20)]
    return 69 + 12 * float(np.log2(np.median(voiced) / 440)) if voiced.size else 0.0


def _choose(medians: NDArray[np.float64], note: float, random: Random) -> int:
    """Return one of the sounds that are nearest in pitch; all dynamics are as likely."""
    distance = np.where(medians > 0, np.abs(medians - note), 99.0)
    near = np.flatnonzero(distance < max(float(distance.min()) + 0.3, 0.6))
    return int(random.choice(near))


def _place(
    phrase: Phrase,
    sound: Sound,
    note: float,
    at: int,
    joined: bool,
    hop: int,
    sample_rate: float,
    random: Random,
) -> int:
    """Write a sound into a phrase at a frame; return how many frames it takes."""
    loud = np.flatnonzero(sound.level > sound.level.max() - 35)
    first, last = int(loud[0]), int(loud[-1]) + 1
    if random.random() < (0.8 if joined else 0.15):  # from within: no attack
        first += int(random.integers(0, max((last - first) // 2, 1)))
    length = min(int(random.integers(12, 110)), last - first, len(phrase.pitch) - at)
    if length < 3:
        return 3
    part = slice(first, first + length)
    median = _median(sound)
    steps = np.arange(length) / (sample_rate / hop)
    cents = np.full(length, 0.0)
    if random.random() < 0.25:
        rate, depth = random.uniform(4, 7.5), random.uniform(10, 90)
        cents += depth * np.sin(2 * np.pi * (rate * steps + random.random())) * np.clip(steps / 0.2, 0, 1)
    if random.random() < 0.2:
        span = random.uniform(-700, 700)
        cents += span * np.clip((steps - random.uniform(0, 0.3)) / random.uniform(0.1, 0.8), 0, 1)
    shift = note - median
    source = np.where(sound.pitch[part] > 0, sound.pitch[part], 0.0)
    ratio = 2.0 ** ((shift + cents / 100) / 12)
    pitch = (source * ratio).astype(np.float32)
    pitch = np.where(pitch > 0, np.clip(pitch, 28.0, 4100.0), 0.0).astype(np.float32)
    place = slice(at, at + length)
    partials = sound.partials[part]
    if abs(shift) > 1.5 or np.abs(cents).max() > 150:
        partials = transposed(partials, ratio.astype(np.float32))
    phrase.pitch[place] = pitch
    phrase.level[place] = sound.level[part]
    phrase.partials[place], phrase.noise[place], phrase.bands[place] = partials, sound.noise[part], sound.bands[part]
    samples = np.arange(at * hop, (at + length) * hop)
    inside = (samples - at * hop) + first * hop
    fine = np.interp(inside / ENVELOPE_HOP, np.arange(len(sound.envelope)), sound.envelope)
    edge = np.minimum(1.0, np.minimum(samples - samples[0], samples[-1] - samples) / (0.006 * sample_rate))
    phrase.gesture.envelope[samples] = fine * edge
    phrase.gesture.pitch[samples] = np.interp(samples / hop, np.arange(at, at + length), pitch)
    return length
