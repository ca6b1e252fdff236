"""Tells the server what happens in a worker, from a thread of its own: a pipe that is full holds up nobody else."""

from __future__ import annotations

import threading
import time
from collections import deque
from multiprocessing.connection import Connection
from typing import Any

from terzetto_host.live import reports

_PAUSE = 0.02  # seconds between reports: values that change faster are told as they are then
_ALIVE = 0.5  # seconds between signs of life
_MOST = 512  # messages that wait


class Teller:
    """Collects what is to be told; only the last value of an address is."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._wake = threading.Event()
        self._values: dict[str, tuple[Any, ...]] = {}
        self._passed: deque[tuple[str, tuple[Any, ...]]] = deque(maxlen=_MOST)
        self._reports: deque[object] = deque()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to tell."""
        threading.Thread(target=self._run, daemon=True).start()

    def value(self, end: str, arguments: tuple[Any, ...]) -> None:
        """Tell what a parameter is now, by the end of its address."""
        with self._lock:
            self._values[end] = arguments
        self._wake.set()

    def passed(self, end: str, arguments: tuple[Any, ...]) -> None:
        """Tell what came by in a hop."""
        self._passed.append((end, arguments))
        self._wake.set()

    def report(self, report: object) -> None:
        """Tell something else."""
        self._reports.append(report)
        self._wake.set()

    def _run(self) -> None:
        try:
            while True:
                if not self._wake.wait(_ALIVE):
                    self._pipe.send(reports.Alive())
                    continue
                self._wake.clear()
                self._send()
                time.sleep(_PAUSE)
        except (OSError, ValueError):  # the server is gone; the listener sees to the rest
            pass

    def _send(self) -> None:
        while self._reports:
            self._pipe.send(self._reports.popleft())
        with self._lock:
            values, self._values = self._values, {}
        if values:
            self._pipe.send(reports.Told(list(values.items())))
        passed = [self._passed.popleft() for _ in range(len(self._passed))]
        if passed:
            self._pipe.send(reports.Told(passed, values=False))
