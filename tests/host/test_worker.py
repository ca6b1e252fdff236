"""A plugin, a server and its workers, each a real process: from attaching to the sound and its end."""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from terzetto.control.messages import Message
from terzetto.control.osc import encode
from terzetto_host.live.worker import _be_quick
from tests.host.conftest import Controller, Plugin, RunningServer, noise, runs, until

MakePlugin = Callable[..., Plugin]
MakeController = Callable[[RunningServer], Controller]
GAIN = '[[stage]]\nplugin = "Gain"\ngain_db = -6.0\n'
LOOKAHEAD = '[[stage]]\nplugin = "BrickwallLimiter"\nceiling_db = 0.0\n'


def state_with(chain: str) -> str:
    return json.dumps({"format": "terzetto-plugin", "version": 1, "engine": {"chain": chain}})


@pytest.mark.parametrize(("channels", "hop"), [(1, 256), (2, 512), (2, 32)])
def test_a_chain_that_does_nothing_passes_the_sound_bit_for_bit(
    server: RunningServer, make_plugin: MakePlugin, channels: int, hop: int
) -> None:
    plugin = make_plugin(server, channels=channels, hop=hop)
    assert plugin.end.latency == 0
    sound = noise(channels, 16 * hop)
    heard = plugin.stream(sound)
    assert not heard[:, :64].any() and np.array_equal(heard[:, 64:], sound[:, :-64])
    assert plugin.told("/terzetto/instance") == ("i1",)
    assert plugin.told("/terzetto/osc_port") == (server.record.osc_port,)


