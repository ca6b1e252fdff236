"""What is heard of the live instrument: a conversion's stream with the dry sound beside it, and the change to another.

The output is ``latency`` behind. Whatever is turned holds for what came in at that sample.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from terzetto.timbre.conversion import Controls, Conversion, stream_grid
from terzetto.timbre.course import Course
from terzetto.timbre.stream import GLIDE, ConversionStream

Float = NDArray[np.float32]

_SWITCH = 0.05
"""Seconds in which one conversion gives way to another."""


@dataclass(frozen=True)
class Settings:
    """Where the knobs stand.

    Attributes
    ----------
    controls : Controls
    mix : float
        0 plays the sound as it came in, 1 what was made of it.
    low_latency : bool
        Which window the sound passes by where there is no conversion.
    """

    controls: Controls = field(default_factory=Controls)
    mix: float = 1.0
    low_latency: bool = False


class Voice:
    """One conversion's way from the input to the output.

    Parameters
    ----------
    conversion : Conversion or None
        None: the sound passes unchanged, as late as a conversion would give it back.
    sample_rate : float
    channels : int
    settings : Settings
    """

    def __init__(self, conversion: Conversion | None, sample_rate: float, channels: int, settings: Settings) -> None:
        self.conversion = conversion
        self._stream = None if conversion is None else ConversionStream(conversion, channels, settings.controls)
        self.latency = stream_grid(sample_rate, settings.low_latency).n_fft
        if self._stream is not None:
            self.latency = self._stream.latency
        self._channels, self._glide = channels, max(round(GLIDE * sample_rate), 1)
        self._mix = Course(settings.mix)
        self.reset(settings)

    @property
    def untouched(self) -> bool:
        """Whether nothing has been heard since the last reset."""
        return self._time == 0

    @property
    def cold(self) -> int:
        """How many samples it takes until the output no longer depends on what was not heard."""
        return max(2 * self.latency - self._time, 0)

    def reset(self, settings: Settings) -> None:
        """Forget the stream's past; the knobs have always stood there."""
        self._time = 0
        self._dry = np.zeros((self._channels, self.latency), np.float32)
        self._mix.set(settings.mix)
        if self._stream is not None:
            self._stream.reset(settings.controls)

    def move(self, frame: int, settings: Settings) -> None:
        """Move the knobs for the input from ``frame`` of the next block on."""
        if self._stream is not None:
            self._stream.move(frame, settings.controls)
        if self._time + frame == 0:
            self._mix.set(settings.mix)
        else:
            self._mix.move(settings.mix, self._time + frame, self._glide)

    def process(self, block: Float, position: int) -> Float:
        """Return the next block (channels, frames); ``position`` in the song lays the grid of frames."""
        frames = block.shape[1]
        line = np.concatenate([self._dry, block], axis=1)
        dry, self._dry = line[:, :frames], line[:, frames:]
        mix = self._mix.over(self._time - self.latency, frames)
        self._time += frames
        if self._stream is None:
            return dry
        wet = self._stream.process(block, position)
        if mix.min() == 1.0:
            return wet
        return dry if mix.max() == 0.0 else dry + mix * (wet - dry)


class Voices:
    """The voice that is heard, and, while another conversion takes over, that one, warming up beside it."""

    def __init__(self, conversion: Conversion | None, sample_rate: float, channels: int, settings: Settings) -> None:
        self._format = (sample_rate, channels)
        self._switch = max(round(_SWITCH * sample_rate), 1)
        self._now = Voice(conversion, *self._format, settings)
        self._next: Voice | None = None
        self._after: Voice | None = None  # comes when the one that is taking over has done so
        self._done = 0  # samples of the switch

    @property
    def latency(self) -> int:
        """Samples by which the output is behind."""
        return self._now.latency

    @property
    def untouched(self) -> bool:
        """Whether nothing has been heard since the last reset."""
        return self._now.untouched

    def use(self, conversion: Conversion | None, settings: Settings) -> None:
        """Let another conversion take over: at once where nothing has been heard, else when it is warm."""
        voice = Voice(conversion, *self._format, settings)
        if self._now.untouched:
            self._now = voice
        elif self._done:
            self._after = voice
        else:
            self._next = voice

    def reset(self, settings: Settings) -> None:
        """Forget the stream's past; a new conversion holds at once."""
        self._now = self._after or self._next or self._now
        self._next, self._after, self._done = None, None, 0
        self._now.reset(settings)

    def move(self, frame: int, settings: Settings) -> None:
        """Move the knobs for the input from ``frame`` of the next block on."""
        for voice in (self._now, self._next, self._after):
            if voice is not None:
                voice.move(frame, settings)

    def process(self, block: Float, position: int) -> Float:
        """Return the next block; see `Voice.process`."""
        result = self._now.process(block, position)
        if self._next is None:
            return result
        frames = block.shape[1]
        begin = 0 if self._done else min(self._next.cold, frames)
        other = self._next.process(block, position)
        course = np.clip((self._done + np.arange(1, frames - begin + 1)) / self._switch, 0.0, 1.0)
        result = result.copy()
        result[:, begin:] += course.astype(np.float32) * (other[:, begin:] - result[:, begin:])
        self._done += frames - begin
        if self._done >= self._switch:
            self._now, self._next, self._after, self._done = self._next, self._after, None, 0
        return result
