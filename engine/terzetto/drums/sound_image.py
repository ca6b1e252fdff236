"""A drum sound as a network reads and writes it: an image of 2 x 96 x 64, a strip of 2 x 64 and a length, all 0..1.

The image has, for every row and column of `SoundMaps`, the level of noise and partials together and the share of it
that is partials': where a network does not know the pitch of a partial it so makes noise of it, and no hole.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.sound_maps import (
    COLUMN_FRAMES,
    COLUMNS,
    FLOOR,
    FREQUENCIES,
    HOP,
    ROWS,
    SAMPLE_RATE,
    SECONDS,
    WINDOWS,
    SoundMaps,
)

Float = NDArray[np.float32]

IMAGE = (2, ROWS, COLUMNS)
STRIP = 2 * COLUMNS + 1
"""Numbers of level and pitch of the body, and the length."""
_TOP = 20.0  # dB; a sine of amplitude 1, as a density
_OCTAVES = (-2.5, 2.0)  # of the body's pitch


def to_image(maps: SoundMaps) -> tuple[Float, Float]:
    """Return a sound's image, float32 (2, 96, 64), and its strip and length, float32 (129,)."""
    noise, partials = _power(maps.noise), _power(maps.partials) * _as_density()[:, None]
    both = noise + partials
    level = (10 * np.log10(np.maximum(both, 1e-12)) - FLOOR) / (_TOP - FLOOR)
    share = partials / np.maximum(both, 1e-9)
    pitch = (maps.pitch - _OCTAVES[0]) / (_OCTAVES[1] - _OCTAVES[0])
    length = np.interp(maps.seconds * SAMPLE_RATE / HOP, COLUMN_FRAMES, np.arange(COLUMNS) / (COLUMNS - 1))
    image = np.stack([level, share]).clip(0, 1)
    return image.astype(np.float32), np.r_[maps.body / -FLOOR + 1, pitch, length].clip(0, 1).astype(np.float32)


def from_image(image: Float, strip: Float) -> SoundMaps:
    """Return the maps of an image and a strip with length; what lies outside 0..1 is moved to its edge."""
    level, share = np.clip(image, 0, 1)
    strip = np.clip(strip, 0, 1)
    both = _power(FLOOR + (_TOP - FLOOR) * level)
    noise, partials = both * (1 - share), both * share / _as_density()[:, None]
    pitch = _OCTAVES[0] + (_OCTAVES[1] - _OCTAVES[0]) * strip[COLUMNS : 2 * COLUMNS]
    hops = np.interp(strip[-1] * (COLUMNS - 1), np.arange(COLUMNS), COLUMN_FRAMES)
    seconds = min(float(hops) * HOP / SAMPLE_RATE, SECONDS)
    return SoundMaps(_decibels(noise), _decibels(partials), FLOOR * (1 - strip[:COLUMNS]), pitch, seconds)


def _power(decibels: Float) -> NDArray[np.float64]:
    """Return what dB are as power, the floor being none."""
    return np.asarray(10.0 ** (decibels / 10) - 10.0 ** (FLOOR / 10))


def _decibels(power: NDArray[np.float64]) -> Float:
    return np.asarray(10 * np.log10(np.maximum(power, 0.0) + 10.0 ** (FLOOR / 10)), np.float32)


@functools.cache
def _as_density() -> NDArray[np.float64]:
    """Return for each row the density at which noise is as loud, in the analysis, as a sine of amplitude 1."""
    size = np.array([next(size for size, high in WINDOWS if f < high) for f in FREQUENCIES])
    # A Hann window's squared sum over four times its sum of squares is N / 6; a row has as many bins as it is wide.
    bins = np.maximum(np.gradient(FREQUENCIES) * size / SAMPLE_RATE, 1.0)
    return np.asarray(size / 6 / bins)
