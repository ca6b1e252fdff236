"""The parts of `bench.live` that need no DAW: a hop's round trip through a worker, and the latency a plugin reports."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.hosts.hands_take import HandsTake
from tests.hosts.offline import Render, render
from tests.hosts.place import Place, wait_until
from tests.hosts.states import plugin_state

from terzetto.control.messages import Message
from terzetto.control.osc import encode
from terzetto.hands.live import HandsProcessor
from terzetto_host import _bridge

HOP = 512
BLOCKS = (64, 128, 256, 512, 1024, 2048, 4096, 8192)


@dataclass(frozen=True)
class RoundTrip:
    """Milliseconds from a hop posted to its response, at the pace of real time."""

    load: str
    hops: int
    p50_ms: float
    p99_ms: float
    worst_ms: float


@dataclass(frozen=True)
class Latency:
    """Frames that the plugin reports, per block size."""

    setting: str
    frames: dict[int, int]


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep so many cores busy."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def load_name(processes: int) -> str:
    """Say what else the machine does."""
    return "idle" if processes == 0 else f"{processes} busy processes"


def round_trips(take: HandsTake, place: Place, load: int, seconds: float = 60.0) -> RoundTrip:
    """Post hops of a take to a worker as a plugin does, at real-time pace, and time the answers."""
    end = _bridge.HostEnd.create(take.sample_rate, 2, HOP)
    server = subprocess.Popen(
        [sys.executable, "-m", "terzetto", "serve"],
        env=place.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end.send_state(take.state)
        if not wait_until(lambda: place.server() is not None, 30.0):
            raise SystemExit("no server came up")
        port = int(str((place.server() or {})["osc_port"]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            packet = encode(Message("/terzetto/attach", (end.name, "hands", "")))
            end.beat()
            udp.sendto(packet, ("127.0.0.1", port))
            if not wait_until(lambda: end.ready, 60.0):
                raise SystemExit("no worker came up")
        with busy(load):
            times = np.array(list(_trips(end, take, seconds)))
    finally:
        end.close()
        server.terminate()
        server.wait(30)
    milliseconds = 1e3 * times
    return RoundTrip(
        load_name(load),
        len(times),
        float(np.percentile(milliseconds, 50)),
        float(np.percentile(milliseconds, 99)),
        float(milliseconds.max()),
    )


def _trips(end: _bridge.HostEnd, take: HandsTake, seconds: float) -> Iterator[float]:
    hops = int(seconds * take.sample_rate / HOP)
    began = time.perf_counter()
    for hop in range(hops):
        at = hop * HOP % (take.audio.shape[1] - HOP)
        audio = np.ascontiguousarray(take.audio[:, at : at + HOP])
        due = began + hop * HOP / take.sample_rate
        time.sleep(max(0.0, due - time.perf_counter()))
        posted = time.perf_counter()
        end.post(1, hop, audio, position=at, playing=True)
        while not end.wait_response(2.0):
            end.beat()
        yield time.perf_counter() - posted
        end.pop()
        if hop % 20 == 0:
            end.beat()


def added_latencies(place: Place, rate: int, folder: Path) -> list[Latency]:
    """Ask the plugin in DawDreamer what it reports at each block size, less what Hands itself needs."""
    silence = np.zeros((2, 2048), np.float32)
    instrument = hands_latency(rate, "long")
    rows = []
    for setting, low_latency in (("default", False), ("low latency", True)):
        jobs = [Render(silence, rate, block) for block in BLOCKS]
        state = plugin_state(values={"low_latency": low_latency})
        found = render("dawdreamer", place.vst3, jobs, folder / setting, place.environment, state=state)
        frames = {job.block: item.latency - instrument for job, item in zip(jobs, found, strict=True)}
        rows.append(Latency(setting, frames))
    return rows


def hands_latency(rate: int, window: str) -> int:
    """Frames that Hands itself needs."""
    hands = HandsProcessor()
    hands.prepare(rate, 2, HOP)
    hands.process(np.zeros((2, HOP), np.float32), [Message("/terzetto/hands/window", (window,))])
    return hands.latency
