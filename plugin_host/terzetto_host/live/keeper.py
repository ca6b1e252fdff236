"""Hands an instance's state to its plugin, from a thread of its own: writing it down takes longer than a hop."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

_AGAIN = 0.1  # seconds after which a plugin that has not taken the last state yet is asked again

log = logging.getLogger(__name__)


class StateKeeper:
    """Sends the newest state as soon as the plugin has taken the one before."""

    def __init__(self, end: Any) -> None:
        self._end = end
        self._newest: dict[str, Any] | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()

    def start(self) -> None:
        """Begin to send."""
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, state: dict[str, Any]) -> None:
        """Take a state that will not change any more."""
        with self._lock:
            self._newest = state
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            with self._lock:
                state, self._newest = self._newest, None
            if state is None:
                continue
            try:
                text = json.dumps(state, separators=(",", ":"))
            except (TypeError, ValueError):
                log.exception("a state is not JSON")
                continue
            while not self._end.send_state(text):
                if self._wake.wait(_AGAIN):  # there is a newer one
                    break
