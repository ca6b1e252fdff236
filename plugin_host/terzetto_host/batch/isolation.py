"""The hand that holds a worker process: what crashes or hangs in it takes one file with it, and no other."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from terzetto.errors import TerzettoError
from terzetto.jobs import Item, Job
from terzetto.parallel import LIMIT
from terzetto.progress import Progress
from terzetto_host.batch.fingerprint import content_hash, score_hash, stamp, versions
from terzetto_host.batch.manifest import Record
from terzetto_host.batch.places import is_url, local
from terzetto_host.batch.work import sweep
from terzetto_host.batch.worker import receive, send

TRIES = 3
"""How often a file is tried whose work ends in a crash, a hang or an error that is no answer."""
_LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")
_START = 60.0  # seconds for a worker to come up on a busy machine
_GRACE = 3.0  # seconds to end in order


class LostError(Exception):
    """The worker is gone, with what it worked on; the message says how."""


class Worker:
    """A worker process, started when there is work and again after it was lost.

    Parameters
    ----------
    threads
        What it may use of the cores.
    limit
        Seconds without progress after which it is taken to hang.
    """

    def __init__(self, threads: int, limit: float) -> None:
        self._threads, self._limit = threads, limit
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._closed = False

    def do(self, job: Job, item: Item, out: str, chain: str, progress: Progress) -> Record:
        """Do a job to one file, three times at most if it ends in nothing; see `Record` for what becomes of it."""
        problem = ""
        for tries in range(1, TRIES + 1):
            try:
                record = self._once(job, item, out, chain, progress)
            except LostError as lost:
                problem = str(lost)
                self._sweep(job, item, out)
                if self._closed:
                    break
                continue
            record.tries = tries
            if record.status != "error":
                return record
            problem = record.error
        record = Record(item.key, item.title, "quarantined", chain, score=score_hash(item.score), versions=versions())
        record.error, record.tries = f"{item.title}: {problem}; given up after {tries} tries", tries
        record.input = {**(stamp(item) or {})}
        if not is_url(item.title):
            with contextlib.suppress(Exception):
                record.input["sha256"] = content_hash(item.path)
        return record

    @property
    def pid(self) -> int | None:
        """Its process, if there is one."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """End it, in order if it can; work under way is lost."""
        self._closed = True
        self._end(signal.SIGTERM)

    def _once(self, job: Job, item: Item, out: str, chain: str, progress: Progress) -> Record:
        process = self._started()
        assert process.stdin is not None
        try:
            send(process.stdin, (job, item, out, chain))  # type: ignore[arg-type]
        except OSError:
            raise self._gone() from None
        while True:
            try:
                kind, content = self._answers.get(timeout=self._limit)
            except queue.Empty:
                self._end(signal.SIGTERM)
                raise LostError(f"no progress for {self._limit:g} s (--timeout)") from None
            if kind == "done":
                record: Record = content
                return record
            if kind == "gone":
                raise self._gone()
            progress(*content)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        threads = str(self._threads)
        environment = {**os.environ, **dict.fromkeys(_LIBRARIES, threads), LIMIT: threads}
        command = [sys.executable, "-P", "-m", "terzetto_host.batch.worker"]  # -P: not what lies in this folder
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment)
        except OSError as error:  # no process or no memory is left
            raise TerzettoError(f"no worker could be started ({error}); fewer at once (-j) need less") from None
        self._answers = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(self._process.stdout, self._answers), daemon=True)
        reader.start()
        try:
            kind, _ = self._answers.get(timeout=_START)
        except queue.Empty:
            self._end(signal.SIGKILL)
            raise LostError(f"the worker did not start within {_START:g} s") from None
        if kind != "ready":
            raise self._gone()
        return self._process

    def _gone(self) -> LostError:
        """Say how the worker ended."""
        process = self._process
        assert process is not None
        try:
            status = process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            status = 0
        self._end(signal.SIGKILL)
        if status < 0:
            name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
            return LostError(f"the process that worked on it crashed ({name})")
        return LostError(f"the process that worked on it ended by itself (status {status})")

    def _end(self, number: int) -> None:
        process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.send_signal(number)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()

    def _sweep(self, job: Job, item: Item, out: str) -> None:
        if self.pid is not None:
            folders = set() if is_url(out) else {Path(local(out), target).parent for target in job.targets(item)}
            sweep(folders, self.pid)


def _read(stream: Any, answers: queue.SimpleQueue[Any]) -> None:
    with contextlib.suppress(EOFError, OSError, ValueError):
        while True:
            answers.put(receive(stream))
    answers.put(("gone", None))
    stream.close()
