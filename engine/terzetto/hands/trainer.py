"""Have a take learned in another process of low priority, while the audio goes on."""

from __future__ import annotations

import contextlib
import json
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import TerzettoError
from terzetto.hands import training
from terzetto.hands.learning import Learned
from terzetto.hands.storage import from_bytes
from terzetto.score import embedded
from terzetto.score.notes import Score

Float = NDArray[np.float32]
Prepared = TypeVar("Prepared")


@dataclass(frozen=True)
class Progressed:
    """So much is done until the first window is learned, 0..1."""

    fraction: float


@dataclass(frozen=True)
class Scored:
    """The take came without a score, its times or its hands: this is it, and what the user should know of it.

    ``models``: those that found it, name → SHA-256. ``aligned``: its times were found.
    """

    score: Score
    note: str
    models: dict[str, str]
    aligned: bool = False


@dataclass(frozen=True)
class Found(Generic[Prepared]):
    """One window's templates have been learned: as bytes, and made ready by `Trainer`'s ``prepare``."""

    window: str
    data: bytes
    learned: Learned
    prepared: Prepared


@dataclass(frozen=True)
class Ended:
    """Nothing more comes; ``error`` is empty if all went well."""

    error: str = ""


News = Progressed | Scored | Found[Prepared] | Ended


class Trainer(Generic[Prepared]):
    """One take being learned; `news` tells what has happened since.

    Parameters
    ----------
    source
        What returns the take, channels × frames (called on the thread of the trainer), or the path of an audio file.
    sample_rate
        In Hz; of no meaning for a file.
    score
        In seconds from the take's beginning; hands may be unknown. None: it is heard from the take.
    windows
        In this order.
    prepare
        Called with the score and what was learned, on a thread of the trainer: for work that audio cannot wait for.
    align
        Whether the score's times are not the take's and are to be found.
    """

    def __init__(
        self,
        source: Callable[[], Float] | str,
        sample_rate: float,
        score: Score | None,
        windows: Sequence[str],
        prepare: Callable[[Score, Learned], Prepared],
        align: bool = False,
    ) -> None:
        self._source, self._sample_rate, self._score = source, sample_rate, score
        self._windows, self._prepare, self._align = list(windows), prepare, align
        self._news: queue.SimpleQueue[News[Prepared]] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="terzetto-trainer", daemon=True)
        self._thread.start()

    def news(self) -> list[News[Prepared]]:
        """Return what has happened since the last call; never waits."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._news.get_nowait())
        return found

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until all is learned; False if it takes longer."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Stop; no more news comes."""
        with self._lock:
            self._cancelled = True
            if self._process is not None and self._process.poll() is None:
                self._process.kill()

    def _work(self) -> None:
        try:
            error = self._talk()
        except OSError as problem:
            error = f"learning could not be started ({problem}); restart the engine and press Learn again"
        except TerzettoError as problem:
            error = str(problem)
        self._tell(Ended(error))

    def _tell(self, news: News[Prepared]) -> None:
        if not self._cancelled:
            self._news.put(news)

    def _talk(self) -> str:
        """Start the process, give it its job, pass on what it says; return the error it ended with."""
        with self._lock:
            if self._cancelled:
                return ""
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", "-m", "terzetto.hands.training"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
            )
        assert process.stdin is not None and process.stdout is not None
        error = "learning ended unexpectedly; press Learn again"
        with process:
            with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                self._hand_over(stdin)
            while (message := training.read(process.stdout)) is not None:
                kind, content = message
                if kind == "p":
                    self._tell(Progressed(struct.unpack(">f", content)[0]))
                elif kind == "s":
                    found = json.loads(content)
                    self._score = embedded.from_json(found)
                    self._tell(Scored(self._score, found["note"], found["models"], found["aligned"]))
                elif kind == "l":
                    assert self._score is not None
                    window, _, data = content.partition(b"\0")
                    learned = from_bytes(data)
                    self._tell(Found(window.decode(), data, learned, self._prepare(self._score, learned)))
                else:
                    error = content.decode() if kind == "e" else ""
        return error

    def _hand_over(self, stdin: IO[bytes]) -> None:
        score = None if self._score is None else embedded.to_json(self._score)
        job: dict[str, Any] = {"score": score, "align": self._align, "windows": self._windows}
        take = None
        if isinstance(self._source, str):
            job["path"] = self._source
        else:
            take = np.ascontiguousarray(self._source(), np.float32)
            job["sample_rate"], job["channels"] = self._sample_rate, len(take)
            self._source = ""  # the recording is needed no more
        text = json.dumps(job).encode()
        stdin.write(training.LENGTH.pack(len(text)) + text)
        if take is not None and take.size:
            stdin.write(take.data.cast("B"))
