"""A display without a screen (Xvfb), a pointer that is moved by a program, and a GTK window that files are dropped on.

pedalboard's JUCE ends the process where nobody looks after the desktop's settings and windows. On every real desktop
somebody does; here xsettingsd and openbox do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.hosts.failure import HostFailedError
from tests.hosts.place import wait_until

WANTED = "apt-get install xvfb xdotool xsettingsd openbox python3-gi gir1.2-gtk-3.0"
ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"  # Debian's, which has its GTK
STEPS = 24
START = 120.0  # seconds until a window is there, on a machine that is busy


def available() -> bool:
    """Whether this machine has all of it."""
    if not all(shutil.which(command) for command in ("Xvfb", "xdotool", "xsettingsd", "openbox", PYTHON)):
        return False
    asked = 'import gi; gi.require_version("Gtk", "3.0")'
    return subprocess.run([PYTHON, "-c", asked], capture_output=True, check=False).returncode == 0


class Screen:
    """A display of its own; to be used in a ``with``.

    Parameters
    ----------
    folder
        For what its programs need.
    environment
        Of its programs; `environment` has DISPLAY besides.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self._processes: list[subprocess.Popen[str]] = []
        read, write = os.pipe()
        self._start("Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp", keep=write)
        os.close(write)
        with os.fdopen(read) as told:
            number = told.readline().strip()
        if not number:
            raise HostFailedError("Xvfb found no display")
        self.environment |= {"DISPLAY": f":{number}"}
        settings = folder / "xsettingsd.conf"
        settings.write_text('Net/ThemeName "Default"\n')
        self._start("xsettingsd", "-c", str(settings))
        self._start("openbox")

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.communicate()

    def program(self, *words: str) -> subprocess.Popen[str]:
        """Start a program on it; it ends with the display."""
        return self._start(*words)

    def target(self) -> tuple[str, Path]:
        """Open a window, 200 × 200, which writes the paths of files that are dropped on it into the returned file."""
        dropped = self.folder / "dropped.txt"
        process = self.program(PYTHON, str(Path(__file__).with_name("drop_target.py")), str(dropped))
        return self.window("Drop here", process), dropped

    def window(self, name: str, process: subprocess.Popen[str]) -> str:
        """Return the number of a process's window by its title as soon as it is there."""
        found: list[str] = []

        def there() -> bool:
            found[:] = self._pointer("search", "--onlyvisible", "--name", name).split()
            return bool(found)

        if not wait_until(lambda: there() or process.poll() is not None, START, step=0.5) or not found:
            said = process.communicate()[0] if process.poll() is not None else "it runs"
            raise HostFailedError(f"no window {name!r} came up: {said}")
        return found[-1]

    def move(self, window: str, x: int, y: int) -> tuple[int, int]:
        """Move a window there; returns its width and height."""
        self._pointer("windowmove", "--sync", window, str(x), str(y))
        shape = self._values("getwindowgeometry", "--shell", window)
        return shape["WIDTH"], shape["HEIGHT"]

    def drag(self, window: str, start: tuple[int, int], target: str, end: tuple[int, int]) -> None:
        """Press at a point of one window, move to a point of another in steps as a hand does, and let go."""
        (x1, y1), (x0, y0) = self._point_to(target, end), self._point_to(window, start)
        self._pointer("mousedown", "1")
        for step in range(1, STEPS + 1):
            share = step / STEPS
            self._pointer("mousemove", str(round(x0 + (x1 - x0) * share)), str(round(y0 + (y1 - y0) * share)))
            time.sleep(0.05)
        time.sleep(0.3)
        self._pointer("mouseup", "1")

    def _point_to(self, window: str, at: tuple[int, int]) -> tuple[int, int]:
        self._pointer("mousemove", "--window", window, *map(str, at))
        time.sleep(0.3)
        place = self._values("getmouselocation", "--shell")
        return place["X"], place["Y"]

    def _values(self, *words: str) -> dict[str, int]:
        return {name: int(value) for name, value in (line.split("=") for line in self._pointer(*words).split())}

    def _start(self, *words: str, keep: int | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            words, env=self.environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, pass_fds=() if keep is None else (keep,),
        )  # fmt: skip
        self._processes.append(process)
        return process

    def _pointer(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env=self.environment, capture_output=True, text=True, timeout=20, check=False
        )
        return done.stdout
