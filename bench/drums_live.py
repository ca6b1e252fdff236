"""From a controller's message to the sound it asked for: Terzetto Drums in a worker, at the pace of real time.

    python -m bench.drums_live [--moves 60] [--rate 48000] [--json FILE]

A plugin's hops are posted when they are due, each with a snare struck at its first frame. A controller sends, by UDP
and at any time, where on its pad of sounds the snare is to be; timed is the way from there to the first hop whose snare
sounds so, as it comes back. Then the same for the level, which needs no sound to be made. What the plugin adds
(1,024 frames, which hosts take off) is not counted. Last, how long a hop takes to come back while the snare is moved
with every hop, so that sounds are made without pause: later than 10.7 ms it would hold up the next one.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.hosts.place import Place, wait_until

from terzetto.control.messages import Message
from terzetto.control.osc import decode_events, encode, encode_events
from terzetto_host import _bridge

HOP = 512
LEAST = 0.7
"""Seconds at least between two moves: then all that rings was struck since."""
ASKED = 40.0  # ms, the 95th percentile


@dataclass(frozen=True)
class Delay:
    """Milliseconds from a message to its sound."""

    what: str
    times: int
    p50_ms: float
    p95_ms: float
    worst_ms: float


class Deck:
    """Posts hops when they are due and hears what comes back."""

    def __init__(self, end: _bridge.HostEnd, rate: float, peer: tuple[str, int]) -> None:
        self._end, self._rate, self._peer = end, rate, peer
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._hop, self._began = 0, time.perf_counter()
        self._silence = np.zeros((2, HOP), np.float32)
        self.trip = 0.0  # seconds that the last hop took to come back

    def send(self, name: str, *arguments: float | str) -> float:
        """Send a message; return when."""
        self._udp.sendto(encode(Message(f"/terzetto/drums/{name}", arguments)), self._peer)
        return time.perf_counter()

    def next(self, *events: Message) -> NDArray[np.float32]:
        """Play a hop with a snare at its first frame; return what came back, with a tail of the hop before."""
        due = self._began + self._hop * HOP / self._rate
        time.sleep(max(0.0, due - time.perf_counter()))
        snare = Message("/terzetto/drums/note", (38, 127, 1))
        self._end.beat()
        posted = time.perf_counter()
        self._end.post(1, self._hop, self._silence, playing=False, events=encode_events([*events, snare]))
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

    def settle(self, seconds: float) -> NDArray[np.float32]:
        """Play for a while; return the last hop, when nothing changes any more."""
        for _ in range(round(seconds * self._rate / HOP)):
            audio = self.next()
        return audio


@contextmanager
def running(rate: float) -> Iterator[Deck]:
    """An engine of one's own with Terzetto Drums in it."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Place(Path(temporary) / "user")
        end = _bridge.HostEnd.create(rate, 2, HOP, realtime=True)
        server = subprocess.Popen(
            [sys.executable, "-m", "terzetto", "serve"], env=place.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            end.send_state("{}")
            if not wait_until(lambda: place.server() is not None, 30.0):
                raise SystemExit("no server came up")
            peer = ("127.0.0.1", int(str((place.server() or {})["osc_port"])))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                end.beat()
                udp.sendto(encode(Message("/terzetto/attach", (end.name, "drums", ""))), peer)
                if not wait_until(lambda: end.ready, 60.0):
                    raise SystemExit("no worker came up")
            yield Deck(end, rate, peer)
        finally:
            end.close()
            server.terminate()
            server.wait(30)


def delays(deck: Deck, moves: int, name: str, values: tuple[float, float], seed: int) -> list[float]:
    """Move something to and fro at odd times; return the milliseconds until it was heard.

    Hops are alike when nothing changes: a snare at each first frame, the same ringing below. The first one that is not
    as the one before holds the new sound.
    """
    random, found = np.random.default_rng(seed), []
    for move in range(moves):
        before = deck.settle(LEAST + random.uniform(0.0, 0.1))
        time.sleep(random.uniform(0.0, HOP / 48000))
        sent = deck.send(name, values[move % 2])
        while np.abs((audio := deck.next()) - before)[:, 64:].max() < 1e-4:
            before = audio
            if time.perf_counter() - sent > 5.0:
                raise SystemExit(f"{name}: nothing changed")
        found.append(1e3 * (time.perf_counter() - sent))
    return found


def trips(deck: Deck, seconds: float, *, moving: bool) -> list[float]:
    """Play; return the milliseconds that each hop took to come back."""
    found = []
    for number in range(round(seconds * 48000 / HOP)):
        if moving:
            deck.send("snare_x", 0.5 + 0.4 * float(np.sin(number / 7)))
        deck.next()
        found.append(1e3 * deck.trip)
    return found


def summary(what: str, found: list[float]) -> Delay:
    middle, most = np.percentile(found, [50, 95])
    return Delay(what, len(found), float(middle), float(most), float(max(found)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--rate", type=int, default=48000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with running(arguments.rate) as deck:
        deck.send("snare_source", "pad")
        deck.settle(2.0)
        rows = [
            summary("a sound: the snare on its pad", delays(deck, arguments.moves, "snare_x", (0.2, 0.8), 1)),
            summary("a value: the level", delays(deck, arguments.moves, "level", (-6.0, 0.0), 2)),
            summary("a hop's round trip, nothing moves", trips(deck, 10.0, moving=False)),
            summary("a hop's round trip, the snare in motion", trips(deck, 10.0, moving=True)),
        ]
    print(
        f"\nFrom a controller's message to its sound, {arguments.rate} Hz, hops of {HOP} frames (asked: {ASKED:g} ms)"
    )
    for row in rows:
        print(
            f"  {row.what:42} {row.times:4} times: p50 {row.p50_ms:.1f} ms, p95 {row.p95_ms:.1f} ms, "
            f"worst {row.worst_ms:.1f} ms"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
