"""What the host's tests share: places of their own, a real server, and a plugin played by the bridge's host end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.control.messages import Message
from terzetto.control.osc import decode, decode_events, encode, encode_events
from terzetto_host import _bridge
from terzetto_host.places import ServerRecord

Float = NDArray[np.float32]
PASSES = json.dumps({"engine": {"chain": '[[stage]]\nplugin = "Gain"\ngain_db = 0.0\n'}})
"""The state of a plugin that passes the sound bit for bit, without latency."""
SECONDS = 20.0  # to wait for what happens at once on an idle machine
PLACES = tuple(f"TERZETTO_{kind}_DIR" for kind in ("RUNTIME", "CONFIG", "STATE"))


def until(condition: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
    """Wait until a condition holds and return it."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        time.sleep(0.005)
    return value


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runtime, config and state folders of the test's own."""
    for name in PLACES:
        monkeypatch.setenv(name, str(tmp_path / name.split("_")[1].lower()))
    return tmp_path


@dataclass
class RunningServer:
    """A server process."""

    process: subprocess.Popen[str]
    record: ServerRecord

    @property
    def peer(self) -> tuple[str, int]:
        return ("127.0.0.1", self.record.osc_port)

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(SECONDS)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return status


def start_server(*options: str) -> RunningServer:
    """Start a server at free ports and wait until it can be found."""
    command = [sys.executable, "-m", "terzetto_host.live", "--osc-port", "0", "--http-port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def found() -> ServerRecord | None:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        record = ServerRecord.read()
        return record if record is not None and record.pid == process.pid else None

    return RunningServer(process, until(found, "server.json"))


@pytest.fixture
def make_server(places: Path) -> Iterator[Callable[..., RunningServer]]:
    """Start servers; they are ended afterwards."""
    made: list[RunningServer] = []

    def make(*options: str) -> RunningServer:
        made.append(start_server(*options))
        return made[-1]

    yield make
    for server in made:
        with suppress(ProcessLookupError):
            server.process.send_signal(signal.SIGCONT)
        server.end()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests of a module that leave it as it was."""
    folder = tmp_path_factory.mktemp("places")
    with pytest.MonkeyPatch.context() as patch:
        for name in PLACES:
            patch.setenv(name, str(folder / name.split("_")[1].lower()))
        running = start_server()
        yield running
        running.end()


class Controller:
    """A controller: sends OSC over UDP and hears what comes back."""

    def __init__(self, peer: tuple[str, int]) -> None:
        self._peer = peer
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def send(self, address: str, *arguments: Any) -> None:
        self.raw(encode(Message(address, arguments)))

    def raw(self, packet: bytes) -> None:
        self.socket.sendto(packet, self._peer)

    def next(self, seconds: float = SECONDS) -> Message:
        """Return the message that the next packet holds."""
        self.socket.settimeout(seconds)
        (message,) = decode(self.socket.recv(65536))
        return message

    def hear(self, address: str, seconds: float = SECONDS) -> tuple[Any, ...]:
        """Return the arguments of the next message with this address."""
        deadline = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                pytest.fail(f"heard nothing from {address}")
            for message in decode(data):
                if message.address == address:
                    return message.arguments

    def wait_for_values(self) -> None:
        """Wait until the server knows what can be addressed in each instance.

        A worker tells its plugin that it is ready through the segment, and the server through a pipe: a controller
        may be quicker than the pipe, and is then told that there is no such address.
        """
        self.send("/terzetto/subscribe", self.port)
        names, known = self.hear("/terzetto/instances")[::2], set[str]()
        deadline = time.monotonic() + SECONDS
        while not known.issuperset(names):
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                messages = decode(self.socket.recv(65536))
            except TimeoutError:
                pytest.fail(f"the server knows the values of {sorted(known)} only, not of all of {names}")
            for message in messages:
                if message.address == "/terzetto/instances":
                    names = message.arguments[::2]
                else:
                    known.add(message.address.split("/")[2])
        self.send("/terzetto/unsubscribe", self.port)

    def ask(self, address: str, *arguments: Any, answer: str | None = None) -> tuple[Any, ...]:
        self.send(address, *arguments)
        return self.hear(answer or address)

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def make_controller() -> Iterator[Callable[[RunningServer], Controller]]:
    made: list[Controller] = []

    def make(server: RunningServer) -> Controller:
        made.append(Controller(server.peer))
        return made[-1]

    yield make
    for controller in made:
        controller.close()


@dataclass
class Plugin:
    """Plays the plugin: makes a segment, attaches, sends hops and hears the responses."""

    server: RunningServer
    instrument: str = "timbre"
    wanted: str = ""
    channels: int = 2
    hop: int = 512
    realtime: bool = False
    state: str = "{}"
    heard: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.end = _bridge.HostEnd.create(48000.0, self.channels, self.hop, realtime=self.realtime)
        assert self.end.send_state(self.state)
        self.epoch, self.number = 1, 0
        self.attach()

    def attach(self) -> None:
        """Ask for an engine as a plugin does: again and again until it is ready."""
        controller = Controller(self.server.peer)
        asked = 0.0

        def ready() -> bool:
            nonlocal asked
            self.end.beat()
            if time.monotonic() - asked > 0.5:
                asked = time.monotonic()
                controller.send("/terzetto/attach", self.end.name, self.instrument, self.wanted)
            return self.end.ready and self.end.engine_alive() and self.end.engine_silent_for() < 1.0

        try:
            until(ready, "an engine that is ready")
            controller.wait_for_values()
        finally:
            controller.close()

    def post(self, block: Float, *events: Message, position: int | None = None) -> None:
        self.end.beat()
        playing = position is not None
        packed = encode_events(events) if events else b""
        assert self.end.post(
            self.epoch, self.number, block, position=position, playing=playing, offline=not self.realtime, events=packed
        )
        self.number += 1

    def response(self, seconds: float = SECONDS) -> tuple[tuple[int, int], Float] | None:
        """Return (tag, audio) of the next response; None if none comes."""
        if not self.end.wait_response(seconds):
            return None
        hop = self.end.front()
        assert hop is not None
        audio = np.array(hop.audio)
        self.heard += decode_events(hop.events)
        tag = (hop.epoch, hop.hop)
        self.end.pop()
        return tag, audio

    def play(self, block: Float, *events: Message, position: int | None = None) -> Float:
        """Send a hop and return its response."""
        tag = (self.epoch, self.number)
        self.post(block, *events, position=position)
        while True:
            answer = self.response()
            assert answer is not None
            if answer[0] == tag:  # else what an engine that was lost had not taken out of the ring: a miss
                return answer[1]

    def stream(self, sound: Float) -> Float:
        """Play a sound of whole hops and return what is heard: later by 64 frames and the chain's latency."""
        blocks = [sound[:, at : at + self.hop] for at in range(0, sound.shape[1], self.hop)]
        return np.concatenate([self.play(np.ascontiguousarray(block))[:, : self.hop] for block in blocks], axis=1)

    def play_until(self, condition: Callable[[], Any], what: str) -> Any:
        """Play silence until a condition holds."""
        silence = np.zeros((self.channels, self.hop), np.float32)
        return until(lambda: (self.play(silence), condition())[1], what)

    def reset(self) -> None:
        self.epoch, self.number = self.epoch + 1, 0

    def told(self, address: str) -> tuple[Any, ...] | None:
        """Return what was last heard from an address."""
        return next((message.arguments for message in reversed(self.heard) if message.address == address), None)


@pytest.fixture
def make_plugin() -> Iterator[Callable[..., Plugin]]:
    made: list[Plugin] = []

    def make(server: RunningServer, instrument: str | None = None, **options: Any) -> Plugin:
        """Make one of an instrument, as new; without one, one whose chain passes the sound."""
        plain: dict[str, Any] = {"state": PASSES} if instrument is None else {}
        made.append(Plugin(server, instrument or "timbre", **{**plain, **options}))
        return made[-1]

    yield make
    for plugin in made:
        pid = plugin.end.engine_pid
        plugin.end.close()
        until(lambda pid=pid: not runs(pid), "the worker's end")


def runs(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be collected."""
    if pid <= 0:
        return False
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, 0)
        with suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        return True
    return False


def noise(channels: int, frames: int, seed: int = 0) -> Float:
    return (0.1 * np.random.default_rng(seed).standard_normal((channels, frames))).astype(np.float32)
