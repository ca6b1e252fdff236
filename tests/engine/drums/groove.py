"""A pattern source whose patterns can be told apart: the kick on every quarter, hats that say where the pad is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import Hvo

KICK, SNARE, HAT, RIDE = (DRUMS.index(name) for name in ("kick", "snare", "closed hat", "ride"))


class Groove:
    """Left on the pad eighths on the hat, right sixteenths on the ride; the snare early; style "snare" adds one."""

    styles = ("snare",)
    pad_range = (-2.0, 2.0)
    full_density = 40.0

    def __init__(self, early: float = 0.0) -> None:
        self.early = early
        self.asked: list[tuple[object, ...]] = []

    def pad_latent(self, x: float, y: float) -> NDArray[np.float32]:
        return np.array([x, y], np.float32)

    def pattern(
        self,
        z: ArrayLike,
        style: str | None = None,
        density: float | None = None,
        variation: float = 0.0,
        seed: int = 0,
    ) -> Hvo:
        point = np.asarray(z, np.float32)
        self.asked.append((tuple(point.tolist()), style, density, variation, seed))
        hits = np.zeros(Hvo.SHAPE, np.bool_)
        hits[KICK, ::4] = True
        if point[0] < 0:
            hits[HAT, ::2] = True
        else:
            hits[RIDE] = True
        hits[SNARE, 4::8] = style == "snare"
        if variation:
            hits[SNARE, seed % 16] = True
        if density is not None:
            flat = np.flatnonzero(hits)
            hits = np.zeros_like(hits)
            hits.flat[flat[: round(density * self.full_density)]] = True
        velocities = np.full(Hvo.SHAPE, 0.5, np.float32)
        offsets = np.zeros(Hvo.SHAPE, np.float32)
        offsets[KICK] = -self.early
        return Hvo(hits, velocities, offsets)
