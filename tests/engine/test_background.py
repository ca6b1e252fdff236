"""Work in the background."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from terzetto.background import Background

_WORK = """
import time
from terzetto.background import Background

def work():
    time.sleep(0.3)
    print("done")

Background().run(work, lambda _: None, lambda _: None, now=False)
"""


def test_a_process_ends_after_what_it_does_in_the_background() -> None:
    """A thread that is cut off in native code ends the process by a signal, whatever it had done before."""
    ended = subprocess.run([sys.executable, "-c", _WORK], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


Place = tuple[int, int]


def _place() -> Place:
    """Return the real-time priority (0: none) and the niceness of this thread."""
    return os.sched_getparam(0).sched_priority, os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have places of their own on Linux alone")
@pytest.mark.parametrize(("caller", "prompt"), [((0, -5), (0, -5)), ((3, 0), (2, 0)), ((1, 0), (1, 0))])
def test_prompt_work_is_as_urgent_as_the_caller(caller: Place, prompt: Place) -> None:
    """It may hold the interpreter that the caller waits for: nobody else may put it off."""
    places: dict[str, Place] = {}

    def work_of(name: str) -> Callable[[], None]:
        def work() -> None:
            places[name] = _place()
            helper = threading.Thread(target=lambda: places.update({f"made by {name}": _place()}))
            helper.start()
            helper.join()

        return work

    def call() -> None:
        background = Background()
        priority, nice = caller
        policy = os.SCHED_RR if priority else os.SCHED_OTHER
        try:
            os.setpriority(os.PRIO_PROCESS, 0, nice)  # of this thread
            os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
        except OSError:
            return
        background.run(work_of("usual"), lambda _: None, pytest.fail, now=False)
        background.run(work_of("prompt"), lambda _: None, pytest.fail, now=False, promptly=True)
        assert background.wait(10.0)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    if not places:
        pytest.skip("this user may not make threads more urgent")
    usual = (0, 0)
    assert places == {"usual": usual, "made by usual": usual, "prompt": prompt, "made by prompt": usual}


def test_prompt_work_is_done_where_places_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with musl."""

    def unknown(*_: object) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "sched_getscheduler", unknown, raising=False)
    background, done = Background(), list[str]()
    background.run(lambda: "done", done.append, pytest.fail, now=False, promptly=True)
    assert background.wait(10.0)
    background.finish()
    assert done == ["done"]
