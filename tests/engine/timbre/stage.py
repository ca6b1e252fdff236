"""A stage for the live instrument: sounds that go in, recordings they take on, and a stream that it plays in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from terzetto.audio.stream import STOPPED, Transport
from terzetto.control.messages import Argument, Message
from terzetto.timbre.live import TimbreProcessor

Float = NDArray[np.float32]
RATE, HOP = 48000, 512


def tone(frames: int, channels: int = 2, pitch: float = 220.0) -> Float:
    """A harmonic tone with a vibrato, the channels of different levels."""
    time = np.arange(frames) / RATE
    phase = 2 * np.pi * pitch * time + 0.3 * np.sin(2 * np.pi * 5 * time)
    sound = sum(np.sin(k * phase) / k for k in range(1, 20))
    return np.stack([0.1 * (channel + 1) * sound for channel in range(channels)]).astype(np.float32)


def recording(path: Path, pitch: float = 330.0, seconds: float = 0.5, rate: int = RATE) -> str:
    """Write a recording of a bright tone; return its path."""
    time = np.arange(round(seconds * rate)) / rate
    sound = np.sin(2 * np.pi * pitch * time + 2 * np.sin(2 * np.pi * 2 * pitch * time))
    soundfile.write(path, 0.2 * sound, rate, subtype="FLOAT")
    return str(path)


def timbre(name: str, *arguments: Argument, frame: int = 0) -> Message:
    """A message to the instrument."""
    return Message(f"/terzetto/timbre/{name}", arguments, frame)


class Stage:
    """Plays a processor hop by hop."""

    def __init__(self, processor: TimbreProcessor, channels: int = 2, hop: int = HOP) -> None:
        self.processor, self.channels, self.hop = processor, channels, hop
        self.said: list[Message] = []
        processor.prepare(RATE, channels, hop)
        self._take()

    def play(self, sound: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        """Play a sound; events count from its first frame."""
        out = []
        for at in range(0, sound.shape[1], self.hop):
            block = sound[:, at : at + self.hop]
            here = [Message(e.address, e.arguments, e.frame - at) for e in events if at <= e.frame < at + self.hop]
            out.append(self.processor.process(block, here, transport))
            self._take()
        return np.concatenate(out, axis=1)

    def settle(self) -> None:
        """Wait for what goes on in the background, and let the next block take it up."""
        while not self.processor.wait(10.0):
            pass

    def told(self, end: str) -> list[tuple[Argument, ...]]:
        """Return what was said at an address, or at one that ends so."""
        return [message.arguments for message in self.said if message.address.endswith(end)]

    @property
    def status(self) -> str:
        """The line that was said last."""
        return str(self.told("/terzetto/status")[-1][0])

    def _take(self) -> None:
        self.said += self.processor.outbox
        self.processor.outbox.clear()
