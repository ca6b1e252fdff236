"""Processors: what runs live. A DAW, a controller's stage set and `terzetto process` drive the same one.

Conventions: blocks are float32, channels × frames, full scale ±1. A processor gives as many frames as it gets; what
comes out is delayed by ``latency`` frames. All blocks but the last of a stream have the frames that ``prepare`` was
told, so the samples do not depend on the host's block size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

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
    """

    position: int | None = None
    tempo: float = 0.0
    playing: bool = False


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
