"""A value's course in time: where it is at every sample, and how it gets where it was moved.

Moves are kept until they are past, so a course may be asked for a time before that of the last move: what is heard now
came in a latency ago.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


class Course:
    """A value that moves on straight lines; times are samples and never decrease."""

    def __init__(self, value: float) -> None:
        self.set(value)

    def set(self, value: float) -> None:
        """Be there at once, and always have been."""
        self._times, self._values = [0], [value]

    def move(self, value: float, time: int, samples: int) -> None:
        """Begin to move at a time, and be there so many samples later."""
        here = float(np.interp(time, self._times, self._values))
        while self._times and self._times[-1] >= time:
            self._times.pop()
            self._values.pop()
        self._times += [time, time + max(samples, 1)]
        self._values += [here, value]

    def over(self, time: int, samples: int) -> Float:
        """Return the values of so many samples from a time on; what was before is forgotten."""
        while len(self._times) > 1 and self._times[1] <= time:
            self._times.pop(0)
            self._values.pop(0)
        if len(self._times) == 1:
            return np.full(samples, self._values[0], np.float32)
        return cast(Float, np.interp(np.arange(time, time + samples), self._times, self._values).astype(np.float32))
