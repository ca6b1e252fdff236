"""A stage for the live drums: plays a processor block by block and keeps what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.stream import STOPPED, Transport
from terzetto.control.messages import Message
from terzetto.drums.live import DrumsProcessor
from tests.engine.drums.groove import Groove
from tests.engine.drums.sound_space import Tones

RATE = 48000
Float = NDArray[np.float32]


def to(name: str, *arguments: float | int | bool | str, frame: int = 0) -> Message:
    return Message(f"/terzetto/drums/{name}", arguments, frame)


@dataclass
class Stage:
    """Plays a processor and keeps what it says."""

    drums: DrumsProcessor = field(default_factory=lambda: DrumsProcessor(lambda name: Groove(), lambda name: Tones()))
    block: int = 512
    at: int = 0
    said: list[Message] = field(default_factory=list)
    notes: list[tuple[int, int, int]] = field(default_factory=list)
    """(frame of the stream, pitch, velocity)"""

    def __post_init__(self) -> None:
        self.drums.prepare(RATE, 2, self.block)
        self.take(0)

    def take(self, first: int) -> None:
        for message in self.drums.outbox:
            if message.address.endswith("/played"):
                pitch, velocity, channel = message.arguments
                assert channel == 10
                self.notes.append((first + message.frame, int(str(pitch)), int(str(velocity))))
            else:
                self.said.append(message)
        self.drums.outbox.clear()

    def play(self, frames: int, events: Sequence[Message] = (), rolling: bool = True, tempo: float = 120.0) -> Float:
        """Play some blocks; events' frames count from the first."""
        out = []
        for first in range(0, frames, self.block):
            here = [
                Message(event.address, event.arguments, event.frame - first)
                for event in events
                if first <= event.frame < first + self.block
            ]
            transport = Transport(self.at, tempo, True) if rolling else STOPPED
            out.append(self.drums.process(np.zeros((2, self.block), np.float32), here, transport))
            self.take(self.at)
            self.at += self.block
        return np.concatenate(out, axis=1)[:, :frames]

    def settle(self) -> None:
        """Let what goes on in the background end, and the next block take it up."""
        assert self.drums.wait(20.0)
        self.play(self.block, rolling=False)

    def begun(self, pitch: int) -> list[int]:
        return [frame for frame, each, velocity in self.notes if each == pitch and velocity > 0]

    def status(self) -> str:
        return str([each.arguments[0] for each in self.said if each.address == "/terzetto/status"][-1])
