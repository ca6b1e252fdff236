"""What is technically wrong with a sound: each fault with the number that makes it one.

Conventions: a sound is mono, float (frames,), full scale ±1. The limits are for sounds that a machine makes, which has
no excuse; recordings cut by hand often begin or end on a sample that is not zero.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.floating]

FULL_SCALE = 1.0
FLAT, FLAT_FROM = 3, 0.99
DC = 1e-3
QUIET = 1e-3
STEP, STEP_SECONDS = 0.25, 0.25e-3
TAIL, TAIL_SECONDS = 3e-3, 1e-3

FAULTS: OrderedDict[str, str] = OrderedDict(
    not_finite="a sample that is NaN or infinite",
    silent="empty, or a peak below 0.001 (-60 dBFS)",
    over="a sample beyond full scale",
    clipped="3 or more equal samples in a row at 0.99 of full scale or above",
    dc="a mean beyond ±0.001 (-60 dBFS)",
    click_at_start="a first sample beyond ±0.001, or a step beyond 0.25 within the first 0.25 ms",
    click_at_end="a last sample beyond ±0.001, or one beyond ±0.003 (-50 dBFS) within the last ms",
)
"""What `faults` looks for, with what is one."""


def faults(sound: Sound, sample_rate: float = 44_100) -> list[str]:
    """Return which of `FAULTS` a sound has, in their order.

    >>> faults(np.array([0.0, 0.2, np.nan, 0.0]))
    ['not_finite']
    >>> faults(np.sin(np.linspace(0.0, 40.0, 4410)) * np.hanning(4410))
    []
    """
    samples = np.asarray(sound, np.float64).ravel()
    if not np.isfinite(samples).all():
        return ["not_finite"]
    size = np.abs(samples)
    if not len(size) or size.max() < QUIET:
        return ["silent"]
    found = []
    if size.max() > FULL_SCALE:
        found.append("over")
    if _flat(samples):
        found.append("clipped")
    if abs(samples.mean()) > DC:
        found.append("dc")
    first = np.concatenate([[0.0], samples[: max(round(STEP_SECONDS * sample_rate), 1)]])
    if size[0] > QUIET or np.abs(np.diff(first)).max() > STEP:
        found.append("click_at_start")
    if size[-1] > QUIET or size[-max(round(TAIL_SECONDS * sample_rate), 1) :].max() > TAIL:
        found.append("click_at_end")
    return found


def _flat(samples: NDArray[np.float64]) -> bool:
    """Say whether the wave is cut off: the same value several times in a row near full scale."""
    level = np.abs(samples) >= FLAT_FROM
    same = level[1:] & (samples[1:] == samples[:-1])
    run = same[: len(same) - FLAT + 2].copy()
    for more in range(1, FLAT - 1):
        run &= same[more : more + len(run)]
    return bool(run.any())


def count(sounds: Iterable[Sound], sample_rate: float = 44_100) -> OrderedDict[str, int]:
    """Return how many sounds there are (``sounds``), how many have any fault (``faulty``), and how many have each."""
    number: Counter[str] = Counter()
    for sound in sounds:
        found = faults(sound, sample_rate)
        number.update(["sounds", *found, *(["faulty"] if found else [])])
    return OrderedDict((name, number[name]) for name in ("sounds", "faulty", *FAULTS))
