"""An instance: a plugin that is attached, by its name, with its worker process and what is known of it."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from terzetto.control.table import Command, Parameter, Value
from terzetto_host.live import reports
from terzetto_host.live.handover import UNDER_WAY

_MOST_WAITING = 256  # messages for a worker that starts

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Instance:
    """A plugin that is attached, as the server sees it.

    Attributes
    ----------
    parameters, commands : dict
        What can be addressed, by the end of its address (``hands/left_gain``).
    values : dict
        The parameters' values as last told by the worker; ``status`` and ``progress`` too.
    """

    name: str
    segment: str
    instrument: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    process: BaseProcess | None = None
    pipe: Connection | None = None
    heard: float = field(default_factory=time.monotonic)
    ending_since: float | None = None
    came_back: bool = False  # its plugin had the name before
    steered: int = 0  # messages that the worker was sent
    lately: deque[tuple[int, reports.Steer]] = field(default_factory=lambda: deque(maxlen=UNDER_WAY))  # numbered from 1
    waiting: list[reports.Steer] = field(default_factory=list)  # for a worker that starts, or for the next one

    def send(self, message: object) -> None:
        """Tell the worker something. What steers it waits where it starts or ends; else who is gone misses it."""
        steer = message if isinstance(message, reports.Steer) else None
        if steer is not None and (self.pipe is None or self.ending_since is not None):
            if len(self.waiting) < _MOST_WAITING:
                self.waiting.append(steer)
            return
        if self.pipe is None:
            return
        if steer is not None:
            self.steered += 1
            self.lately.append((self.steered, steer))
        try:
            self.pipe.send(message)
        except (OSError, ValueError):
            log.debug("%s: its worker is gone", self.name)

    def start(self, pipe: Connection) -> None:
        """Speak through a pipe from now on."""
        self.pipe, self.heard = pipe, time.monotonic()
        waiting, self.waiting = self.waiting, []
        for steer in waiting:
            self.send(steer)
