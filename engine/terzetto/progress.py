"""Progress: a bar with the time left on a terminal, JSON lines on request, nothing in a pipe."""

from __future__ import annotations

import json
import sys
from types import TracebackType
from typing import Any, Protocol, Self, TextIO


class Progress(Protocol):
    """What long work reports to."""

    def __call__(self, stage: str, fraction: float) -> None:
        """Say that ``fraction`` (0..1) of the whole work is done, now in ``stage``."""


def silent(stage: str, fraction: float) -> None:
    """Report nothing."""


def between(progress: Progress, start: float, stop: float) -> Progress:
    """Return a progress whose 0..1 is the part start..stop of another."""
    return lambda stage, fraction: progress(stage, start + (stop - start) * fraction)


class ProgressBar:
    """A tqdm bar on a terminal; use it as a context manager."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        from tqdm import tqdm

        self._bar: Any = tqdm(
            total=1000,
            desc=title,
            file=stream or sys.stderr,
            leave=False,
            bar_format="{desc} {bar} {percentage:3.0f} % {postfix} {elapsed} (about {remaining} left)",
        )

    def __call__(self, stage: str, fraction: float) -> None:
        """Move the bar, never backwards."""
        self._bar.set_postfix_str(stage, refresh=False)
        self._bar.update(max(round(1000 * min(fraction, 1.0)) - self._bar.n, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()


class JsonProgress:
    """One JSON object a line: ``{"take": …, "stage": …, "fraction": …}``, at most one per hundredth."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title, self._stream, self._last = title, stream or sys.stderr, -1.0

    def __call__(self, stage: str, fraction: float) -> None:
        """Write a line if something changed."""
        if fraction - self._last < 0.01 and fraction < 1.0:
            return
        self._last = fraction
        line = json.dumps({"take": self._title, "stage": stage, "fraction": round(min(fraction, 1.0), 3)})
        print(line, file=self._stream, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class NoProgress(JsonProgress):
    """Silence, with the same face."""

    def __call__(self, stage: str, fraction: float) -> None:
        """Report nothing."""


def choose(kind: str, title: str) -> ProgressBar | JsonProgress:
    """Return the progress for ``auto`` (a bar on a terminal, else nothing), ``bar``, ``json`` or ``none``."""
    if kind == "auto":
        kind = "bar" if sys.stderr.isatty() else "none"
    kinds: dict[str, type[ProgressBar] | type[JsonProgress]]
    kinds = {"bar": ProgressBar, "json": JsonProgress, "none": NoProgress}
    return kinds[kind](title)
