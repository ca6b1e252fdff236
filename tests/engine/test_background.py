"""Work in the background."""

from __future__ import annotations

import subprocess
import sys

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
