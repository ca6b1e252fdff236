"""Mosaicing: every frame of a sound is replaced by one of another recording that is like it.

As in Cella's slides (after Burred, 2014) the match is made by k nearest neighbours among mel-frequency cepstral
coefficients, and the outcome is as long as the source. Frames torn from their places make a rough sound, so of the
k nearest the one is taken that goes on best, and a passage is left only for something clearly more alike.

`terzetto.timbre.bee` mixes several frames at once and looks ahead: better, but not live.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError
from terzetto.timbre.conversion import Complex, Controls, mid, stream_grid
from terzetto.timbre.loudness import SILENT, Loudness
from terzetto.timbre.mfcc import Mfcc
from terzetto.timbre.target import Target, read_target

Float = NDArray[np.float32]

NEIGHBOURS, CONTINUITY = 8, 0.5
_RECENT = 16  # frames


class MosaicConversion:
    """Replaces the frames of a stream by a target's.

    Parameters
    ----------
    target : Target
        On the stream's grid; the dictionary.
    neighbours : int
        How many of the most alike frames may be taken, 1 to 100.
    continuity : float
        0..1. 0: always jump to the nearest neighbour; the higher, the longer a passage is played on: it is left when
        its next frame is more than 1 / (1 - continuity) times as far from the input as the nearest.

    Raises
    ------
    InputError
        An option is out of range.
    """

    look_ahead = 0

    def __init__(self, target: Target, *, neighbours: int = NEIGHBOURS, continuity: float = CONTINUITY) -> None:
        if not 1 <= neighbours <= 100:
            raise InputError(f"neighbours must be from 1 to 100; given {neighbours}")
        if not 0.0 <= continuity <= 1.0:
            raise InputError(f"continuity must be from 0 to 1; given {continuity}")
        self.grid = target.grid
        self._target, self._keep = target, 1.0 - continuity
        self._mfcc, self._loudness = Mfcc(target.grid), Loudness(target.grid)
        self._places = np.flatnonzero(target.sounding)
        self._dictionary = np.concatenate([self._mfcc(piece) for piece in target.pieces()])[self._places]
        self._lengths = np.sum(self._dictionary**2, axis=1)
        self._neighbours = min(neighbours, max(len(self._places) // 2, 1))
        # What was just played is not jumped back to: the same few frames again and again buzz.
        self._recent: deque[int] = deque(maxlen=min(_RECENT, len(self._places) // 2))
        self.reset()

    def reset(self) -> None:
        """Forget what was played."""
        self._played: int | None = None
        self._recent.clear()

    def convert(self, spectra: Complex, controls: Controls) -> Complex:
        """Return the next frame of the mosaic; see `terzetto.timbre.conversion.Conversion`."""
        if controls.amount == 0.0 or float(self._loudness.of(spectra)) <= SILENT:
            self.reset()
            return spectra
        frame = self._chosen(self._mfcc(mid(spectra)[None])[0])
        self._played = frame
        self._recent.append(frame)
        # What is found on the mid is placed where the input is.
        power = np.sum(spectra.real**2 + spectra.imag**2, axis=-1, keepdims=True)
        tessera = np.sqrt(power / power.mean()) * self._target.spectrum(int(self._places[frame]))
        return self._loudness.mixed(spectra, tessera, controls.amount, controls.follow)

    def _chosen(self, heard: Float) -> int:
        """Return which frame of the dictionary takes the place of what is heard."""
        distance = np.maximum(self._lengths - 2.0 * (self._dictionary @ heard) + heard @ heard, 0.0)
        following = self._following()
        if following is not None and distance[following] * self._keep**2 <= distance.min():
            return following
        if self._neighbours == 1 or self._played is None:
            return int(distance.argmin())
        distance[list(self._recent)] = np.inf
        nearest = np.sort(np.argpartition(distance, self._neighbours - 1)[: self._neighbours])
        # The frames overlap: what is most alike to the one that would have followed cancels least of it.
        goes_on = self._target.spectrum(int(self._places[self._played]) + 1)
        candidates = self._target.spectra(self._places[nearest])
        likeness = (candidates @ goes_on.conj()).real / np.maximum(np.linalg.norm(candidates, axis=1), 1e-20)
        return int(nearest[likeness.argmax()])

    def _following(self) -> int | None:
        """Return the frame after the one that was played, unless a pause or the end comes there."""
        if self._played is None or self._played + 1 == len(self._places):
            return None
        following = self._played + 1
        return following if self._places[following] == self._places[self._played] + 1 else None


def open_mosaic(
    to: str,
    *,
    sample_rate: float,
    channels: int = 2,
    low_latency: bool = False,
    neighbours: int = NEIGHBOURS,
    continuity: float = CONTINUITY,
) -> MosaicConversion:
    """Open a mosaic of a recording; see `MosaicConversion` and `terzetto.timbre.methods.open_conversion`.

    Raises
    ------
    InputError
        The file cannot be used, or an option is not valid.
    """
    target = read_target(to, stream_grid(sample_rate, low_latency))
    return MosaicConversion(target, neighbours=neighbours, continuity=continuity)
