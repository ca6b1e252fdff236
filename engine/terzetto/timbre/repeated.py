"""Takes around takes: one that goes round and round, one that notes how loud it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import Take

Float = NDArray[np.float32]


class Repeated:
    """A take, again and again until it is ``frames`` long.

    Parameters
    ----------
    take : Take
    frames : int
        At least the take's own.
    """

    def __init__(self, take: Take, frames: int) -> None:
        self._take = take
        self.sample_rate, self.channels, self.frames = take.sample_rate, take.channels, max(frames, take.frames)

    def read(self, start: int, stop: int) -> Float:
        """Return channels × (stop − start); zero before the beginning and after the end."""
        block = np.zeros((self.channels, stop - start), np.float32)
        at, last = max(start, 0), min(stop, self.frames)
        while at < last:
            begin = at % self._take.frames
            count = min(last - at, self._take.frames - begin)
            block[:, at - start : at - start + count] = self._take.read(begin, begin + count)
            at += count
        return block


class Watched:
    """A take that notes the largest value that was read.

    Attributes
    ----------
    peak : float
    """

    def __init__(self, take: Take) -> None:
        self._take, self.peak = take, 0.0
        self.sample_rate, self.channels, self.frames = take.sample_rate, take.channels, take.frames

    def read(self, start: int, stop: int) -> Float:
        """Return channels × (stop − start)."""
        block = self._take.read(start, stop)
        self.peak = max(self.peak, float(np.abs(block).max(initial=0.0)))
        return block
