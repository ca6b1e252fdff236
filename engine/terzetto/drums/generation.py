"""Beats out of the pattern model: one point of the latent space, played for some bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.drums.bars import variation_seed
from terzetto.drums.grid import VELOCITY, Hvo
from terzetto.drums.patterns import PatternModel
from terzetto.errors import InputError

MOST_BARS = 1024


@dataclass(frozen=True)
class Request:
    """What is to be played.

    Attributes
    ----------
    style : str or None
        One of the model's.
    density : float or None
        0..1 of the model's fullest bar; None for what the point has.
    bars : int
        1 to 1024.
    variation : float
        0..1: how far each bar strays from the point.
    humanise : float
        0..1: how much of the timing and loudness is kept.
    seed : int
        Of all that is drawn by chance.
    """

    style: str | None = None
    density: float | None = None
    bars: int = 4
    variation: float = 0.0
    humanise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.bars <= MOST_BARS:
            raise InputError(f"{self.bars} bars: give 1 to {MOST_BARS}")
        for name, value in (("density", self.density), ("variation", self.variation), ("humanise", self.humanise)):
            if value is not None and not 0.0 <= value <= 1.0:
                raise InputError(f"{name} {value:g}: give 0 to 1")


def latent_point(model: PatternModel, numbers: Sequence[float]) -> NDArray[np.float32]:
    """Return a point of the latent space: all its numbers, or two on the pad.

    A point outside the pad is moved to its edge, with a `TerzettoWarning`.

    Raises
    ------
    InputError
        Another count of numbers, or numbers that are not finite.
    """
    if len(numbers) == 2:
        return model.pad_latent(*numbers)
    if len(numbers) != model.latent_size:
        raise InputError(
            f"{len(numbers)} latent numbers: give two, x and y on the pad ({model.pad_range[0]:g} to "
            f"{model.pad_range[1]:g}), or the {model.latent_size} of the whole latent space"
        )
    point = np.array(numbers, np.float32)
    if not np.isfinite(point).all():
        raise InputError("latent numbers are finite; given: NaN or infinity")
    return point


def generate(model: PatternModel, z: ArrayLike, request: Request) -> list[Hvo]:
    """Return bars at a point of the latent space; the same arguments give the same bars.

    Parameters
    ----------
    z
        (L,).
    """
    bars = []
    for number in range(request.bars):
        seed = variation_seed(request.seed, number)  # as live: the same bars
        bar = model.pattern(z, request.style, request.density, request.variation, seed)
        bars.append(humanised(bar, request.humanise))
    return bars


def humanised(bar: Hvo, amount: float) -> Hvo:
    """Return a bar with so much of its timing and loudness: 0 on the grid and even, 1 as it is."""
    velocities = VELOCITY + amount * (bar.velocities - VELOCITY)
    return Hvo(bar.hits, velocities.clip(1 / 127, 1.0), amount * bar.offsets)


def between(
    model: PatternModel, first: Sequence[Hvo], second: Sequence[Hvo], steps: int, bars: slice | None = None
) -> list[list[Hvo]]:
    """Return beats on the straight way through the latent space from one to another, both ends included.

    The ends are what the model makes of the two. A shorter one is repeated to the length of the longer.

    Parameters
    ----------
    steps
        How many beats, 2 to 1024.
    bars
        Only these change; the others stay the first beat's. All unless given.

    Raises
    ------
    InputError
        A beat without bars, or a number of steps out of range.
    """
    if not 2 <= steps <= MOST_BARS:
        raise InputError(f"{steps} steps: give 2 (the two ends) to {MOST_BARS}")
    if not first or not second:
        raise InputError("a beat without bars has no place in the latent space")
    length = max(len(first), len(second))
    start, stop = (model.encode(each)[np.arange(length) % len(each)] for each in (first, second))
    changes = np.zeros((length, 1), np.float32)
    changes[bars or slice(None)] = 1.0
    weights = np.linspace(0, 1, steps, dtype=np.float32)
    return [model.to_hvo(model.decode(start + weight * changes * (stop - start))) for weight in weights]
