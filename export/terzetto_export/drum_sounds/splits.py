"""Kits into training, validation and test: whole, and so that each class is in each part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES
from terzetto_export.drum_data.files import SPLITS
from terzetto_export.drum_sounds.one_shots import OneShot, Tell

SHARES = (0.68, 0.14, 0.18)
"""Wanted of each class's sounds."""
KIT_SHARES = (0.44, 0.23, 0.33)
"""Wanted of the kits: intervals are over kits, so many small ones are measured on, and big ones learned from."""
TRIES, MOST_DRAWS = 20_000, 4_000_000


def split_by_kit(sounds: Sequence[OneShot], tell: Tell, seed: int = 0) -> list[OneShot]:
    """Return the sounds with their splits.

    Of many random ways to part the kits (Sechidis et al. 2011 call the aim stratification of multi-label data) the one
    is taken whose classes and kits come nearest to the wanted shares. Where no way has each class in each part (one
    kit alone, say), every sound is its own unit, and that is told.

    Parameters
    ----------
    sounds
        With their classes known.
    seed
        The same seed gives the same split.
    """
    kits = sorted({sound.kit for sound in sounds})
    table = np.zeros((len(kits), len(CLASSES)), np.float32)
    row = {kit: index for index, kit in enumerate(kits)}
    for sound in sounds:
        table[row[sound.kit], sound.sound_class] += 1
    part = _best(table, seed)
    if part is None:
        tell("there are too few kits to hold some of them out whole: split by sound, so held-out sounds have siblings")
        return _split_by_sound(sounds, seed)
    name = {kit: SPLITS[p] for kit, p in zip(kits, part, strict=True)}
    return [replace(sound, split=name[sound.kit]) for sound in sounds]


def _best(table: NDArray[np.float32], seed: int) -> NDArray[np.int8] | None:
    """Return the part of each kit, or None where some class would be missing from some part."""
    tries = min(TRIES, MOST_DRAWS // len(table))
    parts = np.random.default_rng(seed).choice(len(SPLITS), (tries, len(table)), p=KIT_SHARES).astype(np.int8)
    table = table[:, table.any(axis=0)]
    members = [(parts == split).astype(np.float32) for split in range(len(SPLITS))]
    share = np.stack([member @ table for member in members], axis=1) / table.sum(axis=0)
    kits = np.stack([member.mean(axis=1) for member in members], axis=1)
    cost = np.abs(share - np.array(SHARES)[:, None]).mean(axis=(1, 2)) + np.abs(kits - KIT_SHARES).mean(axis=1)
    cost[(share == 0).any(axis=(1, 2))] = np.inf
    best = int(np.argmin(cost))
    return parts[best] if np.isfinite(cost[best]) else None


def _split_by_sound(sounds: Sequence[OneShot], seed: int) -> list[OneShot]:
    """Part each class's sounds on their own; a class of three or more is in each part."""
    random = np.random.default_rng(seed)
    result = list(sounds)
    for each in sorted({sound.sound_class for sound in sounds}):
        rows = random.permutation([i for i, sound in enumerate(sounds) if sound.sound_class == each])
        validation, test = (max(round(share * len(rows)), 1) for share in SHARES[1:])
        if len(rows) < len(SPLITS):
            validation = test = 0
        for order, row in enumerate(rows):
            split = SPLITS[1] if order < validation else SPLITS[2] if order < validation + test else SPLITS[0]
            result[row] = replace(sounds[row], split=split, kit=str(sounds[row].path))
    return result
