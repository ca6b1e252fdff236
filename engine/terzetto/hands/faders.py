"""The faders: how much of each hand is heard, and where; changes glide, so that nothing clicks.

The output is the take plus, for each stem, (its matrix − 1) · stem: with all faders at 0 dB the take comes out bit for
bit. Stems are the left hand, the right hand and the residual; the right hand is what the other two leave of the take.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.control.parameters import Parameters

Float = NDArray[np.float32]
Matrices = NDArray[np.float64]

GLIDE = 0.01
"""Seconds a change takes."""
SILENCE = -60.0
"""dB at which a fader is closed."""
_STEMS = 3


@dataclass(frozen=True)
class FaderValues:
    """Where the faders stand; see the parameter table."""

    left_gain: float = 0.0
    right_gain: float = 0.0
    residual_gain: float = 0.0
    solo: str = "off"
    spread: float = 0.0
    mix: float = 1.0

    @classmethod
    def of(cls, parameters: Parameters) -> FaderValues:
        """Take the values from an instance's parameters."""
        names = ("left_gain", "right_gain", "residual_gain", "spread", "mix")
        return cls(solo=str(parameters["solo"]), **{name: parameters.number(name) for name in names})

    def matrices(self, channels: int) -> Matrices:
        """Return what is added to the take of each stem, stems × channels × channels; all 0 is the take itself."""
        result = np.zeros((_STEMS, channels, channels))
        one = np.eye(channels)
        for stem, (name, level) in enumerate(
            (("left", self.left_gain), ("right", self.right_gain), ("residual", self.residual_gain))
        ):
            heard = level > SILENCE and self.solo in ("off", name)
            gain = 10 ** (level / 20) if heard else 0.0
            result[stem] = self.mix * (gain * self._place(name, channels) - one)
        return result

    def _place(self, stem: str, channels: int) -> NDArray[np.float64]:
        """Return how a stem's channels come to the output's: spread wide, both come out on the hand's side."""
        one = np.eye(channels)
        if channels != 2 or stem == "residual":
            return one
        side = np.zeros((2, 2))
        side[0 if stem == "left" else 1] = np.sqrt(0.5)  # of equal energy where both channels are alike
        return (1 - self.spread) * one + self.spread * side


class Faders:
    """Mixes a stream's stems; every change glides over `GLIDE` from the sample it is due at."""

    def __init__(self, channels: int, sample_rate: float, values: FaderValues) -> None:
        self._channels = channels
        self._glide = max(round(GLIDE * sample_rate), 1)
        self._changes: list[tuple[int, FaderValues]] = []
        self.reset(values)

    def reset(self, values: FaderValues) -> None:
        """Stand at these values at once; what was due later is forgotten."""
        self._changes.clear()
        self._target = values.matrices(self._channels)
        self._start = self._target
        self._left = 0  # samples of the glide to come
        self._time = 0

    def move(self, time: int, values: FaderValues) -> None:
        """Glide to these values from a sample of the stream's output on (times must rise)."""
        self._changes.append((time, values))

    def mix(self, take: Float, left: Float, residual: Float, open_at: Float | None = None) -> Float:
        """Return the output for a block of the take and its stems, channels × frames.

        Parameters
        ----------
        open_at
            How far the stems may be heard, 0..1 per frame; None: fully. At 0 the take comes out unchanged.
        """
        frames, result = take.shape[1], take.copy()
        stems: tuple[Float, ...] | None = None
        done = 0
        while done < frames:
            while self._changes and self._changes[0][0] <= self._time:
                self._glide_to(self._changes.pop(0)[1])
            until = frames - done
            if self._changes:
                until = min(until, self._changes[0][0] - self._time)
            if self._left:
                until = min(until, self._left)
            if self._left or self._target.any():
                stems = stems or (left, take - left - residual, residual)
                here = slice(done, done + until)
                weights = self._weights(until)
                for stem, samples in enumerate(stems):
                    self._add(result[:, here], weights[stem], samples[:, here], open_at, here)
            self._left = max(self._left - until, 0)
            self._time += until
            done += until
        return result

    def _add(self, result: Float, weights: Matrices, samples: Float, open_at: Float | None, here: slice) -> None:
        for out in range(self._channels):
            for into in range(self._channels):
                weight = weights[out, into]
                if not weight.any():
                    continue
                scale = weight.astype(np.float32)
                result[out] += (scale if open_at is None else scale * open_at[here]) * samples[into]

    def _weights(self, frames: int) -> Matrices:
        """Return the matrices for the next frames, stems × channels × channels × (1 or frames)."""
        if not self._left:
            return self._target[..., None]
        done = self._glide - self._left + np.arange(1, frames + 1)
        return self._start[..., None] + (self._target - self._start)[..., None] * (done / self._glide)

    def _glide_to(self, values: FaderValues) -> None:
        if self._left:
            progress = (self._glide - self._left) / self._glide
            self._start = self._start + (self._target - self._start) * progress
        else:
            self._start = self._target
        self._target = values.matrices(self._channels)
        self._left = self._glide if not np.array_equal(self._start, self._target) else 0


class Gate:
    """Opens and closes over a while: 0 plays the take, 1 what the faders make of it."""

    def __init__(self, seconds: float, sample_rate: float) -> None:
        self._length = max(round(seconds * sample_rate), 1)
        self._changes: list[tuple[int, bool]] = []
        self.reset()

    def reset(self, is_open: bool = False) -> None:
        """Stand open or closed at once."""
        self._changes.clear()
        self._open, self._time = is_open, 0
        self._place = self._length if is_open else 0  # of _length samples on the way to open

    def move(self, time: int, to_open: bool) -> None:
        """Open or close from a sample of the stream's output on (times must rise)."""
        self._changes.append((time, to_open))

    def next(self, frames: int) -> Float | None:
        """Return the gate's course over the next frames; None where it stays open."""
        course = np.empty(frames, np.float32)
        done = 0
        while done < frames:
            while self._changes and self._changes[0][0] <= self._time:
                self._open = self._changes.pop(0)[1]
            until = frames - done
            if self._changes:
                until = min(until, self._changes[0][0] - self._time)
            steps = np.arange(1, until + 1) * (1 if self._open else -1)
            places = np.clip(self._place + steps, 0, self._length)
            course[done : done + until] = places / self._length
            self._place = int(places[-1])
            self._time += until
            done += until
        return None if course.min() == 1.0 else course
