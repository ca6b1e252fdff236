"""A user of one's own for a test: home, plugin folders, engine record, runtime, and nothing left behind.

The plugins are installed as a user installs them (`terzetto plugins install`), into this home. The engine runs with
the stages of `tests/hosts/stages` beside its own, if a test asks for them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

STAGES = Path(__file__).resolve().parent / "stages"
SHARED_MEMORY = Path("/dev/shm")
ENDING = 15.0  # seconds that processes may take to end


class Place:
    """Folders and environment of a test.

    Parameters
    ----------
    root : Path
        An empty folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.runtime, self.config, self.state = root / "run", root / "config", root / "log"
        for folder in (self.home, self.runtime, self.config, self.state):
            folder.mkdir(parents=True)
        kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "HOME": str(self.home),
            "LV2_PATH": f"{self.home / '.lv2'}:/usr/lib/lv2",
            "TERZETTO_RUNTIME_DIR": str(self.runtime),
            "TERZETTO_CONFIG_DIR": str(self.config),
            "TERZETTO_STATE_DIR": str(self.state),
        }
        self._segments = set(segments())

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `terzetto` with arguments as this user."""
        return subprocess.run(
            [sys.executable, "-m", "terzetto", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def install(self, stages: bool = False) -> None:
        """Install the plugins and record the engine; with ``stages`` the engine knows the test's processors."""
        done = self.command("plugins", "install")
        if done.returncode != 0:
            raise RuntimeError(f"terzetto plugins install ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        if stages:
            record = json.loads(self.engine_file.read_text())
            record["command"] = ["env", f"PYTHONPATH={STAGES}", *record["command"]]
            self.engine_file.write_text(json.dumps(record))

    @property
    def engine_file(self) -> Path:
        return self.config / "engine.json"

    @property
    def vst3(self) -> Path:
        """The bundle of Terzetto Hands."""
        return self.home / ".vst3/Terzetto Hands.vst3"

    def server(self) -> dict[str, object] | None:
        """What server.json says; None if no server runs."""
        try:
            record: dict[str, object] = json.loads((self.runtime / "server.json").read_text())
        except (OSError, ValueError):
            return None
        return record

    def processes(self) -> dict[int, str]:
        """All living processes of this place, whoever started them: process number → command line."""
        mark = f"TERZETTO_RUNTIME_DIR={self.runtime}".encode()
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                    if line:  # an ended process has none
                        found[int(folder.name)] = line
        return found

    def workers(self) -> list[int]:
        """The engine's workers: who has a segment in memory that another process made."""
        return [pid for pid in self.processes() if any(host_of(name) != pid for name in mapped_segments(pid))]

    def leftover_segments(self) -> list[str]:
        """Segments that came up since this place was made and whose host is no more."""
        return [name for name in segments() if name not in self._segments and not alive(host_of(name))]

    def close(self) -> list[str]:
        """End the engine; returns what would have stayed behind (it is removed)."""
        left = []
        server = self.server()
        if server is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(str(server["pid"])), signal.SIGTERM)
        if not wait_until(lambda: not self.processes(), ENDING):
            for pid, line in self.processes().items():
                left.append(f"process {pid}: {line}")
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for name in self.leftover_segments():
            left.append(f"segment {name}")
            (SHARED_MEMORY / name).unlink(missing_ok=True)
        return left


def segments() -> list[str]:
    """Names of all segments on this machine."""
    if not SHARED_MEMORY.is_dir():
        return []
    return sorted(path.name for path in SHARED_MEMORY.glob("terzetto-*-*"))


def host_of(segment: str) -> int:
    """The process number in a segment's name."""
    return int(segment.split("-")[1])


def alive(pid: int) -> bool:
    """Whether a process runs (one that ended and was not waited for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def mapped_segments(pid: int) -> set[str]:
    """Names of the segments that a process has in its memory."""
    try:
        return set(re.findall(r"/dev/shm/(terzetto-\d+-\d+)", Path(f"/proc/{pid}/maps").read_text()))
    except OSError:
        return set()


def wait_until(condition: Callable[[], bool], seconds: float, step: float = 0.05) -> bool:
    """Wait for a condition; False if it did not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True
