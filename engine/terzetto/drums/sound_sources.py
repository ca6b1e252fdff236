"""What a voice of a kit sounds of: a shipped one-shot, a sample of the user's, a point of the sound model, or a morph.

A source is only said here, not opened; `terzetto.drums.voice_sounds` makes samples of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from terzetto.drums.drum_map import CLASSES
from terzetto.errors import InputError

MORPHS = ("latent", "mix")
"""How a morph is made: on the way through the model's latent space, or by fading one sound over to the other."""
SHIPPED_MODEL = "drum_sounds"
"""The sound model that is meant where none is named."""
SPREAD = 0.5
"""How much of a class is drawn from where nothing is told: the more typical half of it."""
MOST_MORPHS = 4
"""How deep morphs of morphs go."""


@dataclass(frozen=True)
class OneShot:
    """A shipped one-shot, by its class."""

    name: str

    def __post_init__(self) -> None:
        _check_class("one_shot", self.name)


@dataclass(frozen=True)
class Sample:
    """An audio file, mono or stereo, any sample rate."""

    path: Path


@dataclass(frozen=True)
class Point:
    """A point of the sound model's latent space, by exactly one of four ways.

    Attributes
    ----------
    pad : (float, float) or None
        On the pad of its class, 0..1 across and up.
    latent : tuple of float or None
        All numbers of the latent space.
    seed : int or None
        Drawn by chance; the same seed, the same sound.
    spread : float
        Of a seed: from what share of its class it is drawn, the most typical first; 1: from all of it.
    encoded : Path or None
        Where the model hears the sound of an audio file.
    sound_class : str
        What it is decoded as, one of `CLASSES`; empty for the voice's own.
    model : str
        Name or path of a sound model; empty for the shipped one.
    """

    pad: tuple[float, float] | None = None
    latent: tuple[float, ...] | None = None
    seed: int | None = None
    encoded: Path | None = None
    sound_class: str = ""
    model: str = ""
    spread: float = SPREAD

    def __post_init__(self) -> None:
        ways = [name for name in POINTS if getattr(self, name) is not None]
        if len(ways) != 1:
            raise InputError(f"a point is told by one of {', '.join(POINTS)}; given {', '.join(ways) or 'none'}")
        if self.pad is not None and not (len(self.pad) == 2 and all(0 <= each <= 1 for each in self.pad)):
            raise InputError(f"pad {list(self.pad)}: give two numbers from 0 to 1, across and up")
        if self.latent is not None and not (self.latent and all(map(math.isfinite, self.latent))):
            raise InputError("latent: give all finite numbers of a point of the latent space")
        if self.seed is not None and not 0 <= self.seed < 2**32:
            raise InputError(f"seed {self.seed}: give a whole number from 0 to {2**32 - 1}")
        if not 0 <= self.spread <= 1:
            raise InputError(f"spread {self.spread:g}: give 0 (the most typical of its class) to 1 (all of it)")
        if self.sound_class:
            _check_class("class", self.sound_class)


@dataclass(frozen=True)
class Morph:
    """What lies between two sounds.

    Attributes
    ----------
    first, second : Source
    amount : float
        0 (the first) to 1 (the second).
    by : str
        One of `MORPHS`. In the latent space samples are what the model makes of them, at both ends too.
    sound_class : str
        What a latent morph is decoded as, one of `CLASSES`; empty for the voice's own.
    """

    first: Source
    second: Source
    amount: float = 0.5
    by: Literal["latent", "mix"] = "latent"
    sound_class: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= 1:
            raise InputError(f"amount {self.amount:g}: give 0 (the first sound) to 1 (the second)")
        if self.by not in MORPHS:
            raise InputError(f"by {self.by!r}: give one of {', '.join(MORPHS)}")
        if self.sound_class:
            _check_class("class", self.sound_class)
        if depth(self) > MOST_MORPHS:
            raise InputError(f"morphs of morphs go {MOST_MORPHS} deep at most")


Source = OneShot | Sample | Point | Morph
"""What a voice sounds of."""
POINTS = ("pad", "latent", "seed", "encoded")
"""The ways to tell a point of the latent space."""


def depth(source: Source) -> int:
    """Return how many morphs lie one within the other."""
    return 1 + max(depth(source.first), depth(source.second)) if isinstance(source, Morph) else 0


def files_of(source: Source) -> list[Path]:
    """Return the user's files a source needs."""
    if isinstance(source, Morph):
        return files_of(source.first) + files_of(source.second)
    path = source.path if isinstance(source, Sample) else source.encoded if isinstance(source, Point) else None
    return [] if path is None else [path]


def models_of(source: Source) -> set[str]:
    """Return the names or paths of the sound models a source needs."""
    if isinstance(source, Morph):
        ends = models_of(source.first) | models_of(source.second)
        return ends if ends or source.by == "mix" else {SHIPPED_MODEL}
    return {source.model or SHIPPED_MODEL} if isinstance(source, Point) else set()


def _check_class(key: str, name: str) -> None:
    if name not in CLASSES:
        raise InputError(f"{key} {name!r}: give one of {', '.join(CLASSES)}")