def test_a_response_holds_what_comes_next_to_fade_out_on(server: RunningServer, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(server)
    sound = noise(2, 1024)
    plugin.play(sound[:, :512].copy())
    response = plugin.play(sound[:, 512:].copy())
    assert response.shape == (2, 512 + 64) and np.array_equal(response, sound[:, 512 - 64 :])


def test_a_saved_chain_is_played_at_its_latency(server: RunningServer, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(server, state=state_with(LOOKAHEAD))
    assert plugin.end.latency == 240
    sound = noise(2, 32 * 512)
    heard = plugin.stream(sound)
    assert np.abs(heard[:, 304:] - sound[:, :-304]).max() < 1e-6


def test_a_new_epoch_starts_the_stream_anew(server: RunningServer, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(server, state=state_with(LOOKAHEAD))
    sound = noise(2, 8 * 512)
    first = plugin.stream(sound)
    plugin.reset()
    assert np.array_equal(plugin.stream(sound), first)


def test_missing_hops_are_made_up_for_with_silence(server: RunningServer, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(server, state=state_with(LOOKAHEAD))
    sound = noise(2, 12 * 512)
    whole = sound.copy()
    whole[:, 4 * 512 : 6 * 512] = 0.0
    expected = plugin.stream(whole)
    plugin.reset()
    before = plugin.stream(sound[:, : 4 * 512].copy())
    plugin.number += 2
    after = plugin.stream(sound[:, 6 * 512 :].copy())
    assert np.array_equal(before, expected[:, : 4 * 512])
    assert np.array_equal(after, expected[:, 6 * 512 :])


def test_events_of_a_hop_steer_the_chain_at_their_frame(server: RunningServer, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(server, state=state_with(GAIN.replace("-6.0", "0.0")))
    ones = np.ones((2, 512), np.float32)
    plugin.play(ones)
    response = plugin.play(ones, Message("/terzetto/chain/gain/gain_db", (-20.0,), 256))
    assert response[0, 64 + 200] == 1.0
    later = plugin.play(ones)
    assert later[0, -1] == pytest.approx(0.1, rel=1e-3)


def test_a_controller_is_heard_in_the_next_hops_and_told_to_the_plugin(
    server: RunningServer, make_plugin: MakePlugin, make_controller: MakeController
) -> None:
    plugin, controller = make_plugin(server, state=state_with(GAIN)), make_controller(server)
    controller.send("/terzetto/subscribe", controller.port, "/terzetto/chain")
    assert controller.hear("/terzetto/i1/chain/gain/gain_db") == (-6.0,)
    controller.send("/terzetto/i1/chain/gain/gain_db", -20.0)
    plugin.play_until(lambda: plugin.told("/terzetto/chain/gain/gain_db") == (-20.0,), "the new gain")
    until(lambda: controller.hear("/terzetto/i1/chain/gain/gain_db") == (-20.0,), "the new gain")
    ones = np.ones((2, 512), np.float32)
    plugin.play(ones)
    assert plugin.play(ones)[0, -1] == pytest.approx(0.1, rel=1e-3)
    assert controller.ask("/terzetto/i1/chain/gain/gain_db") == (pytest.approx(-20.0),)


def test_a_bundle_counts_when_it_is_due(
    server: RunningServer, make_plugin: MakePlugin, make_controller: MakeController
) -> None:
    plugin, controller = make_plugin(server, "hands", realtime=True), make_controller(server)
    due = time.time() + 0.9
    message = encode(Message("/terzetto/hands/mix", (0.25,)))
    tag = int((due + 2_208_988_800) * 2**32)
    controller.raw(b"#bundle\0" + struct.pack(">Qi", tag, len(message)) + message)
    controller.send("/terzetto/hands/left_gain", -6.0)
    plugin.play_until(lambda: plugin.told("/terzetto/hands/left_gain") == (-6.0,), "what came after the bundle")
    early = plugin.told("/terzetto/hands/mix")
    assert early is None or time.time() > due - 0.3, "a bundle was not waited with"
    plugin.play_until(lambda: plugin.told("/terzetto/hands/mix") == (0.25,), "the bundle")
    until(lambda: controller.ask("/terzetto/i1/hands/mix") == (0.25,), "the value")


def test_a_bundle_that_is_due_while_the_plugin_rests_counts_in_its_next_hop(
    server: RunningServer, make_plugin: MakePlugin, make_controller: MakeController
) -> None:
    plugin, controller = make_plugin(server, "hands", realtime=True), make_controller(server)
    message = encode(Message("/terzetto/hands/mix", (0.25,)))
    tag = int((time.time() + 0.2 + 2_208_988_800) * 2**32)
    controller.raw(b"#bundle\0" + struct.pack(">Qi", tag, len(message)) + message)
    until(lambda: controller.ask("/terzetto/i1/hands/mix") == (0.25,), "the value, without a hop")
    plugin.play(np.zeros((2, 512), np.float32))
    assert plugin.told("/terzetto/hands/mix") == (0.25,)


def test_a_chain_file_takes_the_place_of_a_chain_and_the_plugin_saves_it(
    server: RunningServer, make_plugin: MakePlugin, make_controller: MakeController, tmp_path: Path
) -> None:
    plugin, controller = make_plugin(server), make_controller(server)
    path = tmp_path / "chain.toml"
    path.write_text(LOOKAHEAD)
    plugin.play(noise(2, 512))
    until(plugin.end.take_state, "the state that it comes up with")
    controller.send("/terzetto/chain/load", str(path))
    plugin.play_until(lambda: plugin.end.latency == 240, "the new latency")
    state = json.loads(plugin.play_until(plugin.end.take_state, "the state"))
    assert state["chain"] == LOOKAHEAD and state["brickwall_limiter"]["ceiling_db"] == 0.0
    path.write_text("[[stage]]\nplugin = 'nonsense'\n")
    controller.send("/terzetto/chain/load", str(path))
    error = plugin.play_until(lambda: plugin.told("/terzetto/error"), "an error")
    assert "nonsense" in error[0] and plugin.end.latency == 240


def test_a_state_that_comes_later_is_taken_up(server: RunningServer, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(server)
    assert plugin.end.send_state(state_with(LOOKAHEAD))
    plugin.play_until(lambda: plugin.end.latency == 240, "the new latency")


def test_a_new_instance_is_told_what_its_engine_knows_and_a_saved_one_says_nothing_new(
    server: RunningServer, make_plugin: MakePlugin
) -> None:
    silence = np.zeros((2, 512), np.float32)
    new = make_plugin(server, "timbre")
    engine = json.loads(until(lambda: (new.play(silence), new.end.take_state())[1], "the state"))
    assert len(engine["timbre"]["instruments"]) > 1
    again = make_plugin(server, "timbre", state=json.dumps({"engine": engine}))
    for _ in range(4):
        again.play(silence)
    assert again.end.take_state() is None


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"engine": {"chain": "["}}', '{"engine": 3, "values": {"x": {}}}'])
def test_a_damaged_state_is_told_and_the_sound_passes(
    server: RunningServer, make_plugin: MakePlugin, text: str
) -> None:
    plugin = make_plugin(server, "hands", state=text)
    sound = noise(2, 32 * 512)
    late = 64 + plugin.end.latency
    assert np.array_equal(plugin.stream(sound)[:, late:], sound[:, :-late])
    assert plugin.told("/terzetto/status") is not None


def test_a_plugin_that_is_not_here_is_told_and_its_state_is_kept(
    server: RunningServer, make_plugin: MakePlugin, make_controller: MakeController
) -> None:
    chain = GAIN + '[[stage]]\nvst3 = "/nowhere/Gone.vst3"\n'
    state = json.dumps({"engine": {"chain": chain, "gone": {"raw": "c3RhdGU="}}})
    plugin, controller = make_plugin(server, state=state), make_controller(server)
    plugin.play_until(lambda: "Gone.vst3" in (plugin.told("/terzetto/status") or ("",))[0], "a status")
    controller.send("/terzetto/i1/chain/gain/gain_db", 0.0)
    plugin.play_until(lambda: plugin.told("/terzetto/chain/gain/gain_db"), "the gain")
    kept = json.loads(until(lambda: (plugin.play(noise(2, 512)), plugin.end.take_state())[1], "the state"))
    assert kept["gone"] == {"raw": "c3RhdGU="} and kept["chain"] == chain


def test_malformed_events_are_passed_over(server: RunningServer, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(server)
    for events in (b"\xff" * 40, b"\x00", bytes(range(256)) * 40):
        assert plugin.end.post(plugin.epoch, plugin.number, noise(2, 512), events=events)
        plugin.number += 1
        assert plugin.response() is not None


def test_ten_instances_have_a_name_and_a_sound_each(
    server: RunningServer, make_plugin: MakePlugin, make_controller: MakeController
) -> None:
    plugins = [make_plugin(server, state=state_with(GAIN)) for _ in range(10)]
    controller = make_controller(server)
    names = controller.ask("/terzetto/instances")
    assert names[::2] == tuple(f"i{number}" for number in range(1, 11))
    controller.send("/terzetto/i7/chain/gain/gain_db", 0.0)
    plugins[6].play_until(lambda: plugins[6].told("/terzetto/chain/gain/gain_db") == (0.0,), "the gain")
    ones = np.ones((2, 512), np.float32)
    for number, plugin in enumerate(plugins, 1):
        plugin.play(ones)
        assert plugin.play(ones)[0, -1] == pytest.approx(1.0 if number == 7 else 0.501, abs=1e-3)


def test_a_wanted_name_is_given_unless_it_is_taken(server: RunningServer, make_plugin: MakePlugin) -> None:
    names = []
    for wanted in ("i5", "i5", "nonsense", ""):
        plugin = make_plugin(server, wanted=wanted)
        plugin.play(noise(2, 512))
        names.append(plugin.told("/terzetto/instance"))
    assert names == [("i5",), ("i1",), ("i2",), ("i3",)]


def test_a_plugin_that_makes_a_new_segment_keeps_its_name(server: RunningServer, make_plugin: MakePlugin) -> None:
    for _ in range(3):
        plugin = make_plugin(server, wanted="i4")
        plugin.play(noise(2, 512))
        assert plugin.told("/terzetto/instance") == ("i4",)
        plugin.end.close()


def test_attaching_again_changes_nothing(server: RunningServer, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(server)
    pid = plugin.end.engine_pid
    plugin.attach()
    plugin.stream(noise(2, 4 * 512))
    assert plugin.end.engine_pid == pid


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_is_lost_is_replaced(server: RunningServer, make_plugin: MakePlugin, number: int) -> None:
    plugin = make_plugin(server, wanted="i3", state=state_with(GAIN))
    plugin.stream(noise(2, 4 * 512))
    lost = plugin.end.engine_pid
    os.kill(lost, number)
    until(lambda: plugin.end.engine_silent_for() > 2.2, "the missing beat")
    assert plugin.end.send_state(state_with(GAIN))
    plugin.reset()
    plugin.attach()
    assert plugin.end.engine_pid != lost
    sound = noise(2, 8 * 512)
    heard = plugin.stream(sound)
    assert np.abs(heard[:, 64:] - 10 ** (-6 / 20) * sound[:, :-64]).max() < 1e-6
    assert plugin.told("/terzetto/instance") == ("i3",)
    until(lambda: not runs(lost), "the lost worker's end")


def test_a_worker_that_joins_in_the_middle_answers_when_it_has_something_to_say(
    server: RunningServer, make_plugin: MakePlugin
) -> None:
    plugin = make_plugin(server, state=state_with(LOOKAHEAD), hop=64, realtime=True)
    plugin.number = 100
    silence = np.zeros((2, 64), np.float32)
    for _ in range(6):
        plugin.post(silence)
    first = plugin.response()
    assert first is not None and first[0] == (1, 104)  # 240 frames of latency are four hops


def test_monitors_hear_what_is_in_the_hops(
    server: RunningServer, make_plugin: MakePlugin, make_controller: MakeController
) -> None:
    plugin, controller = make_plugin(server, "hands"), make_controller(server)
    controller.send("/terzetto/monitor", controller.port)

    def played() -> bool:
        plugin.play(noise(2, 512), Message("/terzetto/hands/note", (60, 100, 1), 17))
        controller.socket.settimeout(0.05)
        try:
            return b"/terzetto/i1/hands/note" in controller.socket.recv(65536)
        except TimeoutError:
            return False

    until(played, "the note")
    controller.send("/terzetto/unsubscribe", controller.port)


def test_a_worker_goes_with_its_plugin(server: RunningServer, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(server)
    pid = plugin.end.engine_pid
    plugin.end.close()
    until(lambda: not runs(pid), "the worker's end", 5.0)


def test_a_worker_that_does_not_end_with_its_plugin_is_killed(server: RunningServer, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(server)
    pid = plugin.end.engine_pid
    os.kill(pid, signal.SIGSTOP)
    plugin.end.close()
    until(lambda: not runs(pid), "the worker's end", 10.0)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have places of their own on Linux alone")
def test_threads_of_the_audio_thread_do_not_get_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there are no real-time places, but others."""
    really, places = os.sched_setscheduler, list[int]()

    def without_realtime(pid: int, policy: int, parameters: os.sched_param) -> None:
        if parameters.sched_priority:
            raise PermissionError(1, "Operation not permitted")
        really(pid, policy, parameters)

    def note_place() -> None:
        places.append(os.getpriority(os.PRIO_PROCESS, 0))

    def audio() -> None:
        _be_quick(True)
        note_place()
        started = threading.Thread(target=note_place)
        started.start()
        started.join()

    monkeypatch.setattr(os, "sched_setscheduler", without_realtime)
    thread = threading.Thread(target=audio)
    thread.start()
    thread.join()
    if places[0] == 0:
        pytest.skip("this user may not make threads more urgent")
    assert places == [-10, 0]
