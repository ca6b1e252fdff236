"""Recognise a take: the course of its bands' levels, compared with what was learned, whatever the gain.

Conventions: energies are |X|², the mean of the channels. A step is a fifth of a second of frames; step s begins with
frame s · (frames a step), so that steps lie alike in the song wherever playback begins.
"""

from __future__ import annotations

import functools
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid

Float = NDArray[np.float32]

STEP = 0.2
"""Seconds of a step."""
MEMORY = 2.0
"""Seconds that are compared."""
UNLIKE = 0.35
"""Correlation of the bands' courses below which a take is another one, if it lasts."""
LIKE = 0.6
"""Correlation above which it is the same again, if it lasts."""

_EDGES = 55.0 * 2.0 ** (np.arange(15) / 2)  # half octaves, in Hz
_DEEPEST = -60.0  # dB below the loudest band of the take: what lies deeper says nothing
_RANGE = 40.0  # dB below the loudest band of the steps compared
_MARGIN = 5.0  # dB above the deepest level: what lies there is noise
_ENOUGH = 5  # steps that allow a judgement
_LASTING = {True: 3, False: 5}  # steps in a row that change the verdict from this one


BANDS = len(_EDGES) - 1


def bands(power: Float, grid: FrameGrid) -> Float:
    """Return the energy of each band, (…, bands), of power spectra (…, bins); 0 above the highest bin."""
    return np.asarray(power @ _membership(grid, power.shape[-1]), np.float32)


@functools.lru_cache(maxsize=16)
def _membership(grid: FrameGrid, bins: int) -> Float:
    """Return which bin belongs to which band, bins × bands."""
    edges = (_EDGES / grid.bin_hz).round()
    bin_number = np.arange(bins)[:, None]
    return ((bin_number >= edges[:-1]) & (bin_number < edges[1:])).astype(np.float32)


def frames_of_step(grid: FrameGrid) -> int:
    """Return how many frames make a step."""
    return max(round(STEP / grid.hop_seconds), 1)


@dataclass(frozen=True)
class Fingerprint:
    """The levels of a take.

    Attributes
    ----------
    levels : int8 (steps, bands)
        In half decibels relative to ``loudest``; −120 (−60 dB) is the least.
    loudest : float
        Energy of the loudest band of a step.
    """

    levels: NDArray[np.int8]
    loudest: float

    @classmethod
    def of(cls, energies: Float, grid: FrameGrid) -> Fingerprint:
        """Return the fingerprint of band energies (frames, bands) from a take's beginning on."""
        size = frames_of_step(grid)
        whole = energies[: len(energies) // size * size]
        means = whole.reshape(-1, size, energies.shape[1]).mean(axis=1) if len(whole) else energies[:0]
        loudest = max(float(means.max(initial=0.0)), 1e-30)
        return cls((2 * _decibels(means, loudest)).round().astype(np.int8), loudest)


class Recogniser:
    """Hears a stream frame by frame and tells whether it is still the take."""

    def __init__(self, fingerprint: Fingerprint, grid: FrameGrid) -> None:
        self._fingerprint, self._grid = fingerprint, grid
        self._size = frames_of_step(grid)
        self._usable = _EDGES[1:] <= grid.sample_rate / 2
        self._pairs: deque[tuple[Float, Float]] = deque(maxlen=round(MEMORY / STEP))
        self._last: int | None = None
        self._sum: Float | None = None
        self._count = 0
        self._against = 0  # steps in a row that speak against the verdict
        self.matches = True

    def forget(self) -> None:
        """Forget what was heard, not what was concluded."""
        self._pairs.clear()
        self._last, self._sum, self._count, self._against = None, None, 0, 0

    def reset(self) -> None:
        """Begin anew, in the belief that it is the take."""
        self.forget()
        self.matches = True

    def hear(self, frame: int, power: Float) -> None:
        """Hear a frame's power spectrum (bins); ``matches`` then holds the verdict."""
        if self._last is not None and frame != self._last + 1:
            self.forget()
        self._last = frame
        if frame % self._size == 0:
            self._sum, self._count = np.zeros(BANDS, np.float32), 0
        if self._sum is None:
            return
        self._sum += bands(power, self._grid)
        self._count += 1
        if self._count == self._size:
            self._compare(frame // self._size, self._sum / np.float32(self._size))

    def likeness(self) -> float | None:
        """Return how alike the last seconds and the take are, −1..1; None: cannot be told yet.

        The correlation of the bands' levels over time, each band's mean taken out: neither gain nor a filter matters.
        """
        if len(self._pairs) < _ENOUGH:
            return None
        heard, known = (np.stack(side) for side in zip(*self._pairs, strict=True))
        floor = max(float(known.max()) - _RANGE, _DEEPEST + _MARGIN)
        gain = np.median((heard - known)[known > floor])
        heard, known = np.maximum(heard - gain, floor), np.maximum(known, floor)
        heard, known = heard - heard.mean(axis=0), known - known.mean(axis=0)
        energy = float((heard**2).sum() * (known**2).sum())
        return float((heard * known).sum()) / energy**0.5 if energy > 0 else None

    def _compare(self, step: int, energies: Float) -> None:
        loudest = self._fingerprint.loudest
        if not 0 <= step < len(self._fingerprint.levels):
            self._pairs.clear()  # beyond what was learned nothing can be compared
            return
        known = self._fingerprint.levels[step, self._usable].astype(np.float32) / 2
        heard = _decibels(energies[self._usable], loudest, 2 * _DEEPEST)
        if heard.max() < _DEEPEST or known.max() <= _DEEPEST + 2 * _MARGIN:
            return  # silence is no evidence
        self._pairs.append((heard, known))
        likeness = self.likeness()
        if likeness is None:
            return
        against = likeness < UNLIKE if self.matches else likeness > LIKE
        self._against = self._against + 1 if against else 0
        if self._against >= _LASTING[self.matches]:
            self.matches, self._against = not self.matches, 0


def _decibels(energies: Float, loudest: float, deepest: float = _DEEPEST) -> Float:
    level = 10 * np.log10(np.maximum(energies / loudest, 10 ** (deepest / 10)))
    return np.asarray(level, np.float32)
