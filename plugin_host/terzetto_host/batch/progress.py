"""How far a batch is: a bar with the time left on a terminal, JSON lines on request. Large files count for more."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TextIO

from terzetto.jobs import Item

_EVERY = 0.2  # seconds between two lines or movements


class BatchProgress:
    """The progress of a batch; use it as a context manager.

    Parameters
    ----------
    kind
        ``auto``, ``bar``, ``json`` or ``none``, as `terzetto.progress.choose` has them.
    files, size
        How many, and their bytes together.
    """

    def __init__(self, kind: str, files: int, size: int, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        if kind == "auto":
            kind = "bar" if self._stream.isatty() else "none"
        self._kind, self._files, self._size = kind, files, max(size, 1)
        self._lock = threading.RLock()
        self._under_way: dict[str, float] = {}  # key → bytes
        self._finished = self._count = 0
        self._skipped_size = 0
        self._began, self._shown = time.monotonic(), 0.0
        self._bar: Any = None
        if kind == "bar":
            from tqdm import tqdm

            self._bar = tqdm(
                total=1.0,
                file=self._stream,
                leave=False,
                bar_format="{desc} {bar} {percentage:3.0f} % {elapsed} {postfix}",
            )

    def hear(self, item: Item, stage: str, fraction: float) -> None:
        """Take notice of how far a file is; from any thread."""
        with self._lock:
            self._under_way[item.key] = item.size * min(fraction, 1.0)
            self._show(item.title, stage)

    def finish(self, item: Item, status: str) -> None:
        """Take notice that a file needs no more work: ``done``, ``failed`` …, or ``skipped`` if none was needed."""
        with self._lock:
            self._under_way.pop(item.key, None)
            self._finished += item.size
            self._skipped_size += item.size if status == "skipped" else 0
            self._count += 1
            self._show(item.title, status, now=status != "skipped")

    @property
    def fraction(self) -> float:
        """How much of all is done, 0..1."""
        return min((self._finished + sum(self._under_way.values())) / self._size, 1.0)

    def seconds_left(self) -> float | None:
        """Return the time that the rest takes at the pace so far; None before there is one."""
        done = self.fraction * self._size - self._skipped_size
        if done <= 0:
            return None
        return (time.monotonic() - self._began) * (1 - self.fraction) * self._size / done

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Make room on the terminal for a line of text."""
        with self._lock:
            if self._bar is not None:
                self._bar.clear()
            yield
            if self._bar is not None:
                sys.stdout.flush()
                self._bar.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def _show(self, title: str, stage: str, now: bool = False) -> None:
        if self._kind == "none" or (not now and time.monotonic() - self._shown < _EVERY):
            return
        self._shown = time.monotonic()
        left = self.seconds_left()
        if self._bar is not None:
            self._bar.n = self.fraction
            self._bar.set_description_str(f"{self._count} of {self._files} files", refresh=False)
            self._bar.set_postfix_str("" if left is None else f"(about {_clock(left)} left)", refresh=True)
            return
        line = {
            "take": title,
            "stage": stage,
            "fraction": round(self.fraction, 4),
            "files": self._count,
            "of": self._files,
            "left": None if left is None else round(left, 1),
        }
        print(json.dumps(line), file=self._stream, flush=True)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"
