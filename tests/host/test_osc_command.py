"""``terzetto osc`` and ``terzetto serve`` in a terminal."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from terzetto.cli import main
from terzetto.control.messages import Message
from terzetto.control.osc import decode, encode
from terzetto_host.live import remote
from terzetto_host.places import ServerRecord
from tests.host.conftest import SECONDS, Plugin, RunningServer, noise, until


def osc(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "terzetto", "osc", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_values_are_set_and_asked_for(server: RunningServer, make_plugin: Callable[..., Plugin]) -> None:
    plugin = make_plugin(server, "hands")
    assert osc("send", "/terzetto/hands/left_gain", "-6").returncode == 0
    plugin.play_until(lambda: plugin.told("/terzetto/hands/left_gain") == (-6.0,), "the gain")
    assert osc("send", "/terzetto/i1/hands/solo", "left", "--port", str(server.record.osc_port)).returncode == 0
    plugin.play_until(lambda: plugin.told("/terzetto/hands/solo") == (1,), "the choice")
    until(lambda: osc("send", "/terzetto/hands/left_gain").stdout == "/terzetto/i1/hands/left_gain -6\n", "the value")
    done = osc("send", "/terzetto/hands/left_gain", "true")
    assert done.returncode == 2 and "takes a number from -60 to 12 dB; given True" in done.stderr


def test_a_monitor_shows_controllers_and_hops(server: RunningServer, make_plugin: Callable[..., Plugin]) -> None:
    plugin = make_plugin(server, "hands")
    command = [sys.executable, "-m", "terzetto", "osc", "monitor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as monitor:
        lines: list[str] = []
        assert monitor.stdout is not None
        reader = threading.Thread(target=lines.extend, args=(monitor.stdout,))
        reader.start()

        def shown(text: str) -> bool:
            plugin.play(noise(2, 512), Message("/terzetto/hands/note", (60, 100, 1), 3))
            return any(text in line for line in lines)

        until(lambda: shown("/terzetto/i1/hands/note 60 100 1"), "the note of a hop")
        assert osc("send", "/terzetto/hands/mix", "0.5").returncode == 0
        until(lambda: shown("/terzetto/hands/mix 0.5"), "the controller's message")
        until(lambda: shown("/terzetto/i1/hands/mix 0.5"), "the value that counts")
        monitor.send_signal(signal.SIGINT)
        assert monitor.wait(SECONDS) == 130
        reader.join()


def test_without_an_engine_it_says_how_to_get_one(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["osc", "send", "/terzetto/ping"]) == 2
    assert "terzetto serve" in capsys.readouterr().err
    assert main(["osc", "send", "/terzetto/ping", "--port", "x"]) == 2
    assert "a port is a number" in capsys.readouterr().err
    assert main(["osc", "allow-lan"]) == 0
    assert "off" in capsys.readouterr().out


def test_serving_in_a_terminal_shows_the_log_and_ends_with_ctrl_c(places: Path) -> None:
    command = [sys.executable, "-m", "terzetto", "serve", "--osc-port", "0", "--http-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        record = until(ServerRecord.read, "server.json")
        assert record.pid == serving.pid
        serving.send_signal(signal.SIGINT)
        _, log = serving.communicate(timeout=SECONDS)
        assert serving.returncode == 0 and f"OSC on UDP port {record.osc_port}" in log and "Traceback" not in log


@pytest.mark.parametrize("options", [["--osc-port", "x"], ["--osc-port", "70000"], ["--http-port", "-1"]])
def test_bad_ports_are_bad_usage(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["serve", *options])
    assert end.value.code == 2 and "port" in capsys.readouterr().err


def test_an_address_of_another_computer_is_refused(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "192.0.2.1"]) == 2
    assert "an address of this computer" in capsys.readouterr().err


def test_an_engine_that_goes_while_it_is_waited_for_is_missed(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(remote, "_RENEW", 0.05)
    asked: list[str] = []
    engine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    engine.bind(("127.0.0.1", 0))

    def listen_for_a_while() -> None:
        with engine:
            for _ in range(3):
                packet, peer = engine.recvfrom(1000)
                asked.append(decode(packet)[0].address)
                if asked[-1] == "/terzetto/ping":
                    engine.sendto(encode(Message("/terzetto/pong", ("1",))), peer)

    listener = threading.Thread(target=listen_for_a_while)
    listener.start()
    port = str(engine.getsockname()[1])
    assert main(["osc", "send", "/terzetto/piano/denoise", "/a.mid", "/b.mid", "--port", port]) == 2
    listener.join()
    captured = capsys.readouterr()
    assert asked == ["/terzetto/piano/denoise", "/terzetto/ping", "/terzetto/ping"] and not captured.out
    assert f"nobody listens at UDP port {port}" in captured.err
