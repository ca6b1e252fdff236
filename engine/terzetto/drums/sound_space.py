"""What a kit asks of a model of sounds, and how it finds one: opened once, and anew when its file is another one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.drums.sound_sources import SHIPPED_MODEL
from terzetto.models import Stamp, stamp

Float = NDArray[np.float32]


class SoundSpace(Protocol):
    """What is asked of a model of sounds; `terzetto.drums.sounds` opens one."""

    @property
    def sample_rate(self) -> float:
        """Hz."""

    @property
    def latent_size(self) -> int:
        """Numbers of a point."""

    @property
    def pad_range(self) -> tuple[float, float]:
        """Where the pads begin and end, in x and in y."""

    def encode(self, audio: Float, sample_rate: float, sound_class: str) -> Float:
        """Return the point of a sound (frames,)."""

    def decode(self, z: ArrayLike, sound_class: str, seed: int = 0) -> Float:
        """Return the sound (frames,) of a point."""

    def sample(self, sound_class: str, seed: int, spread: float) -> Float:
        """Return a point by chance, of the most typical share of a class."""

    def pad_latent(self, sound_class: str, x: float, y: float) -> Float:
        """Return the point under a point of the pad, in its own units."""

    def morph(self, a: ArrayLike, b: ArrayLike, amount: float) -> Float:
        """Return a point between two."""


OpenModel = Callable[[str], SoundSpace]


def open_model(name: str) -> SoundSpace:
    """Open a sound model by name or path, the shipped one for an empty name.

    It stays open until its file changes: a model that is trained again under its name is taken up.
    """
    return _opened(name, stamp(name or SHIPPED_MODEL))


@functools.lru_cache(maxsize=4)
def _opened(name: str, _: Stamp | None) -> SoundSpace:
    from terzetto.drums.sounds import open_sound_model

    return open_sound_model(name)
