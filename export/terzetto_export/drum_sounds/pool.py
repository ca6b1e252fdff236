"""What the sound model is trained on: every sound in several variants, as images; rare classes in more of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from terzetto.drums.sound_image import IMAGE, STRIP, to_image
from terzetto.drums.sound_maps import SAMPLE_RATE, analyse, trim
from terzetto_export.drum_sounds.one_shots import Float, OneShot

FEWEST, MOST = 3, 40
"""Variants of a sound."""


@dataclass(frozen=True)
class Pool:
    """Sounds as a network reads them.

    Attributes
    ----------
    images : float16 (n, 2, 96, 64)
    strips : float32 (n, 129)
    classes : int64 (n,)
    originals : int64 (n,)
        Of which sound each is a variant, an index into what the pool was made of.
    plain : bool (n,)
        Whether it is the sound as it is.
    """

    images: NDArray[np.float16]
    strips: Float
    classes: NDArray[np.int64]
    originals: NDArray[np.int64]
    plain: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.classes)


def make_pool(sounds: Sequence[OneShot], size: int, seed: int = 0) -> Pool:
    """Return a pool of about ``size`` variants, divided among the classes as evenly as 3 to 40 of each sound allow.

    With 0 it has the sounds as they are.
    """
    random = np.random.default_rng(seed)
    number = Counter(sound.sound_class for sound in sounds)
    trimmed = [trim(sound.audio) for sound in sounds]
    members = {each: [i for i, s in enumerate(sounds) if s.sound_class == each] for each in number}
    rows = []
    for original, sound in enumerate(sounds):
        each = sound.sound_class
        wanted = round(size / len(number) / number[each])
        for variant in range(min(max(wanted, FEWEST), MOST) if size else 1):
            audio = trimmed[original]
            if variant:
                audio = vary(audio, trimmed[int(random.choice(members[each]))], random)
            rows.append((*to_image(analyse(audio)), each, original, variant == 0))
    images = np.zeros((len(rows), *IMAGE), np.float16)
    strips = np.zeros((len(rows), STRIP), np.float32)
    for row, (image, strip, *_) in enumerate(rows):
        images[row], strips[row] = image, strip
    classes, originals, plain = (np.array([row[column] for row in rows]) for column in (2, 3, 4))
    return Pool(images, strips, classes, originals, plain)


def vary(audio: Float, other: Float, random: np.random.Generator) -> Float:
    """Return a sound a little higher or lower, shorter, of another colour, driven, or mixed with one of its class."""
    if random.random() < 0.3:
        audio = _mixed(audio, other, float(random.uniform(0.2, 0.7)))
    semitones = float(random.uniform(-4.0, 4.0))
    audio = soxr.resample(audio, SAMPLE_RATE, SAMPLE_RATE * 2.0 ** (-semitones / 12))
    seconds = np.arange(len(audio)) / SAMPLE_RATE
    if random.random() < 0.5:
        audio = audio * np.exp(-seconds * np.exp(random.uniform(0.0, np.log(12.0)))).astype(np.float32)
    if random.random() < 0.15:
        end = float(random.uniform(0.25, 1.0)) * len(audio) / SAMPLE_RATE
        audio = audio * np.clip((end - seconds) / 0.01, 0.0, 1.0).astype(np.float32)
    audio = _coloured(audio, random)
    if random.random() < 0.2:
        drive = float(random.uniform(1.0, 4.0))
        audio = np.tanh(drive * audio / np.abs(audio).max()).astype(np.float32)
    return trim(audio)


def _mixed(audio: Float, other: Float, gain: float) -> Float:
    length = max(len(audio), len(other))
    mixed = np.pad(audio, (0, length - len(audio))) + gain * np.pad(other, (0, length - len(other)))
    return np.asarray(mixed, np.float32)


def _coloured(audio: Float, random: np.random.Generator) -> Float:
    """Filter with a smooth curve over log-frequency, within some 5 dB."""
    spectrum = np.fft.rfft(audio)
    octave = np.log2(np.maximum(np.arange(len(spectrum)) * SAMPLE_RATE / len(audio), 20.0) / 20.0)
    curve = np.interp(octave, np.linspace(0.0, 10.0, 5), random.normal(0.0, 2.5, 5))
    return np.fft.irfft(spectrum * 10 ** (curve / 20), n=len(audio)).astype(np.float32)
