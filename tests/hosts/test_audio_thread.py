"""The plugins on an audio thread: a program of the build that aborts when their adapter allocates, locks or waits."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.hosts.place import Place


def test_a_block_of_any_host_allocates_and_locks_nothing(native_program: Callable[[str], Path], tmp_path: Path) -> None:
    place = Place(tmp_path / "nobody")
    done = subprocess.run(
        [str(native_program("plugin_processor_selftest"))],
        env=place.environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all good" in done.stdout
