"""Values that get where they are put in some time, whatever the blocks' lengths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Glide:
    """A value that moves on a straight line; frames count from the stream's beginning."""

    def __init__(self, value: float) -> None:
        self.set(value)

    def set(self, value: float) -> None:
        """Be there at once."""
        self._from, self._to, self._start, self._frames = value, value, 0, 0

    def move(self, value: float, now: int, frames: int) -> None:
        """Be there in so many frames."""
        self._from, self._to, self._start, self._frames = self.at(now), value, now, frames

    def at(self, now: int) -> float:
        """Return the value at a frame."""
        done = now - self._start
        if done < 0:
            return self._from
        if done >= self._frames:
            return self._to
        return self._from + (self._to - self._from) * done / self._frames

    def over(self, now: int, frames: int) -> NDArray[np.float32]:
        """Return the values of so many frames from ``now`` on."""
        if now - self._start >= self._frames:
            return np.full(frames, self._to, np.float32)
        done = np.clip((now - self._start + np.arange(frames)) / self._frames, 0.0, 1.0)
        return (self._from + (self._to - self._from) * done).astype(np.float32)
