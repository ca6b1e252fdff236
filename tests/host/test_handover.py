"""A host prepares a plugin anew: what controllers send meanwhile is not lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import cast

import numpy as np
import pytest

from terzetto.control.messages import Message
from terzetto_host.live import handover, reports
from terzetto_host.live.handover import UNDER_WAY, Estate, Owed
from terzetto_host.live.instance import Instance
from tests.host.conftest import Controller, Plugin, RunningServer, until

MakePlugin = Callable[..., Plugin]
MakeController = Callable[[RunningServer], Controller]
SILENCE = np.zeros((2, 512), np.float32)


def gain(value: float) -> Message:
    return Message("/terzetto/hands/left_gain", (value,))


def test_what_may_be_under_way_is_owed_and_no_more() -> None:
    owed, parameters = Owed(), {"/terzetto/hands/left_gain"}
    score = Message("/terzetto/hands/score", ("a.mid",))
    owed.add([gain(-1.0), score], parameters)
    owed.add([gain(-2.0), score], parameters)
    assert list(owed) == [score, gain(-2.0), score], "of a parameter the last one, of commands all"
    for _ in range(UNDER_WAY):
        owed.hop((), parameters)
    assert list(owed) == [score, gain(-2.0), score]
    owed.hop((), parameters)
    assert not list(owed)
    owed.add([gain(-3.0)], parameters)
    owed.hop([gain(-9.0)], parameters)
    assert list(owed) == [gain(-3.0)], "a controller comes after what its hop said"
    owed.hop([gain(-9.0)], parameters)
    assert not list(owed), "the host has said something else since"


def test_what_is_owed_goes_to_whoever_comes_soon_under_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Estate()
    estate.keep("i1", "hands", [gain(-1.0)])
    estate.keep("i1", "hands", [gain(-2.0)])
    assert estate.take("i1", "drums") == [] and estate.take("i2", "hands") == []
    assert estate.take("i1", "hands") == [gain(-1.0), gain(-2.0)] and estate.take("i1", "hands") == []
    estate.keep("i1", "hands", [gain(-1.0)])
    later = time.monotonic() + handover.KEPT
    monkeypatch.setattr(handover.time, "monotonic", lambda: later)
    assert estate.take("i1", "hands") == []


def test_a_controller_is_heard_by_the_worker_that_comes_next(
    server: RunningServer, make_plugin: MakePlugin, make_controller: MakeController
) -> None:
    controller = make_controller(server)
    first = make_plugin(server, "hands", wanted="i6")
    first.play(SILENCE)
    controller.send("/terzetto/i6/hands/left_gain", -7.0)  # waits for a hop that never comes
    until(lambda: controller.ask("/terzetto/i6/hands/left_gain") == (-7.0,), "the value")
    first.end.close()
    controller.send("/terzetto/i6/hands/right_gain", -8.0)  # to a worker that ends
    second = make_plugin(server, "hands", wanted="i6")
    second.play_until(lambda: second.told("/terzetto/hands/left_gain") == (-7.0,), "what the first was told")
    second.play_until(lambda: second.told("/terzetto/hands/right_gain") == (-8.0,), "what came between them")
    for _ in range(UNDER_WAY + 1):
        second.play(SILENCE)
    second.end.close()
    third = make_plugin(server, "hands", wanted="i6")
    for _ in range(4):
        third.play(SILENCE)
    assert third.told("/terzetto/hands/left_gain") is None, "the second plugin has it and saves it itself"


def test_another_plugin_that_gets_the_name_gets_nothing_else(
    server: RunningServer, make_plugin: MakePlugin, make_controller: MakeController
) -> None:
    controller, first = make_controller(server), make_plugin(server, "hands")
    first.play(SILENCE)
    (name,) = first.told("/terzetto/instance") or ("",)
    controller.send(f"/terzetto/{name}/hands/spread", 0.5)
    until(lambda: controller.ask(f"/terzetto/{name}/hands/spread") == (0.5,), "the value")
    first.end.close()
    second = make_plugin(server, "hands")
    for _ in range(4):
        second.play(SILENCE)
    assert second.told("/terzetto/instance") == (name,) and second.told("/terzetto/hands/spread") is None


def test_what_comes_while_a_worker_starts_or_ends_waits() -> None:
    class Pipe:
        def __init__(self) -> None:
            self.sent: list[object] = []

        def send(self, message: object) -> None:
            self.sent.append(message)

    instance, pipe = Instance("i1", "/terzetto-1-1", "hands"), Pipe()
    first, second, third = (reports.Steer((gain(value),)) for value in (-1.0, -2.0, -3.0))
    instance.send(first)
    instance.send(reports.Monitor(True))
    instance.start(cast(Connection, pipe))
    instance.send(second)
    assert pipe.sent == [first, second] and instance.steered == 2 and not instance.waiting
    instance.ending_since = 1.0
    instance.send(third)
    assert pipe.sent == [first, second] and instance.waiting == [third]
