"""Work on threads in bounded memory. NumPy, the native kernels and file reading release the interpreter meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


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
