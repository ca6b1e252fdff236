"""Real-time pace: LV2 plugins in jalv on a JACK server of its own that has no device.

The server runs in its synchronous mode: a cycle waits for its clients, so nothing is lost when the machine is busy,
and what was recorded compares sample by sample. The plugin sees real time all the same: its own lateness is its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from tests.hosts.failure import HostFailedError
from tests.hosts.plugin_state import lv2_state

Float = NDArray[np.float32]
ROOT = Path(__file__).resolve().parents[2]
WANTED = "apt-get install jackd2 jalv, pip install JACK-Client"
START = 20.0  # seconds that a server or a plugin may take to come up


def available() -> bool:
    """Whether this machine has jackd, jalv and the Python module."""
    commands = all(shutil.which(command) is not None for command in ("jackd", "jalv"))
    return commands and importlib.util.find_spec("jack") is not None


@dataclass(frozen=True)
class Recorded:
    """What the deck recorded in the cycles in which it played, and how the server did."""

    audio: Float
    xruns: int
    cycles: int
    notes: tuple[tuple[int, ...], ...] = ()
    """Frame, MIDI status, pitch and velocity of what came out of MIDI ports."""


class Recording:
    """A deck at work."""

    def __init__(self, process: subprocess.Popen[str], target: Path, seconds: float) -> None:
        self.process, self.target, self.seconds = process, target, seconds

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def result(self) -> Recorded:
        """Wait for the end of the tape."""
        said, _ = self.process.communicate(timeout=3 * self.seconds + 30)
        if self.process.returncode != 0:
            raise HostFailedError(f"the deck ended with {self.process.returncode}:\n{said}")
        report = json.loads(said.splitlines()[-1])
        return Recorded(np.load(self.target), report["xruns"], report["cycles"], tuple(map(tuple, report["notes"])))


class Plugin:
    """A plugin in jalv."""

    def __init__(self, process: subprocess.Popen[str], name: str, log: Path) -> None:
        self.process, self.name, self.log = process, name, log

    def close(self) -> None:
        """End jalv as a user does (Ctrl-C)."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(START)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise HostFailedError(f"jalv did not end:\n{self.log.read_text()}") from None


class Jack:
    """A JACK server without a device, and what runs on it; ends everything when left.

    Parameters
    ----------
    folder : Path
        For logs and tapes.
    environment : dict
        Of all processes; LV2_PATH names where the plugins are.
    sample_rate, block : int
    """

    def __init__(self, folder: Path, environment: dict[str, str], sample_rate: int = 48000, block: int = 256) -> None:
        self.folder, self.sample_rate, self.block = folder, sample_rate, block
        self.server_name = f"terzetto-test-{os.getpid()}-{time.monotonic_ns() % 10**9}"
        self.environment = environment | {
            "JACK_DEFAULT_SERVER": self.server_name,
            "JACK_NO_START_SERVER": "1",
            "JACK_NO_AUDIO_RESERVATION": "1",
        }
        self.plugins: list[Plugin] = []
        self.decks: list[Recording] = []

    def __enter__(self) -> Jack:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "jackd.log"
        arguments = ["-n", self.server_name, "--no-realtime", "--no-mlock", "--sync", "-d", "dummy"]
        with self.log.open("w") as log:
            self.server = subprocess.Popen(
                ["jackd", *arguments, "-r", str(self.sample_rate), "-p", str(self.block)],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_for("system:capture_1")
        except HostFailedError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for deck in self.decks:
            if deck.running:
                deck.process.kill()
            deck.process.wait()
        try:
            for plugin in self.plugins:
                plugin.close()
        finally:
            self.server.terminate()
            try:
                self.server.wait(START)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()

    def ports(self) -> list[str]:
        """Names of all ports."""
        script = "import jack; c = jack.Client('ask'); print('\\n'.join(p.name for p in c.get_ports())); c.close()"
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout.splitlines()

    def _wait_for(self, port: str) -> None:
        end = time.monotonic() + START
        while port not in self.ports():
            if time.monotonic() > end or self.server.poll() is not None:
                raise HostFailedError(f"no port {port} on JACK after {START:.0f} s:\n{self.log.read_text()}")
            time.sleep(0.1)

    def load(self, uri: str, state: str | None = None, name: str = "plugin") -> Plugin:
        """Load a plugin into a jalv of its own, in a state if one is given."""
        options = []
        if state is not None:
            folder = self.folder / f"{name}-state"
            folder.mkdir()
            (folder / "state.ttl").write_text(lv2_state(uri, state))
            options = ["-l", str(folder)]
        path = self.folder / f"{name}.log"
        with path.open("w") as log:
            process = subprocess.Popen(
                ["jalv", "-i", "-n", name, "-x", *options, uri],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        plugin = Plugin(process, name, path)
        self.plugins.append(plugin)
        end = time.monotonic() + START
        while not any(port.startswith(f"{name}:") for port in self.ports()):
            if process.poll() is not None or time.monotonic() > end:
                raise HostFailedError(f"jalv did not load {uri}:\n{path.read_text()}")
            time.sleep(0.1)
        return plugin

    def play(self, audio: Float, plugins: Sequence[Plugin] | None = None, tempo: float = 0.0) -> Recording:
        """Play audio into the plugins (all, one after the other in the recording's channels) and record them.

        With a tempo the transport tells bars and beats, and what comes out of instruments as MIDI is recorded too.
        """
        chosen = self.plugins if plugins is None else plugins
        known = self.ports()
        sinks: list[str] = []
        sources: list[str] = []
        for plugin in chosen:
            own = [port for port in known if port.startswith(f"{plugin.name}:")]
            sinks += [port for port in own if "audio_in" in port]
            sources += [port for port in own if "audio_out" in port or (tempo > 0 and port == f"{plugin.name}:out")]
        number = len(self.decks)
        tape, target = self.folder / f"tape{number}.npy", self.folder / f"recorded{number}.npy"
        np.save(tape, audio)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.hosts.jack_deck", str(tape), str(target), *sources, "--", *sinks],
            cwd=ROOT,
            env=self.environment | {"TERZETTO_DECK_TEMPO": str(tempo)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deck = Recording(process, target, audio.shape[1] / self.sample_rate)
        self.decks.append(deck)
        return deck
