"""The paper's spectrograms: one-shots as 410 x 157 magnitudes of the NSGT on a mel scale, 80 % to train on (4.1).

410 bands of 157 frames are painless for at most 18,088 samples (0.41 s at 44.1 kHz): longer sounds are cut there and
faded over their last 10 ms, shorter ones are followed by silence. The transform is circular: what is found again of
an onset at its very beginning would in part come at the end, so 23 ms of silence go before. The paper does not say
how it cut its sounds; a longer one in as many coefficients would not come back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terzetto.audio.nsgt import Nsgt
from terzetto_export.drum_sounds.data import check_enough, read_collection
from terzetto_export.drum_sounds.one_shots import SAMPLE_RATE, OneShot, Tell
from terzetto_export.drum_sounds.splits import split_by_kit
from terzetto_export.latent_sequencing.sound_network import BANDS, FRAMES

SAMPLES = 18_088
LEAD, FADE = 1024, 441
RANGE_DB = 80.0
PACKAGE_SCALE = 55.4
"""What the magnitudes of a sine are in the paper's package ``nsgt`` (measured: 410 bands, 0.41 s) when ours are 1."""
Float = NDArray[np.float32]


@dataclass(frozen=True)
class Spectrograms:
    """Magnitudes of sounds (n, 410, 157) and where they come from."""

    magnitude: Float
    sounds: Sequence[OneShot]

    @cached_property
    def trained(self) -> NDArray[np.bool_]:
        """Which sounds are learned from (n,); the others are of kits that are held out."""
        return np.array([sound.split != "test" for sound in self.sounds])


def transform() -> Nsgt:
    """Return the paper's transform."""
    return Nsgt(SAMPLE_RATE, SAMPLES, BANDS, "mel", frames=FRAMES)


def read_spectrograms(tiers: Sequence[str], most: int | None, tell: Tell) -> Spectrograms:
    """Read the one-shots of the collection's tiers, split by kit.

    Parameters
    ----------
    tiers
        ``licensed``, ``research`` or both.
    most
        Take only so many, by chance but of all classes; for trying it out.

    Raises
    ------
    InputError
        There are none.
    """
    sounds = [sound for tier in tiers for sound in read_collection(tier, tell)]
    if most is not None:
        sounds = _some(sounds, most)
    check_enough(sounds, "the one-shots")
    sounds = split_by_kit(sounds, tell)
    there = transform()
    magnitude = np.stack([np.abs(there.forward(fitted(sound.audio))) for sound in sounds])
    return Spectrograms(magnitude.astype(np.float32), sounds)


def _some(sounds: Sequence[OneShot], most: int) -> list[OneShot]:
    """Return so many sounds: one of each class, then another of each, and so on."""
    turns: Counter[int] = Counter()
    drawn = []
    for index in np.random.default_rng(0).permutation(len(sounds)):
        drawn.append((turns[sounds[index].sound_class], int(index)))
        turns[sounds[index].sound_class] += 1
    return [sounds[index] for _, index in sorted(drawn)[:most]]


def fitted(audio: Float) -> Float:
    """Return a sound (frames,) as long as the transform takes it, silence first."""
    most = SAMPLES - LEAD
    if len(audio) > most:
        audio = audio[:most].copy()
        audio[-FADE:] *= np.linspace(1.0, 0.0, FADE, dtype=np.float32)
    return np.pad(audio, (LEAD, most - len(audio)))


def package_magnitudes(magnitude: Float) -> Tensor:
    """Return magnitudes as the paper's package gives them: those of a full-scale sine are 55."""
    return torch.from_numpy(magnitude * np.float32(PACKAGE_SCALE))


def to_levels(magnitude: Float) -> Tensor:
    """Return magnitudes as levels: 1 for a full-scale sine, 0 from 80 dB below on."""
    least = 10.0 ** (-RANGE_DB / 20)
    return torch.from_numpy(1.0 + (20 / RANGE_DB) * np.log10(np.maximum(magnitude, np.float32(least))))


def to_magnitude(level: Tensor) -> Float:
    """Return the magnitudes of levels; what lies 80 dB below a full-scale sine or lower is silence."""
    value = level.numpy()
    return np.where(value > 0.0, 10.0 ** (RANGE_DB / 20 * (np.minimum(value, 1.25) - 1.0)), 0.0).astype(np.float32)
