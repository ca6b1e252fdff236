"""A processor for tests: it turns the polarity round, so every sample tells whether it is wet or dry.

It can be as slow as one likes, and can end its own process at a given frame, as a crash would.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from terzetto.audio.stream import STOPPED, Float, Transport
from terzetto.control.messages import Message

ADDRESS = "/terzetto/inverter/"


class Inverter:
    """Turn the polarity round.

    Settings (messages, or keys of a stage in a chain file): ``pace``, seconds of work for a second of sound;
    ``crash_at`` FRAME with ``crash_once`` PATH: the process is killed at that frame unless the file is there.
    """

    latency = 0
    state_changed = 0

    def __init__(self) -> None:
        self.outbox: list[Message] = []
        self.settings: dict[str, Any] = {}
        self.sample_rate, self.frame = 48000.0, 0

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Take up the rate."""
        self.sample_rate = sample_rate
        self.reset()

    def reset(self) -> None:
        """Count frames anew."""
        self.frame = 0

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        """Return the block upside down, after as much work as was asked for."""
        for event in events:
            if event.address.startswith(ADDRESS) and event.arguments:
                self.settings[event.address[len(ADDRESS) :]] = event.arguments[0]
        crash = self.settings.get("crash_at")
        if crash is not None and self.frame >= crash and not Path(self.settings["crash_once"]).exists():
            Path(self.settings["crash_once"]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(float(self.settings.get("pace", 0.0)) * block.shape[1] / self.sample_rate)
        self.frame += block.shape[1]
        return -block

    def state(self) -> dict[str, Any]:
        """Return the settings."""
        return dict(self.settings)

    def restore(self, state: dict[str, Any]) -> None:
        """Take up settings."""
        self.settings = dict(state)
