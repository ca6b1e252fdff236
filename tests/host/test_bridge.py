"""The bridge from Python: two processes, long states, segments that are not what they should be, and what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.errors import TerzettoError
from terzetto_host import _bridge
from terzetto_host._bridge import BridgeError, EngineEnd, HostEnd

SHM = Path("/dev/shm")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at segments as files")

# An engine that doubles what it hears and says in its events what it got, until the host closes.
ENGINE = """
import sys, numpy as np
from terzetto_host._bridge import EngineEnd, TAIL
end = EngineEnd.attach(sys.argv[1])
end.set_latency(100)
end.set_ready(True)
while end.host_alive():
    end.beat()
    text = end.take_state()
    if text is not None:
        assert end.send_state(text[::-1])
    if not end.wait(0.02):
        continue
    while (request := end.front()) is not None:
        audio = np.zeros((end.format.channels, end.format.hop + TAIL), np.float32)
        audio[:, :-TAIL] = 2 * request.audio
        where = f"{request.position} {request.playing} {request.tempo} {request.known}"
        told = f"{where} {request.offline} {len(request.events)}"
        assert end.respond(request.epoch, request.hop, audio, told.encode())
        del request
        end.pop()
print("served")
"""

# A host that makes a segment, tells its name and lives on.
HOST = """
import sys
from terzetto_host._bridge import HostEnd
host = HostEnd.create()
print(host.name, flush=True)
sys.stdin.read()
"""

# An engine that waits for nothing.
WAITER = """
import sys
from terzetto_host._bridge import EngineEnd
end = EngineEnd.attach(sys.argv[1])
try:
    print("waits", flush=True)
    end.wait(3600.0)
except KeyboardInterrupt:
    sys.exit(130)
