"""Where the live parts find each other: the folders of docs/live.md and the small files in them.

What lies in the runtime folder tells other programs where to send audio and messages, so a folder that belongs to
someone else is refused.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from terzetto.errors import InputError, OutputError


def runtime_dir() -> Path:
    """Return the folder of ``server.json`` and ``server.lock``; it ends with the login."""
    return _place("RUNTIME")


def config_dir() -> Path:
    """Return the folder of ``engine.json`` and ``network.json``."""
    return _place("CONFIG")


def state_dir() -> Path:
    """Return the folder of the logs."""
    return _place("STATE")


def _place(kind: str) -> Path:
    given = os.environ.get(f"TERZETTO_{kind}_DIR")
    return Path(given) if given else _default(kind, sys.platform)


def _default(kind: str, platform: str) -> Path:
    home = Path.home()
    if platform == "win32":
        local, roaming = (
            Path(os.environ.get(name) or home / "AppData" / folder)
            for name, folder in (("LOCALAPPDATA", "Local"), ("APPDATA", "Roaming"))
        )
        return {
            "RUNTIME": local / "Terzetto" / "run",
            "CONFIG": roaming / "Terzetto",
            "STATE": local / "Terzetto" / "log",
        }[kind]
    if platform == "darwin":
        return {
            "RUNTIME": Path(os.environ.get("TMPDIR") or "/tmp") / "terzetto",
            "CONFIG": home / "Library" / "Application Support" / "Terzetto",
            "STATE": home / "Library" / "Logs" / "Terzetto",
        }[kind]
    if kind == "RUNTIME":
        given = os.environ.get("XDG_RUNTIME_DIR")
        return Path(given) / "terzetto" if given else Path(f"/tmp/terzetto-{os.getuid()}")
    variable, fallback = {"CONFIG": ("XDG_CONFIG_HOME", ".config"), "STATE": ("XDG_STATE_HOME", ".local/state")}[kind]
    return Path(os.environ.get(variable) or home / fallback) / "terzetto"


def ensure(folder: Path) -> Path:
    """Make a folder that only this user may enter, and return it.

    Raises
    ------
    OutputError
        It cannot be made, is not a folder, or belongs to someone else.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if os.name == "posix":
            if stat.S_ISLNK(status.st_mode):
                status = folder.stat() if status.st_uid in (0, os.getuid()) else status
            if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode):
                raise OutputError(
                    f"{folder}: belongs to another user (number {status.st_uid}) and is not to be trusted; remove it, "
                    "or set TERZETTO_RUNTIME_DIR, TERZETTO_CONFIG_DIR and TERZETTO_STATE_DIR to folders of your own"
                )
            if status.st_mode & 0o077:
                folder.chmod(0o700)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made a folder ({error.strerror or error})") from None
    return folder


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a small file whole or not at all; whoever reads it meanwhile sees the old one.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    folder = ensure(path.parent)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.write("\n")
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None


def read_json(path: Path) -> dict[str, Any]:
    """Return what a small file holds; nothing if it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """What ``server.json`` says: where the user's server is."""

    pid: int
    osc_port: int
    http_port: int
    version: str

    @staticmethod
    def path() -> Path:
        """Return where the record lies."""
        return runtime_dir() / "server.json"

    def write(self) -> None:
        """Tell plugins and controllers where this server is."""
        write_json(self.path(), asdict(self))

    @classmethod
    def read(cls) -> ServerRecord | None:
        """Return the record of a server that runs, or None."""
        content = read_json(cls.path())
        try:
            record = cls(
                int(content["pid"]),
                int(content["osc_port"]),
                int(content["http_port"]),
                str(content["version"]),
            )
        except (KeyError, TypeError, ValueError):
            return None
        return record if is_running(record.pid) else None


def is_running(pid: int) -> bool:
    """Whether a process with this number is there."""
    if pid <= 0:
        return False
    if os.name != "posix":  # os.kill would end it
        import ctypes

        windows: Any = ctypes
        kernel = windows.windll.kernel32
        handle = kernel.OpenProcess(0x1000, False, pid)
        if not handle:
            return False
        code = ctypes.c_ulong()
        alive = bool(kernel.GetExitCodeProcess(handle, ctypes.byref(code))) and code.value == 259
        kernel.CloseHandle(handle)
        return alive
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def only_server() -> Iterator[None]:
    """Hold ``server.lock`` while the block runs; the lock goes with the process, however that ends.

    Raises
    ------
    InputError
        Another server of this user holds it; the message says where that one is.
    """
    path = ensure(runtime_dir()) / "server.lock"
    with path.open("a+b") as file:
        try:
            lock(file.fileno())
        except OSError:
            there = ServerRecord.read()
            where = f"as process {there.pid}, OSC on UDP port {there.osc_port}" if there else "and is still starting"
            raise InputError(f"a Terzetto server runs already, {where}; one serves all plugins of a user") from None
        yield


def lock(handle: int) -> None:
    """Lock an open file for this process alone; raises `OSError` if another has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def engine_command() -> tuple[list[str], str] | None:
    """Return (command, version) of ``engine.json``, or None where nothing is installed."""
    content = read_json(config_dir() / "engine.json")
    command = content.get("command")
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        return None
    return command, str(content.get("version", ""))


def write_engine_command(command: list[str], version: str) -> None:
    """Write ``engine.json``, by which a plugin in any host starts this very engine."""
    write_json(config_dir() / "engine.json", {"command": command, "version": version})
