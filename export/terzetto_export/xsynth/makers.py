"""Who makes the batches: a thread beside the training, or processes, as a GPU learns faster than one core plays."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Arrays = list[NDArray[np.float32]]


class Maker(Protocol):
    """What makes a batch."""

    def arrays(self, random: np.random.Generator) -> Arrays:
        """Return the parts of a batch."""


class Makers:
    """Makes batches beside the training; which one makes a batch changes nothing in it.

    Parameters
    ----------
    maker : Maker
        Sent to each process once.
    processes : int
        1: a thread of this process.
    """

    def __init__(self, maker: Maker, processes: int = 1) -> None:
        self.ahead = 2 * processes
        self._make: Callable[[int], Arrays]
        self._pool: Executor
        if processes == 1:
            self._make, self._pool = _Seeded(maker), ThreadPoolExecutor(1)
        else:
            self._make = _made
            self._pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_hold, initargs=(maker,))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, seed: int) -> Future[Arrays]:
        """Begin to make the batch of a seed."""
        return self._pool.submit(self._make, seed)


class _Seeded:
    def __init__(self, maker: Maker) -> None:
        self._maker = maker

    def __call__(self, seed: int) -> Arrays:
        return self._maker.arrays(np.random.default_rng(seed))


_held: list[_Seeded] = []


def _hold(maker: Maker) -> None:
    import torch

    torch.set_num_threads(1)
    _held.append(_Seeded(maker))


def _made(seed: int) -> Arrays:
    return _held[0](seed)
