"""What the batch's tests share: folders of small takes, a job whose work crashes, hangs or fails, the command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from terzetto.audio.stems import workshop_prefix
from terzetto.errors import DiskFullError, InputError
from terzetto.jobs import Item
from terzetto.progress import Progress
from tests.host.conftest import noise

CHAIN = "[[stage]]\nplugin = 'Gain'\ngain_db = -6.0\n"
RATE = 8000


def write_chain(folder: Path, text: str = CHAIN) -> Path:
    path = folder / "chain.toml"
    path.write_text(text)
    return path


def write_takes(folder: Path, names: list[str] | int, frames: int = 4000) -> list[Path]:
    """Write small mono takes of noise, each another."""
    paths = []
    for number, name in enumerate(names if isinstance(names, list) else [f"{n:04d}.wav" for n in range(names)]):
        paths.append(folder / name)
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(os.fsencode(paths[-1]), noise(1, frames, number).T, RATE, "FLOAT", format="WAV")
    return paths


def manifest(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start the command in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "terzetto", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def about_process() -> dict[str, Any]:
    return {"pid": os.getpid(), "threads": os.environ.get("TERZETTO_THREADS", "")}


@dataclass(frozen=True)
class Trouble:
    """A job that copies its take, and does what the take's name says first: crash, hang, raise, leave things behind."""

    wait: float = 0.0

    def identity(self) -> dict[str, Any]:
        return {"job": "trouble"}

    def targets(self, item: Item) -> list[str]:
        return [item.key]

    def written(self, result: dict[str, Any]) -> list[str]:
        return [result["out"]]

    def work(self, item: Item, out: Path, progress: Progress) -> dict[str, Any]:
        progress("working", 0.1)
        time.sleep(self.wait)
        if item.track.startswith("crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if item.track.startswith("leave"):
            out.mkdir(exist_ok=True)
            tempfile.mkdtemp(prefix=workshop_prefix(os.getpid()), dir=out)
        if item.track.startswith(("hang", "leave")):
            time.sleep(600)
        if item.track.startswith("bug"):
            raise ZeroDivisionError("a plugin's mistake")
        if item.track.startswith("bad"):
            raise InputError(f"{item.title}: is bad")
        if item.track.startswith("once"):
            first = out / f".{item.track}.tried"
            if not first.exists():
                first.parent.mkdir(exist_ok=True)
                first.touch()
                os._exit(7)
        if item.track.startswith("full"):
            raise DiskFullError(f"{out}: could not be written; is the disk full?")
        target = out / item.key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(item.path.read_bytes())
        return {"take": item.title, "out": str(target), "seconds": 0.5, "elapsed": 0.0, **about_process()}

    def speed(self, item: Item) -> float:
        return 100.0

    def bytes_for(self, item: Item) -> tuple[float, int]:
        return 0.5, item.size
