"""A deck that plays an instrument in a worker at the pace of real time, as a plugin does, and is steered over UDP."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.hosts.place import Place, wait_until

from terzetto.control.messages import Argument, Message
from terzetto.control.osc import decode_events, encode, encode_events
from terzetto_host import _bridge

HOP = 512
Float = NDArray[np.float32]


@dataclass(frozen=True)
class Delay:
    """Milliseconds from a message to its sound."""

    what: str
    times: int
    p50_ms: float
    p95_ms: float
    worst_ms: float

    @classmethod
    def of(cls, what: str, found: Sequence[float]) -> Delay:
        """Sum up what was found, in milliseconds."""
        middle, most = np.percentile(found, [50, 95])
        return cls(what, len(found), float(middle), float(most), float(max(found)))

    def __str__(self) -> str:
        return (
            f"  {self.what:42} {self.times:4} times: p50 {self.p50_ms:.1f} ms, p95 {self.p95_ms:.1f} ms, "
            f"worst {self.worst_ms:.1f} ms"
        )


class Deck:
    """Posts hops when they are due and hears what comes back."""

    def __init__(self, end: _bridge.HostEnd, rate: float, peer: tuple[str, int], instrument: str) -> None:
        self._end, self.rate, self._peer, self._instrument = end, rate, peer, instrument
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._hop, self._began = 0, time.perf_counter()
        self.trip = 0.0  # seconds that the last hop took to come back

    @property
    def hop(self) -> int:
        """The number of the hop that comes next."""
        return self._hop

    @property
    def latency(self) -> int:
        """Frames by which the engine's output is delayed."""
        return int(self._end.latency)

    def send(self, name: str, *arguments: Argument) -> float:
        """Send a message; return when."""
        self._udp.sendto(encode(Message(f"/terzetto/{self._instrument}/{name}", arguments)), self._peer)
        return time.perf_counter()

    def next(self, sound: Float, *events: Message) -> Float:
        """Play a hop (2, 512); return what came back, with a tail of the hop before."""
        due = self._began + self._hop * HOP / self.rate
        time.sleep(max(0.0, due - time.perf_counter()))
        self._end.beat()
        posted = time.perf_counter()
        self._end.post(1, self._hop, sound, playing=False, events=encode_events(events) if events else b"")
        self._hop += 1
        while not self._end.wait_response(2.0):
            self._end.beat()
        self.trip = time.perf_counter() - posted
        response = self._end.front()
        assert response is not None
        audio = np.array(response.audio)
        decode_events(response.events)
        self._end.pop()
        return audio


@contextmanager
def running(rate: float, instrument: str, state: dict[str, object] | None = None) -> Iterator[Deck]:
    """An engine of one's own with an instrument in it, in the state of a plugin."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Place(Path(temporary) / "user")
        end = _bridge.HostEnd.create(rate, 2, HOP, realtime=True)
        server = subprocess.Popen(
            [sys.executable, "-m", "terzetto", "serve"], env=place.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            end.send_state(json.dumps(state or {}))
            if not wait_until(lambda: place.server() is not None, 30.0):
                raise SystemExit("no server came up")
            peer = ("127.0.0.1", int(str((place.server() or {})["osc_port"])))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                end.beat()
                udp.sendto(encode(Message("/terzetto/attach", (end.name, instrument, ""))), peer)
                if not wait_until(lambda: end.ready, 60.0):
                    raise SystemExit("no worker came up")
            yield Deck(end, rate, peer, instrument)
        finally:
            end.close()
            server.terminate()
            server.wait(30)
