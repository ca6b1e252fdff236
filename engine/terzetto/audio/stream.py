"""Processors: what runs live. A DAW, a controller's stage set and `terzetto process` drive the same one.

Conventions: blocks are float32, channels × frames, full scale ±1. A processor gives as many frames as it gets; what
comes out is delayed by ``latency`` frames. All blocks but the last of a stream have the frames that ``prepare`` was
told, so the samples do not depend on the host's block size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import Take
from terzetto.control.messages import Message

Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Transport:
    """Where the host stands at a block's first frame.

    Attributes
    ----------
    position : int or None
        Song position in frames; None if the host tells none.
    tempo : float
        Beats a minute; 0 if unknown.
    playing : bool
    quarters : float or None
        The song position in quarter notes; None if the host tells none.
    """

    position: int | None = None
    tempo: float = 0.0
    playing: bool = False
    quarters: float | None = None

    def moved(self, frames: int, sample_rate: float) -> Transport:
        """Return where the host stands some frames later, or earlier."""
        position = None if self.position is None else self.position + frames
        quarters = None if self.quarters is None else self.quarters + frames * self.tempo / (60 * sample_rate)
        return replace(self, position=position, quarters=quarters)


STOPPED = Transport()


class Processor(Protocol):
    """What runs live."""

    @property
    def latency(self) -> int:
        """Frames by which the output is delayed; known after `prepare`, may change with a parameter."""

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Get ready for a stream of blocks of up to ``max_frames``; calls `reset`."""

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        """Return the next block, shaped as ``block``. Never raises on what events hold: errors go to `outbox`."""

    def reset(self) -> None:
        """Forget the stream's past (not parameters, scores or what was learned)."""


@runtime_checkable
class Stateful(Protocol):
    """A processor with more to keep than parameter values: a score, what it learned."""

    outbox: list[Message]
    """Messages for whoever listens (status, progress, errors); the driver takes and empties it after each block."""

    def state(self) -> dict[str, Any]:
        """Return everything that brings the sound back, ready for JSON; also the parameters' values."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state; what is missing (a file, a model) goes to `outbox` as a status, never as an exception."""

    @property
    def state_changed(self) -> int:
        """A count that rises whenever `state` would return something new that the host should save."""


_JITTER = 32  # frames by which a host's position may wobble without being a jump
_READ = 1 << 16  # frames read at once when rendering


class SongClock:
    """Where in the song a stream is, whatever the host tells.

    A position that moves is believed (some hosts count up to the song's beginning before they play); small wobbles are
    smoothed away. Where a host tells none, or 0 for ever, positions are counted from the last reset.

    Attributes
    ----------
    has_played : bool
        Whether the host has ever said that it plays.
    stopped : bool
        Whether the host stands still somewhere in the song: its position then means nothing for what is heard.
    jumped : bool
        Whether the last block began elsewhere than the one before had ended.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: another host, or another stream."""
        self.has_played = False
        self.reset()

    def reset(self) -> None:
        """Count from 0 again where the host tells nothing."""
        self._next = 0
        self._told: int | None = None
        self.stopped = self.jumped = False

    def advance(self, transport: Transport, frames: int) -> int:
        """Return the song position of the next block's first frame, and move on by ``frames``."""
        told = transport.position
        if told is None or (told == 0 and not transport.playing and self._told is None):
            moves = False
        else:
            moves = told != self._told
        self.jumped = moves and told is not None and abs(told - self._next) > _JITTER
        goes_on = moves and (not self.jumped or self._told is None or not self.has_played)
        self.has_played = self.has_played or transport.playing
        self.stopped = not transport.playing and not goes_on and (self.has_played or bool(told))
        if told is not None and (self.jumped or (moves and self._told is None)):
            self._next = told  # a start is exact
        self._told = told
        position = self._next
        self._next += frames
        return position


def render(
    processor: Processor,
    take: Take,
    events: Sequence[Message] = (),
    *,
    hop: int = 512,
    position: int = 0,
    listen: Callable[[Message], None] | None = None,
) -> Iterator[Float]:
    """Drive a processor over a take, as a host would, and compensate its latency.

    Parameters
    ----------
    processor
        It is prepared for the take's format first.
    take
        What goes in.
    events
        Their frames count from the take's first.
    hop
        Frames of a block.
    position
        Song position of the take's first frame, in frames. The host plays.
    listen
        Told what a `Stateful` processor says.

    Yields
    ------
    float32 (channels, frames)
        Blocks; together they are as long as the take.
    """
    processor.prepare(take.sample_rate, take.channels, hop)
    waiting = sorted(events, key=lambda event: event.frame)
    read, read_from = take.read(0, _READ), 0
    at, skip, left = 0, -1, take.frames
    says = processor if isinstance(processor, Stateful) else None
    while left > 0:
        if at + hop > read_from + read.shape[1]:
            read, read_from = take.read(at, at + max(_READ, hop)), at
        block = read[:, at - read_from : at - read_from + hop]
        here = [replace(event, frame=event.frame - at) for event in waiting if at <= event.frame < at + hop]
        result = processor.process(block, here, Transport(position + at, 0.0, True))
        if says is not None and says.outbox:
            said, says.outbox[:] = list(says.outbox), []
            for message in said:
                if listen is not None:
                    listen(message)
        at += hop
        if skip < 0:  # the first block's events may have changed it
            skip = processor.latency
        begin = min(skip, hop)
        skip -= begin
        result = result[:, begin : begin + left]
        left -= result.shape[1]
        if result.shape[1]:
            yield result
