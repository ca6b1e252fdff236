"""The server itself: one for each user, in order at its start and end, whatever happens to it or its plugins."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from terzetto_host import _bridge
from terzetto_host.places import ServerRecord
from tests.host.conftest import Controller, Plugin, RunningServer, noise, runs, until

MakeServer = Callable[..., RunningServer]
MakePlugin = Callable[..., Plugin]
MakeController = Callable[[RunningServer], Controller]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_and_leaves_nothing_behind(
    places: Path, make_server: MakeServer, make_plugin: MakePlugin, number: int
) -> None:
    server = make_server()
    plugin = make_plugin(server)
    worker = plugin.end.engine_pid
    assert stat.S_IMODE((places / "runtime").stat().st_mode) == 0o700
    assert server.end(number) == 0
    assert [path.name for path in (places / "runtime").iterdir()] == ["server.lock"]
    assert not runs(worker)
    log = (places / "state" / "server.log").read_text()
    assert "ended" in log and "Traceback" not in log


def test_a_temporary_folder_may_have_a_long_path(
    tmp_path: Path, make_server: MakeServer, make_plugin: MakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No socket fits in there, and the usual way to start workers needs one.
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    plugin = make_plugin(make_server())
    assert runs(plugin.end.engine_pid)


def test_a_second_one_says_where_the_first_is(make_server: MakeServer) -> None:
    first = make_server()
    for module in (["terzetto_host.live"], ["terzetto", "serve"]):
        second = subprocess.run(
            [sys.executable, "-m", *module, "--osc-port", "0"], capture_output=True, text=True, check=False
        )
        assert second.returncode == 2
        assert f"process {first.record.pid}" in second.stderr and str(first.record.osc_port) in second.stderr
    assert ServerRecord.read() == first.record


def test_one_that_was_killed_is_followed_by_another_and_its_workers_end(
    make_server: MakeServer, make_plugin: MakePlugin
) -> None:
    first = make_server()
    plugin = make_plugin(first)
    worker = plugin.end.engine_pid
    first.end(signal.SIGKILL)
    until(lambda: not runs(worker), "the worker's end", 5.0)
    assert ServerRecord.read() is None  # what it left tells of a process that is not there
    second = make_server()
    plugin.server = second
    assert plugin.end.send_state(plugin.state)
    plugin.reset()
    plugin.attach()
    sound = noise(2, 4 * 512)
    assert np.array_equal(plugin.stream(sound)[:, 64:], sound[:, :-64])


def test_workers_play_on_while_the_server_hangs(make_server: MakeServer, make_plugin: MakePlugin) -> None:
    server = make_server()
    plugin = make_plugin(server)
    os.kill(server.record.pid, signal.SIGSTOP)
    sound = noise(2, 64 * 512)
    assert np.array_equal(plugin.stream(sound)[:, 64:], sound[:, :-64])
    assert plugin.end.engine_silent_for() < 1.0
    os.kill(server.record.pid, signal.SIGCONT)


HOST = """
import sys, time
from terzetto_host import _bridge
end = _bridge.HostEnd.create(48000.0, 2, 512)
end.send_state("{}")
print(end.name, flush=True)
while True:
    end.beat()
    time.sleep(0.1)
"""


def test_a_host_that_is_killed_leaves_neither_worker_nor_segment(
    make_server: MakeServer, make_controller: MakeController
) -> None:
    server = make_server()
    controller = make_controller(server)
    host = subprocess.Popen([sys.executable, "-c", HOST], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    segment = host.stdout.readline().strip()
    controller.send("/terzetto/attach", segment, "timbre", "")
    until(lambda: controller.ask("/terzetto/instances") == ("i1", "timbre"), "the instance")
    assert _bridge.exists(segment)
    host.kill()
    host.wait()
    host.stdout.close()
    until(lambda: controller.ask("/terzetto/instances") == (), "the instance's end")
    until(lambda: not _bridge.exists(segment), "the segment's end")


def test_one_that_a_plugin_started_ends_when_nobody_needs_it(
    places: Path, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch, make_plugin: MakePlugin
) -> None:
    server = make_server("--while-used", "0.5")
    plugin = make_plugin(server)
    with pytest.raises(subprocess.TimeoutExpired):
        server.process.wait(1.5)
    plugin.end.close()
    assert server.process.wait(20.0) == 0
    assert not (places / "runtime" / "server.json").exists()


def test_a_port_that_is_taken_gives_the_next(make_server: MakeServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        server = make_server("--osc-port", str(port))
        assert port < server.record.osc_port <= port + 100


def test_the_local_network_is_let_in_and_out_again(
    places: Path, make_server: MakeServer, make_controller: MakeController
) -> None:
    server = make_server()
    controller = make_controller(server)

    def switch(word: str) -> str:
        command = [sys.executable, "-m", "terzetto", "osc", "allow-lan", *word.split()]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout

    assert bound_to(server) == "127.0.0.1"
    said = switch("on")
    assert str(server.record.osc_port) in said
    until(lambda: bound_to(server) == "0.0.0.0", "the open port")
    assert controller.ask("/terzetto/ping", answer="/terzetto/pong")
    assert json.loads((places / "config" / "network.json").read_text())["allow_lan"] is True
    assert "on" in switch("")
    switch("off")
    until(lambda: bound_to(server) == "127.0.0.1", "the closed port")
    assert controller.ask("/terzetto/ping", answer="/terzetto/pong")


def bound_to(server: RunningServer) -> str | None:
    """Return the address at which a server's UDP port is bound, as the system lists it."""
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        address, _, port = line.split()[1].partition(":")
        if int(port, 16) == server.record.osc_port:
            return socket.inet_ntoa(int(address, 16).to_bytes(4, sys.byteorder))
    return None


def get(server: RunningServer, path: str) -> object:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.record.http_port}{path}", timeout=20) as answer:
        return json.load(answer)


def test_everything_is_described_over_http(make_server: MakeServer, make_plugin: MakePlugin) -> None:
    server = make_server()
    info = get(server, "/?HOST_INFO")
    assert isinstance(info, dict) and info["OSC_PORT"] == server.record.osc_port
    make_plugin(server, "hands")

    def described() -> dict[str, object] | None:
        try:
            found = get(server, "/terzetto/i1/hands/left_gain")
        except urllib.error.HTTPError:
            return None
        assert isinstance(found, dict)
        return found if "VALUE" in found else None

    node = until(described, "the description")
    assert node["TYPE"] == "f" and node["VALUE"] == [0.0] and node["RANGE"] == [{"MIN": -60.0, "MAX": 12.0}]
    assert get(server, "/terzetto/i1/hands/left_gain?VALUE") == {"VALUE": [0.0]}
    for bad in ("/terzetto/nonsense", "/terzetto/i1/hands/left_gain?NONSENSE"):
        with pytest.raises(urllib.error.HTTPError) as error:
            get(server, bad)
        assert error.value.code == 404
        error.value.close()


@pytest.mark.parametrize(
    "request_", [b"", b"\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"GET " + b"x" * 9000 + b"\r\n\r\n"]
)
def test_bad_requests_over_http_change_nothing(make_server: MakeServer, request_: bytes) -> None:
    server = make_server()
    with socket.create_connection(("127.0.0.1", server.record.http_port)) as web:
        web.sendall(request_)
        web.shutdown(socket.SHUT_WR)
        web.settimeout(20)
        assert web.recv(4096)[:9] in (b"", b"HTTP/1.1 ")
    assert isinstance(get(server, "/"), dict)
