"""``terzetto plugins doctor``: everything between a host and the engine, and for each thing wrong one cause and fix."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from terzetto import __version__
from terzetto.control.addresses import ROOT
from terzetto.control.messages import Message
from terzetto.control.osc import decode, encode
from terzetto.errors import TerzettoError
from terzetto_host import _bridge, places
from terzetto_host.network import LOOPBACK, Network, bind
from terzetto_host.plugins import bundles, this_engine

_ROOM = 64 << 20  # bytes of shared memory below which a few instances do not fit
_START = 60.0  # seconds for the engine's command to say what it takes
_ANSWER = 2.0


@dataclass(frozen=True)
class Finding:
    """What a check found: all is well (``detail`` says how), or one cause and one fix."""

    check: str
    well: bool
    detail: str = ""
    cause: str = ""
    fix: str = ""

    def json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {name: value for name, value in asdict(self).items() if value != ""}


def examine(source: Path | None = None, target: Path | None = None) -> Iterator[Finding]:
    """Make all checks, one after the other; see `terzetto_host.plugins.bundles` for the parameters."""
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("bundles", lambda: _bundles(source, target)),
        ("engine", _engine),
        ("version", _version),
        ("folders", _folders),
        ("server", _server),
        ("shared memory", _shared_memory),
        ("models", _models),
        ("log", _log),
    ]
    for name, check in checks:
        try:
            yield check()
        except (TerzettoError, OSError) as error:
            cause, _, fix = str(error).partition("; ")
            yield _ill(name, cause, fix or "do what the message says, then run terzetto plugins doctor again")


def _well(check: str, detail: str) -> Finding:
    return Finding(check, True, detail)


def _ill(check: str, cause: str, fix: str) -> Finding:
    return Finding(check, False, cause=cause, fix=fix)


def _bundles(source: Path | None, target: Path | None) -> Finding:
    chosen = bundles(source, target)
    wrong = [bundle for bundle in chosen if bundle.state != "installed"]
    if wrong:
        cause = "; ".join(
            f"{bundle.target} " + ("is not there" if bundle.state == "missing" else "is of another version")
            for bundle in wrong
        )
        return _ill("bundles", cause, "terzetto plugins install, then let the DAW scan again")
    return _well("bundles", ", ".join(str(bundle.target) for bundle in chosen))


def _engine() -> Finding:
    found, fix = places.engine_command(), "terzetto plugins install"
    path = places.config_dir() / "engine.json"
    if found is None:
        return _ill("engine", f"{path} is not there or damaged: plugins cannot start the engine", fix)
    command, _ = found
    if not os.access(command[0], os.X_OK) or not Path(command[0]).is_file():
        return _ill("engine", f"{command[0]}, which {path} names, is not there: was its environment removed?", fix)
    # As a plugin starts it: without the host's own settings for Python.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            [*command, "--help"], capture_output=True, text=True, timeout=_START, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _ill("engine", f"the engine's command does not run ({error})", fix)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return _ill("engine", f"the engine's command ends with status {done.returncode}: {reason}", fix)
    return _well("engine", " ".join(command))


def _version() -> Finding:
    found = places.engine_command()
    if found is None:
        return _ill("version", "no engine is recorded", "terzetto plugins install")
    command, version = found
    if version != __version__:
        return _ill(
            "version",
            f"the plugins' engine is version {version or 'unknown'}, this is {__version__}",
            "terzetto plugins install",
        )
    if command[0] != this_engine()[0]:
        return _ill(
            "version",
            f"plugins start the engine of another environment ({command[0]}), not this one ({this_engine()[0]})",
            "terzetto plugins install, to have them start this one",
        )
    record = places.ServerRecord.read()
    if record is not None and record.version != __version__:
        return _ill(
            "version",
            f"the server that runs is version {record.version}, this is {__version__}",
            f"close the DAW and end process {record.pid}; the next plugin starts the new one",
        )
    return _well("version", __version__)


def _folders() -> Finding:
    for folder in (places.runtime_dir(), places.config_dir(), places.state_dir()):
        places.ensure(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            return _ill("folders", f"{folder} may not be written", f"chmod u+rwx '{folder}'")
    return _well("folders", ", ".join(map(str, (places.runtime_dir(), places.config_dir(), places.state_dir()))))


def _server() -> Finding:
    record = places.ServerRecord.read()
    if record is None:
        network = Network.read()
        for kind, port in ((socket.SOCK_DGRAM, network.osc_port), (socket.SOCK_STREAM, network.http_port)):
            bind(kind, LOOPBACK, port).close()
        return _well("server", "none runs; it starts with the first plugin, and its ports can be had")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind((LOOPBACK, 0))
        there.settimeout(_ANSWER)
        there.sendto(encode(Message(f"{ROOT}/ping")), (LOOPBACK, record.osc_port))
        try:
            answered = any(message.address == f"{ROOT}/pong" for message in decode(there.recv(65536)))
        except (TimeoutError, ConnectionError, TerzettoError):
            answered = False
    if not answered:
        return _ill(
            "server",
            f"process {record.pid} does not answer on UDP port {record.osc_port}",
            f"end it (kill -9 {record.pid}); plugins start another one",
        )
    return _well("server", f"process {record.pid}, OSC on UDP port {record.osc_port}, HTTP on port {record.http_port}")


def _shared_memory() -> Finding:
    left = _bridge.sweep()
    host = _bridge.HostEnd.create()
    try:
        engine = _bridge.EngineEnd.attach(host.name)
        engine.detach()
    finally:
        host.close()
    detail = f"works{f'; removed {len(left)} segments of hosts that were killed' if left else ''}"
    memory = Path("/dev/shm")
    if sys.platform == "linux" and memory.is_dir():
        free = shutil.disk_usage(memory).free
        if free < _ROOM:
            return _ill(
                "shared memory",
                f"only {free >> 20} MB are free in {memory}; every instance needs 27 MB",
                "free some, or make it larger (mount -o remount,size=1G /dev/shm; in a container: --shm-size 1g)",
            )
        detail += f", {free >> 20} MB free in {memory}"
    return _well("shared memory", detail)


def _models() -> Finding:
    from terzetto.onnx_session import cuda_works, explain_runtimes, installed_runtimes, providers

    problem = explain_runtimes(installed_runtimes())
    if problem is not None:
        cause, _, fix = problem.partition("; ")
        return _ill("models", cause, fix)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = providers()
    detail = f"ONNX Runtime runs on {', '.join(chosen)}"
    if cuda_works() and "onnxruntime-gpu" in installed_runtimes() and len(chosen) == 1:
        detail += '; there is a CUDA device, but not what it takes to use it: pip install "terzetto[cuda]"'
    return _well("models", detail)


def _log() -> Finding:
    folder = places.state_dir()
    return _well("log", f"what went wrong in a session is in {folder}")
