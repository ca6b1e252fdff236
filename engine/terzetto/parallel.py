"""Work on threads in bounded memory. NumPy, the native kernels and file reading release the interpreter meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

LIMIT = "TERZETTO_THREADS"
"""Environment variable: the most threads that this process may use. A batch divides the cores among its workers so."""


def threads_for(wanted: int = 0) -> int:
    """Return how many threads to use: as many as wanted (0: as there are cores), within the limit of this process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get(LIMIT, "")
    return min(wanted or cores, max(int(limit), 1)) if limit.isdigit() else wanted or cores


def in_parallel(work: Callable[[Job], Result], jobs: Iterator[Job], threads: int) -> Iterator[Result]:
    """Yield work(job) in order, a few jobs ahead on threads: memory stays bounded whatever the number of jobs."""
    if threads <= 1:
        yield from map(work, jobs)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting = []
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) > threads:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
