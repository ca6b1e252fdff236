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


@pytest.mark.skipif(sys.platform != "linux", reason="threads have places of their own on Linux alone")
def test_prompt_work_is_as_urgent_as_the_caller() -> None:
    """It may hold the interpreter that the caller waits for: nobody else may put it off."""
    places: dict[str, int] = {}

    def work_of(name: str) -> Callable[[], None]:
        return lambda: places.update({name: os.getpriority(os.PRIO_PROCESS, 0)})

    def call() -> None:
        background = Background()
        try:
            os.setpriority(os.PRIO_PROCESS, 0, -5)  # of this thread
        except OSError:
            return
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
        background.run(work_of("usual"), lambda _: None, pytest.fail, now=False)
        background.run(work_of("prompt"), lambda _: None, pytest.fail, now=False, promptly=True)
        assert background.wait(10.0)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    if not places:
        pytest.skip("this user may not make threads more urgent")
    assert places == {"usual": 0, "prompt": -5}
