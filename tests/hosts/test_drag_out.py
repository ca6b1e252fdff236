"""The pattern dragged out of the plugin's editor with a pointer, onto a window of another program."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import mido
import pytest

from terzetto.drums.midi import read_beat
from tests.hosts.place import Place, wait_until
from tests.hosts.screen import Screen

TRIES = 8  # the field says "No pattern yet" until the engine has told it
FROM_BELOW = 93  # where the field of the pattern is in the editor


def test_the_pattern_is_dropped_on_another_program(place: Place, with_display: None) -> None:
    # The engine's sockets lie in there too, so its path is to be a short one.
    with (
        TemporaryDirectory(prefix="1 % größer ") as folder,
        Screen(place.root, place.environment | {"TMPDIR": folder}) as display,
    ):
        bundle = place.home / ".vst3/Terzetto Drums.vst3"
        host = display.program(sys.executable, "-m", "tests.hosts.editor_host", str(bundle))
        editor = display.window("Pedalboard", host)
        width, height = display.move(editor, 0, 0)
        target, dropped = display.target()
        display.move(target, 1200, 300)
        for _ in range(TRIES):
            display.drag(editor, (width // 2, height - FROM_BELOW), target, (100, 100))
            if wait_until(lambda: dropped.exists() and dropped.stat().st_size > 0, 3.0):
                break
        assert dropped.exists(), f"nothing was dropped; the host: {host.poll()}"
        path = Path(dropped.read_text())
        assert path.is_relative_to(folder) and path.suffix == ".mid", path
        assert len(read_beat(path)) > 0
        assert mido.MidiFile(path).length == pytest.approx(2.0), "a bar at 120"
        host.send_signal(signal.SIGINT)
        host.communicate(timeout=30)
