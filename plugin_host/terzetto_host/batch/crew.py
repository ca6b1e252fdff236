"""Workers on this machine: each file goes to the next one that is free."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from terzetto.jobs import Item, Job
from terzetto.parallel import threads_for
from terzetto.progress import Progress
from terzetto_host.batch.isolation import Worker
from terzetto_host.batch.manifest import Record
from terzetto_host.batch.work import work_on

Hear = Callable[[Item, str, float], None]
"""Told how far a file is: item, stage, 0..1. From any thread."""


class Crew(Protocol):
    """What does the work on many files."""

    def run(self, items: Iterator[Item], hear: Hear) -> Iterator[Record]:
        """Work on all items and yield what became of each, in the order in which they end."""

    def stop(self) -> None:
        """Begin nothing more; what is under way ends."""


class LocalCrew:
    """Worker processes on this machine.

    Parameters
    ----------
    job, out, chain
        What is done, where results go, and the job's hash.
    workers
        How many files at a time.
    threads
        Cores for all of them together; 0 for all there are.
    limit
        See `Worker`.
    """

    def __init__(self, job: Job, out: str, chain: str, workers: int, threads: int, limit: float) -> None:
        self._job, self._out, self._chain = job, out, chain
        share = max(threads_for(threads) // workers, 1)
        self._workers = [Worker(share, limit) for _ in range(workers)]
        self._stopped = threading.Event()

    def run(self, items: Iterator[Item], hear: Hear) -> Iterator[Record]:
        """Work on all items; see `Crew`."""
        lock, results = threading.Lock(), queue.Queue[Record | BaseException | None](2 * len(self._workers))
        hands = [
            threading.Thread(target=self._hand, args=(worker, items, lock, results, hear), daemon=True)
            for worker in self._workers
        ]
        for hand in hands:
            hand.start()
        try:
            left = len(hands)
            while left:
                found = results.get()
                if isinstance(found, BaseException):
                    raise found
                if found is None:
                    left -= 1
                else:
                    yield found
        finally:
            self.stop()
            enders = [threading.Thread(target=worker.close) for worker in self._workers]
            for ender in enders:
                ender.start()
            for ender in enders:
                ender.join()
            while any(hand.is_alive() for hand in hands):
                with contextlib.suppress(queue.Empty):
                    results.get(timeout=0.05)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped.set()

    def _hand(
        self,
        worker: Worker,
        items: Iterator[Item],
        lock: threading.Lock,
        results: queue.Queue[Record | BaseException | None],
        hear: Hear,
    ) -> None:
        try:
            while not self._stopped.is_set():
                with lock:
                    item = next(items, None)
                if item is None:
                    break
                record = worker.do(self._job, item, self._out, self._chain, _progress(hear, item))
                if record.status == "full":
                    self.stop()
                results.put(record)
        except BaseException as error:
            results.put(error)
            return
        results.put(None)


class NoCrew:
    """The work is done right here: files that only this process sees (``memory://``)."""

    def __init__(self, job: Job, out: str, chain: str) -> None:
        self._job, self._out, self._chain = job, out, chain
        self._stopped = False

    def run(self, items: Iterator[Item], hear: Hear) -> Iterator[Record]:
        """Work on all items; see `Crew`."""
        for item in items:
            record = work_on(self._job, item, self._out, self._chain, _progress(hear, item))
            if record.status == "error":
                record.status = "failed"
            yield record
            if self._stopped or record.status == "full":
                return

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True


def _progress(hear: Hear, item: Item) -> Progress:
    return lambda stage, fraction: hear(item, stage, fraction)
