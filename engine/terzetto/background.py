"""Work that the audio thread should not do, and what follows from it, which only the audio thread may do."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

from terzetto.errors import TerzettoError

Result = TypeVar("Result")

log = logging.getLogger(__name__)

_AT_EXIT = 10.0  # seconds
_running: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


class Background:
    """Runs work on threads; `finish` then does what follows, between two blocks."""

    def __init__(self) -> None:
        self._done: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    @property
    def has_news(self) -> bool:
        """Whether `finish` has something to do."""
        return not self._done.empty()

    def run(
        self,
        work: Callable[[], Result],
        then: Callable[[Result], None],
        fail: Callable[[str], None],
        *,
        now: bool,
        promptly: bool = False,
    ) -> None:
        """Do work, and later what follows from it; ``fail`` is told why it could not be done.

        Parameters
        ----------
        now
            Do all of it at once: nothing sounds yet that could be disturbed.
        promptly
            The work is short: do it just behind the caller, before all other programs. Else they could put it off
            while it holds the interpreter, and the caller would wait for them.
        """
        take_place = _place_behind_the_caller() if promptly and not now else None

        def do() -> None:
            if take_place is not None:
                take_place()
            try:
                result = work()
            except (TerzettoError, ValueError, OSError) as error:
                problem = str(error)
                self._done.put(lambda: fail(problem))
            except Exception as error:  # a fault of ours: whoever waits for it hears of it, and the log says where
                log.exception("work in the background failed")
                fault = f"{type(error).__name__}: {error}"
                self._done.put(lambda: fail(fault))
            else:
                self._done.put(lambda: then(result))

        if now:
            do()
            self.finish()
        else:
            thread = threading.Thread(target=do, name="terzetto-background", daemon=True)
            self._threads = [*(each for each in self._threads if each.is_alive()), thread]
            thread.start()
            _running.add(thread)

    def wait(self, seconds: float) -> bool:
        """Wait until all work is done, and `finish` can do what follows; False if one takes longer than that."""
        for thread in self._threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def finish(self) -> None:
        """Do what follows from the work that is done."""
        while not self._done.empty():
            self._done.get()()


def _place_behind_the_caller() -> Callable[[], None] | None:
    """Return what gives a thread the calling thread's place in the queue for a core, or the next; None: it has none."""
    if sys.platform != "linux":
        return None
    try:
        policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
        priority = os.sched_getparam(0).sched_priority
        nice = os.getpriority(os.PRIO_PROCESS, 0)  # of this thread
    except OSError:  # musl knows no places, and a sandbox may not tell
        return None
    realtime = policy in (os.SCHED_RR, os.SCHED_FIFO)

    def take_place() -> None:
        with contextlib.suppress(OSError):
            if not realtime:
                os.setpriority(os.PRIO_PROCESS, 0, nice)
            # Threads that the work makes do not get it: they may stay.
            behind = os.sched_param(max(priority - 1, 1) if realtime else 0)
            os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, behind)

    return take_place if realtime or nice < 0 else None


@atexit.register
def _end() -> None:
    """Wait for work under way: a thread that is cut off within a model or a resampler aborts the whole process."""
    deadline = time.monotonic() + _AT_EXIT
    for thread in list(_running):
        thread.join(max(deadline - time.monotonic(), 0.0))
