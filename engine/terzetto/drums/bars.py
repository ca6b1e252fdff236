"""Bars out of a pattern source: what the knobs ask for, as hits in musical time.

A bar is a function of its settings and its number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.drums.dictionary import Dictionary
from terzetto.drums.grid import BAR, STEPS, VELOCITY, Hvo
from terzetto.drums.pattern_edits import Edits, edited

STEP = BAR / STEPS  # quarter notes
_LATEST_SWING = 1 / 3  # of a step: a triplet's last third


class PatternSource(Protocol):
    """What patterns come from: `terzetto.drums.patterns.PatternModel`, or anything with its face."""

    @property
    def styles(self) -> Sequence[str]:
        """Names of styles."""

    @property
    def pad_range(self) -> tuple[float, float]:
        """Where the pad begins and ends, in x and in y."""

    @property
    def full_density(self) -> float:
        """Hits of a bar of density 1."""

    def pad_latent(self, x: float, y: float) -> NDArray[np.float32]:
        """Return the point of the latent space under a point of the pad."""

    def pattern(
        self,
        z: ArrayLike,
        style: str | None = None,
        density: float | None = None,
        variation: float = 0.0,
        seed: int = 0,
    ) -> Hvo:
        """Return a pattern; the same arguments give the same."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Which pattern, and how it is played.

    Attributes
    ----------
    x, y : float
        On the pad, 0..1.
    style : str or None
    density : float
        -1..1: from no hit at all over the pattern's own to all that there can be.
    variation : float
        0..1: how far each bar strays.
    seed : int
    swing : float
        0..1: how late every second sixteenth is, up to a triplet.
    humanise : float
        0..1: how much of the timing and loudness is kept.
    edits : Edits
        What the dictionary does to the pattern.
    """

    x: float = 0.5
    y: float = 0.5
    style: str | None = None
    density: float = 0.0
    variation: float = 0.0
    seed: int = 0
    swing: float = 0.0
    humanise: float = 1.0
    edits: Edits = field(default_factory=Edits)

    @property
    def varies(self) -> bool:
        """Whether one bar is not like the next."""
        return self.variation > 0 or self.edits.varies


@dataclass(frozen=True, slots=True)
class Hit:
    """A hit in the song.

    Attributes
    ----------
    quarter : float
        When it sounds, in quarter notes.
    line : float
        Where its step is on the grid, swing left out.
    drum : int
        Index into `DRUMS`.
    velocity : float
        Above 0, at most 1.
    """

    quarter: float
    line: float
    drum: int
    velocity: float


class Bars:
    """The bars of a source, a few of them remembered.

    Parameters
    ----------
    source
        Where patterns come from.
    dictionary
        What patterns are edited by; without one they are not.
    """

    _REMEMBERED = 32

    def __init__(self, source: PatternSource, dictionary: Dictionary | None = None) -> None:
        self.source = source
        self.dictionary = dictionary
        self._known: dict[tuple[object, ...], Hvo] = {}

    def pattern(self, settings: Settings, bar: int) -> Hvo:
        """Return the pattern of a bar of the song; the first one is bar 0."""
        edits, dictionary = settings.edits, self.dictionary
        if dictionary is None or edits.nothing:
            return self._plain(settings, bar)
        return self._remembered(
            (settings, bar), lambda: edited(dictionary, edits, bar, lambda each: self._plain(settings, each))
        )

    def _plain(self, settings: Settings, bar: int) -> Hvo:
        """Return the same before it is edited."""
        seed = variation_seed(settings.seed, bar) if settings.variation > 0 else 0
        key = (settings.x, settings.y, settings.style, settings.density, settings.variation, seed)
        return self._remembered(key, lambda: self._made(settings, seed))

    def _remembered(self, key: tuple[object, ...], make: Callable[[], Hvo]) -> Hvo:
        pattern = self._known.pop(key, None)
        if pattern is None:
            pattern = make()
        self._known[key] = pattern  # the newest one last
        while len(self._known) > self._REMEMBERED:
            del self._known[next(iter(self._known))]
        return pattern

    def hits(self, settings: Settings, bar: int, steps: range = range(STEPS)) -> list[Hit]:
        """Return the hits of some steps of a bar, by rising time."""
        pattern = self.pattern(settings, bar)
        hits = []
        for drum, step in zip(*np.nonzero(pattern.hits), strict=True):
            if step not in steps:
                continue
            line = BAR * bar + STEP * int(step)
            late = settings.humanise * float(pattern.offsets[drum, step])
            late += settings.swing * _LATEST_SWING * (int(step) % 2)
            loud = VELOCITY + settings.humanise * (float(pattern.velocities[drum, step]) - VELOCITY)
            hits.append(Hit(line + STEP * late, line, int(drum), min(max(loud, 1 / 127), 1.0)))
        return sorted(hits, key=lambda hit: (hit.quarter, hit.drum))

    def _made(self, settings: Settings, seed: int) -> Hvo:
        source = self.source
        low, high = source.pad_range
        latent = source.pad_latent(low + settings.x * (high - low), low + settings.y * (high - low))
        style = settings.style if settings.style in source.styles else None
        own = source.pattern(latent, style, None, settings.variation, seed)
        if settings.density == 0:
            return own
        count = float(own.hits.sum()) / source.full_density
        room = max(1.0 - count, 0.0)
        wanted = count * (1 + settings.density) if settings.density < 0 else count + settings.density * room
        return source.pattern(latent, style, min(max(wanted, 0.0), 1.0), settings.variation, seed)


def variation_seed(seed: int, bar: int) -> int:
    """Return the seed of a bar's variation."""
    return int(np.random.SeedSequence([seed, bar % 2**32]).generate_state(1)[0])