"""

Start = Callable[..., "subprocess.Popen[str]"]


def own_segments() -> set[str]:
    return {path.name for path in SHM.glob(f"terzetto-{os.getpid()}-*")}


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = own_segments()
    yield
    assert own_segments() <= before


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python processes; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def run(code: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *arguments]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()
    _bridge.sweep()


def path_of(name: str) -> Path:
    return SHM / name[1:]


def noise(host: HostEnd, seed: int) -> NDArray[np.float32]:
    shape = (host.format.channels, host.format.hop)
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize(("channels", "hop"), [(1, 32), (2, 512), (2, 8192)])
def test_two_processes(start: Start, channels: int, hop: int) -> None:
    host = HostEnd.create(44100.0, channels, hop)
    assert (host.engine_pid, host.ready, host.latency, host.engine_alive()) == (0, False, 0, False)
    assert host.engine_silent_for() == float("inf")
    engine = start(ENGINE, host.name)
    for epoch, hops in ((1, 200), (2, 3)):
        posted = 0
        for number in range(hops):
            while posted < min(hops, number + _bridge.SLOTS):
                events = bytes(posted % 5 * 4096)
                position = None if posted % 2 else posted * hop
                told = {"position": position, "tempo": 99.5, "playing": True, "offline": posted % 3 == 0}
                if not host.post(epoch, posted, noise(host, posted), events=events, **told):
                    break  # the engine answers a hop before it frees its slot
                posted += 1
            assert host.wait_response(30.0)
            response = host.front()
            assert response is not None
            assert (response.epoch, response.hop) == (epoch, number)
            np.testing.assert_array_equal(response.audio[:, :hop], 2 * noise(host, number))
            known = number % 2 == 0
            told = f"{number * hop if known else 0} True 99.5 {known} {number % 3 == 0} {number % 5 * 4096}"
            assert response.events.decode() == told
            host.pop()
    assert host.front() is None
    assert (host.engine_pid, host.ready, host.latency, host.engine_alive()) == (engine.pid, True, 100, True)
    assert host.engine_silent_for() < 60
    host.close()
    assert engine.communicate(timeout=30)[0] == "served\n"
    assert engine.returncode == 0
    assert host.engine_alive() is False


def test_states_pass_between_processes(start: Start) -> None:
    host = HostEnd.create()
    engine = start(ENGINE, host.name)
    for text in ("{}", '{"score": "Prélude – 前奏曲.mid"}', "0123456789" * (1 << 20)):
        assert host.send_state(text)
        answer = None
        while answer is None:
            assert engine.poll() is None
            host.wait_response(0.005)
            answer = host.take_state()
        assert answer == text[::-1]
    host.close()
    assert engine.wait(30) == 0


def test_a_state_waits_until_it_is_taken() -> None:
    host = HostEnd.create()
    assert host.send_state("first")
    engine = EngineEnd.attach(host.name)
    assert host.send_state("second") is False
    assert engine.take_state() == "first"
    assert engine.take_state() is None
    assert host.send_state("x" * (_bridge.MAILBOX_BYTES + 1)) is False
    assert engine.take_state() is None
    assert host.send_state("")
    assert engine.take_state() == ""


@on_linux
def test_a_state_takes_room_only_while_it_waits() -> None:
    host = HostEnd.create()
    engine = EngineEnd.attach(host.name)

    def room() -> int:
        return path_of(host.name).stat().st_blocks * 512

    before = room()
    assert before < _bridge.MAILBOX_BYTES
    text = "y" * (10 << 20)
    assert engine.send_state(text)
    assert room() >= before + len(text)
    assert host.take_state() == text
    assert room() == before


@on_linux
def test_a_state_that_is_no_text_is_said_so() -> None:
    host = HostEnd.create()
    engine = EngineEnd.attach(host.name)
    assert host.send_state("0123456789abcdef")
    data = path_of(host.name).read_bytes()
    with path_of(host.name).open("r+b") as file:
        file.seek(data.index(b"0123456789abcdef"))
        file.write(b"\xff\xfe")
    with pytest.raises(BridgeError, match="not UTF-8"):
        engine.take_state()
    assert host.send_state("next")
    assert engine.take_state() == "next"


def test_the_ring_fills_and_runs_on() -> None:
    host = HostEnd.create(channels=1, hop=32)
    engine = EngineEnd.attach(host.name)
    audio = noise(host, 0)
    for turn in range(3):
        for hop in range(_bridge.SLOTS):
            assert host.post(turn, hop, audio)
        assert host.post(turn, _bridge.SLOTS, audio) is False
        assert engine.wait(0.0)
        for hop in range(_bridge.SLOTS):
            request = engine.front()
            assert request is not None and (request.epoch, request.hop) == (turn, hop)
            engine.pop()
        assert engine.front() is None
        assert engine.wait(0.001) is False


def test_views_hold_the_mapping_and_are_read_only() -> None:
    host = HostEnd.create(channels=2, hop=64)
    engine = EngineEnd.attach(host.name)
    audio = noise(host, 1)
    assert host.post(1, 0, audio)
    request = engine.front()
    assert request is not None
    view = request.audio
    assert view.dtype == np.float32 and view.shape == (2, 64)
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0] = 1.0
    del engine, request, host
    np.testing.assert_array_equal(view, audio)


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros((2, 63), np.float32),
        np.zeros((1, 64), np.float32),
        np.zeros(128, np.float32),
        np.zeros((2, 64)),
        np.zeros((64, 2), np.float32).T,
    ],
)
def test_audio_of_another_shape_is_refused(audio: NDArray[np.float32]) -> None:
    host = HostEnd.create(channels=2, hop=64)
    engine = EngineEnd.attach(host.name)
    with pytest.raises(ValueError, match=r"of shape \(2, 64\), not"):
        host.post(1, 0, audio)
    with pytest.raises(ValueError, match=r"of shape \(2, 128\), not"):
        engine.respond(1, 0, audio)
    assert engine.front() is None and host.front() is None


def test_too_many_events_are_refused() -> None:
    host = HostEnd.create(channels=1, hop=32)
    engine = EngineEnd.attach(host.name)
    events = bytes(_bridge.EVENT_BYTES + 1)
    with pytest.raises(ValueError, match="16384 bytes of events at most, not 16385"):
        host.post(1, 0, noise(host, 0), events=events)
    with pytest.raises(ValueError, match="at most"):
        engine.respond(1, 0, np.zeros((1, 96), np.float32), events)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((0.0, 2, 512), "sample rate"), ((48000.0, 3, 512), "3 channels"), ((48000.0, 2, 9000), "hop of 9000 frames")],
)
def test_formats_out_of_range(arguments: tuple[float, int, int], says: str) -> None:
    with pytest.raises(BridgeError, match=says):
        HostEnd.create(*arguments)


def test_a_closed_host_wakes_the_engine() -> None:
    host = HostEnd.create()
    engine = EngineEnd.attach(host.name)
    timer = threading.Timer(0.05, host.close)
    timer.start()
    assert engine.wait(60.0)
    timer.join()
    assert engine.front() is None
    assert engine.closed and not engine.host_alive()


@on_linux
def test_waiting_hears_ctrl_c(start: Start) -> None:
    host = HostEnd.create()
    engine = start(WAITER, host.name)
    assert engine.stdout is not None and engine.stdout.readline() == "waits\n"
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == 130


def test_one_engine_at_a_time(start: Start) -> None:
    host = HostEnd.create()
    first = EngineEnd.attach(host.name)
    with pytest.raises(BridgeError, match=f"already served by engine process {os.getpid()}"):
        EngineEnd.attach(host.name)
    first.detach()
    assert host.engine_pid == 0
    second = start(ENGINE, host.name)
    assert host.post(1, 0, noise(host, 0)) and host.wait_response(30.0)
    second.kill()
    second.wait()
    assert host.engine_pid == second.pid and not host.engine_alive()
    assert host.ready  # it could not say goodbye
    third = EngineEnd.attach(host.name)
    assert host.engine_alive() and not host.ready
    third.beat()
    assert host.engine_silent_for() < 60


def test_segments_that_are_not_there() -> None:
    host = HostEnd.create()
    name = host.name
    host.close()
    for gone in (name, "/terzetto-1-999999"):
        with pytest.raises(BridgeError, match=f"'{gone}'.*insert the plugin again"):
            EngineEnd.attach(gone)
    for other in ("", "terzetto", "/psm_1234", "/terzetto-1/../../etc/passwd"):
        with pytest.raises(BridgeError, match="is not the name of a segment"):
            EngineEnd.attach(other)
    assert issubclass(BridgeError, TerzettoError)


@on_linux
@pytest.mark.parametrize(
    ("offset", "written", "says"),
    [
        (0, b"OTHERBYT", "not one of Terzetto's"),
        (0, bytes(8), "is not finished"),
        (
            8,
            (_bridge.VERSION + 1).to_bytes(4, "little"),
            f"layout version {_bridge.VERSION + 1}, this engine {_bridge.VERSION}; .*",
        ),
        (12, (7).to_bytes(4, "little"), "damaged: 7 slots"),
        (16, (1 << 40).to_bytes(8, "little"), "damaged: .* bytes announced"),
        (24, np.float64(np.nan).tobytes(), "damaged: sample rate nan"),
        (32, (200).to_bytes(4, "little"), "damaged: 200 channels"),
        (36, (1 << 31).to_bytes(4, "little"), "damaged: a hop of 2147483648 frames"),
        (36, (256).to_bytes(4, "little"), "damaged: .* expected"),
    ],
)
def test_damaged_headers_and_other_versions(offset: int, written: bytes, says: str) -> None:
    host = HostEnd.create()
    with path_of(host.name).open("r+b") as file:
        file.seek(offset)
        file.write(written)
    with pytest.raises(BridgeError, match=says):
        EngineEnd.attach(host.name)


@on_linux
@pytest.mark.parametrize("size", [0, 5, 40, 4096, 1 << 20])
def test_a_segment_cut_short(size: int) -> None:
    host = HostEnd.create()
    beginning = path_of(host.name).read_bytes()[:size]
    cut = path_of(host.name + "99")
    cut.write_bytes(beginning)
    try:
        with pytest.raises(BridgeError, match=r"not finished|damaged"):
            EngineEnd.attach(host.name + "99")
    finally:
        cut.unlink()


@on_linux
def test_sweep_takes_the_killed_hosts_and_leaves_the_living(start: Start) -> None:
    names = []
    hosts = [start(HOST) for _ in range(2)]
    for host in hosts:
        assert host.stdout is not None
        names.append(host.stdout.readline().strip())
    engine = EngineEnd.attach(names[0])
    assert engine.host_alive()
    hosts[0].kill()
    while engine.host_alive():  # also while nobody collected the dead process
        engine.wait(0.01)
    assert not engine.closed
    hosts[0].wait()
    assert not engine.host_alive()
    own = HostEnd.create()
    removed = _bridge.sweep()
    assert names[0] in removed and names[1] not in removed and own.name not in removed
    assert not path_of(names[0]).exists() and path_of(names[1]).exists() and path_of(own.name).exists()
    with pytest.raises(BridgeError, match="insert the plugin again"):
        EngineEnd.attach(names[0])
    hosts[1].communicate("", timeout=30)  # ends in peace
    assert not path_of(names[1]).exists()


@on_linux
def test_sweep_knows_half_made_segments_and_numbers_used_again() -> None:
    host = HostEnd.create()
    header = bytearray(path_of(host.name).read_bytes()[:4096])
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    reused = bytearray(header)  # this process's number, but another start
    reused[56:64] = (int.from_bytes(header[56:64], "little") + 1).to_bytes(8, "little")
    newer = bytearray(header)
    newer[8:12] = (_bridge.VERSION + 1).to_bytes(4, "little")
    segments = {
        f"/terzetto-{os.getpid()}-900": (reused, True),
        f"/terzetto-{os.getpid()}-901": (newer, False),
        f"/terzetto-{os.getpid()}-902": (b"", False),  # being made, perhaps
        f"/terzetto-{ended.pid}-903": (b"", True),
        f"/terzetto-{ended.pid}-904": (newer, True),
        "/terzetto-notes": (b"", False),
    }
    for name, (data, _) in segments.items():
        path_of(name).write_bytes(data)
    try:
        removed = _bridge.sweep()
        assert {name: name in removed for name in segments} == {name: gone for name, (_, gone) in segments.items()}
        old = path_of(f"/terzetto-{os.getpid()}-902")
        os.utime(old, (0, 0))  # nobody makes a segment for that long
        assert _bridge.sweep() == ["/" + old.name]
    finally:
        for name in segments:
            path_of(name).unlink(missing_ok=True)


FULL = """
from terzetto_host._bridge import BridgeError, EngineEnd, HostEnd
kept = []
try:
    while True:
        kept.append(HostEnd.create())
except BridgeError as error:
    assert "/dev/shm is full" in str(error), error
assert kept
engine = EngineEnd.attach(kept[0].name)
assert kept[0].send_state("x" * (8 << 20)) is False
assert engine.take_state() is None
kept.pop()
assert kept[0].send_state("{}")
assert engine.take_state() == "{}"
print("refused")
"""


@on_linux
def test_a_full_shared_memory_is_an_error_and_no_crash() -> None:
    room = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs -o size=6m none /dev/shm && exec "$@"']
    try:
        if subprocess.run([*room, "sh", "true"], capture_output=True).returncode != 0:
            pytest.skip("no small /dev/shm can be mounted here")
    except FileNotFoundError:
        pytest.skip("no unshare here")
    result = subprocess.run([*room, "sh", sys.executable, "-c", FULL], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "refused\n"), result.stderr
