"""At real-time pace (jalv on JACK): an engine that is killed or stopped, a host that is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.hosts.jalv import Jack, Recording
from tests.hosts.judge import Float, Verdict, delayed, judge
from tests.hosts.place import ENDING, Place, alive, host_of, segments, wait_until
from tests.hosts.states import LV2_URI, inverter, plugin_state

PIPELINE = 1024  # frames at a block of 256
COMING_UP = 30.0  # seconds


def noise(seconds: float) -> Float:
    """Make noise in stereo that is nowhere silent: what is missing from it is heard."""
    random = np.random.default_rng(11)
    samples = 0.05 + 0.1 * random.random((2, round(seconds * 48000)))
    signs = np.where(random.random(samples.shape) < 0.5, -1.0, 1.0)
    out: Float = (samples * signs).astype(np.float32)
    return out


def kill_worker(place: Place) -> None:
    for pid in place.workers():
        os.kill(pid, signal.SIGKILL)


def kill_server(place: Place) -> None:
    server = place.server()
    if server is not None:
        os.kill(int(str(server["pid"])), signal.SIGKILL)


def stop_worker(place: Place) -> None:
    """Stop it for longer than the plugin's patience; it is let go afterwards, if it still lives."""
    stopped = list(place.workers())
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(3.0)
    for pid in stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def pause_worker(place: Place) -> None:
    """Stop it for a moment: some blocks are late, then it goes on."""
    stopped = list(place.workers())
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(0.3)
    for pid in stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


FAULTS = {"worker killed": kill_worker, "server killed": kill_server, "stopped": stop_worker, "paused": pause_worker}


def served(place: Place) -> bool:
    """Whether an engine has come up, as far as can be seen from here."""
    return bool(place.workers())


def hurt(place: Place, faults: list[str], deck: Recording) -> int:
    """Do one fault after the other while the tape runs, each when an engine serves again; returns how many."""
    done = 0
    for fault in faults:
        if not wait_until(lambda: served(place), COMING_UP) or not deck.running:
            break
        time.sleep(0.7)  # let it play
        FAULTS[fault](place)
        done += 1
    wait_until(lambda: served(place), COMING_UP)
    return done


def check(recorded: Float, tape: Float) -> Verdict:
    """Every frame is wet, dry, or a fade between them: nothing is silent, nothing clicks."""
    dry = delayed(tape, PIPELINE)
    verdict = judge(recorded, dry, -dry)
    assert verdict.foreign == 0, verdict
    assert verdict.clicks == 0 and verdict.abrupt == 0, verdict
    return verdict


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(["worker killed", "paused", "stopped", "server killed", "paused", "worker killed"], id="some"),
        pytest.param(["worker killed", "stopped", "paused", "server killed"] * 5, id="twenty", marks=pytest.mark.soak),
    ],
)
def test_the_engine_killed_and_stopped_in_mid_stream(
    faults: list[str], place_with_stages: Place, tmp_path: Path, with_jack: None
) -> None:
    place = place_with_stages
    seconds = 6.0 * len(faults) + 6.0
    tape = noise(seconds)
    with Jack(tmp_path / "jack", place.environment) as jack:
        jack.load(LV2_URI, plugin_state(inverter()))
        assert wait_until(lambda: served(place), COMING_UP)
        deck = jack.play(tape)
        done = hurt(place, faults, deck)
        recorded = deck.result().audio
    assert done == len(faults), f"only {done} of {len(faults)} faults before the tape ended"
    verdict = check(recorded, tape)
    assert verdict.dry > 0, "no fault was heard: the test missed the engine"
    last = slice(-48000, None)
    ending = judge(recorded[:, last], delayed(tape, PIPELINE)[:, last], -delayed(tape, PIPELINE)[:, last])
    assert ending.wet > 0, "the engine did not come back"


def test_a_killed_host_is_noticed(place_with_stages: Place, tmp_path: Path, with_jack: None) -> None:
    place = place_with_stages
    with Jack(tmp_path / "jack", place.environment) as jack:
        plugin = jack.load(LV2_URI, plugin_state(inverter()))
        assert wait_until(lambda: served(place), COMING_UP)
        pid = plugin.process.pid
        assert [name for name in segments() if host_of(name) == pid]
        plugin.process.kill()
        plugin.process.wait()
        assert wait_until(lambda: not place.workers(), ENDING), place.processes()
        server = place.server()
        assert server is not None
        # With nothing left to serve, the server ends and takes along what the host left.
        assert wait_until(lambda: not alive(int(str(server["pid"]))), 3 * ENDING), place.processes()
    assert not [name for name in segments() if host_of(name) == pid]
