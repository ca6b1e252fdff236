"""The desk that takes controllers' packets: sets, asks, subscriptions, and at most one error for a packet."""

from __future__ import annotations

import itertools
import random
import re
import struct
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest

from terzetto.control.messages import Argument, Message
from terzetto.control.osc import encode
from terzetto_host.chain import Chain
from terzetto_host.live import reports
from terzetto_host.live.controllers import LARGEST, Desk, Peer
from terzetto_host.live.instance import Instance
from terzetto_host.live.values import Values
from tests.host.conftest import Controller, Plugin, RunningServer, noise

HERE: Peer = ("127.0.0.1", 5000)
TABLET: Peer = ("192.168.1.7", 5000)


class Pipe:
    """Keeps what a worker is told."""

    def __init__(self) -> None:
        self.sent: list[object] = []

    def send(self, report: object) -> None:
        self.sent.append(report)


class House:
    """Two instances of Hands, and what the desk has asked for."""

    def __init__(self) -> None:
        self.rooms = [self._instance(f"i{number}") for number in (1, 2)]
        self.asked: list[tuple[object, ...]] = []

    @staticmethod
    def _instance(name: str) -> Instance:
        values = Values("hands")
        values.describe(Chain())
        instance = Instance(name, f"/terzetto-1-{name}", "hands")
        instance.parameters = {each.address.removeprefix("/terzetto/"): each for each in values.parameters.values()}
        instance.commands = {each.address.removeprefix("/terzetto/"): each for each in values.commands.values()}
        instance.values = {address.removeprefix("/terzetto/"): value for address, value in values.now.items()}
        instance.pipe = Pipe()  # type: ignore[assignment]
        return instance

    def instances(self) -> Iterable[Instance]:
        return self.rooms

    def attach(self, segment: str, instrument: str, wanted: str) -> None:
        self.asked.append(("attach", segment, instrument, wanted))

    def monitor(self, on: bool) -> None:
        self.asked.append(("monitor", on))

    def allow_lan(self, on: bool) -> None:
        self.asked.append(("allow_lan", on))

    def with_files(self, end: str, arguments: tuple[Argument, ...], tell: Callable[[Message], None]) -> None:
        self.asked.append((end, arguments))
        tell(Message(f"/terzetto/{end}", ("done",)))

    def steered(self, number: int) -> list[Message]:
        pipe = self.rooms[number - 1].pipe
        assert isinstance(pipe, Pipe)
        return [message for report in pipe.sent if isinstance(report, reports.Steer) for message in report.messages]


class Table:
    """A desk, its house, and what it has answered."""

    def __init__(self) -> None:
        self.house, self.answers = House(), []  # type: ignore[var-annotated]
        self.desk = Desk(self.house, lambda message, peer: self.answers.append((message, peer)))

    def say(self, address: str, *arguments: Argument, peer: Peer = HERE) -> list[tuple[Message, Peer]]:
        self.answers.clear()
        self.desk.take(encode(Message(address, arguments)), peer)
        return list(self.answers)

    def error(self, address: str, *arguments: Argument, peer: Peer = HERE) -> str:
        ((message, _),) = self.say(address, *arguments, peer=peer)
        assert message.address == "/terzetto/error" and message.arguments[1] == address
        return str(message.arguments[0])


@pytest.fixture
def at() -> Table:
    return Table()


def test_a_value_is_set_on_all_instances_or_on_one_and_clipped(at: Table) -> None:
    assert at.say("/terzetto/hands/left_gain", -100) == []
    assert at.say("/terzetto/i2/hands/solo", 1) == []
    assert at.house.steered(1) == [Message("/terzetto/hands/left_gain", (-60.0,))]
    assert at.house.steered(2) == [*at.house.steered(1), Message("/terzetto/hands/solo", ("left",))]


def test_a_message_without_a_value_asks(at: Table) -> None:
    at.house.rooms[1].values["hands/left_gain"] = -6.0
    assert at.say("/terzetto/hands/left_gain") == [
        (Message("/terzetto/i1/hands/left_gain", (0.0,)), HERE),
        (Message("/terzetto/i2/hands/left_gain", (-6.0,)), HERE),
    ]
    assert at.say("/terzetto/i1/status") == [(Message("/terzetto/i1/status"), HERE)]
    assert at.say("/terzetto/instances")[0][0].arguments == ("i1", "hands", "i2", "hands")
    assert at.say("/terzetto/ping")[0][0].address == "/terzetto/pong"


def test_commands_take_what_they_declare(at: Table) -> None:
    assert at.say("/terzetto/hands/score", "/a/b.mid") == []
    assert at.say("/terzetto/i1/hands/take_start", 3) == [] and at.say("/terzetto/i1/hands/cancel") == []
    assert at.house.steered(1)[1:] == [Message("/terzetto/hands/take_start", (3.0,)), Message("/terzetto/hands/cancel")]
    assert "takes path: string" in at.error("/terzetto/hands/score", 3)
    assert "given 2" in at.error("/terzetto/hands/score", "a", "b")
    assert "this computer only" in at.error("/terzetto/hands/score", "/etc/passwd", peer=TABLET)
    assert at.say("/terzetto/hands/left_gain", -3.0, peer=TABLET) == []


@pytest.mark.parametrize(
    ("address", "arguments", "message"),
    [
        ("/nonsense", (), "all begin with /terzetto/"),
        ("/terzetto", (), "all begin with /terzetto/"),
        ("/terzetto//x", (), "all begin with /terzetto/"),
        ("/terzetto/hands/nonsense", (1.0,), "valid: .*left_gain"),
        ("/terzetto/i3/hands/left_gain", (1.0,), "no instance i3; running: i1, i2"),
        ("/terzetto/hands/left_gain", ("loud",), "takes a number from -60 to 12 dB; given 'loud'"),
        ("/terzetto/hands/left_gain", (1.0, 2.0), "takes one value; given 2"),
        ("/terzetto/hands/left_gain", (float("nan"),), "takes a number"),
        ("/terzetto/hands/solo", ("up",), "off, left, right"),
        ("/terzetto/hands/late_blocks", (1.0,), "read-only"),
        ("/terzetto/i1/status", ("x",), "read-only"),
        ("/terzetto/subscribe", (), "port is a number"),
        ("/terzetto/subscribe", (0,), "port is a number"),
        ("/terzetto/subscribe", (True,), "port is a number"),
        ("/terzetto/subscribe", (9, "x"), "a prefix"),
        ("/terzetto/attach", ("a", "hands"), "three texts"),
        ("/terzetto/attach", ("/etc/passwd", "hands", ""), "not the name of a segment"),
        ("/terzetto/attach", ("/terzetto-1-2", "tuba", ""), "valid: hands, drums, timbre"),
        ("/terzetto/allow_lan", ("yes",), "true or false"),
    ],
)
def test_what_is_wrong_is_answered_with_what_is_valid(
    at: Table, address: str, arguments: tuple[Argument, ...], message: str
) -> None:
    error = at.error(address, *arguments)
    assert re.search(message, error), error
    assert at.house.asked == [] and at.house.steered(1) == []


def test_files_are_worked_on_without_an_instance(at: Table) -> None:
    at.house.rooms.clear()
    answer = (Message("/terzetto/piano/simplify", ("done",)), HERE)
    assert at.say("/terzetto/piano/simplify", "/a.mid", 20.0, "/b.mid") == [answer]
    assert at.house.asked == [("piano/simplify", ("/a.mid", 20, "/b.mid"))]
    assert "this computer only" in at.error("/terzetto/piano/simplify", "/a.mid", 20, "/b.mid", peer=TABLET)
    assert "takes path_read: string, atoms: integer" in at.error("/terzetto/piano/simplify", "/a.mid")
    assert "no instance i1" in at.error("/terzetto/i1/piano/simplify", "/a.mid", 20, "/b.mid")
    assert len(at.house.asked) == 1


@pytest.mark.parametrize("word", ["attach", "monitor", "allow_lan"])
def test_the_network_may_steer_but_no_more(at: Table, word: str) -> None:
    assert "this computer only" in at.error(f"/terzetto/{word}", 1, peer=TABLET)
    assert at.house.asked == []


def test_plugins_attach(at: Table) -> None:
    assert at.say("/terzetto/attach", "/terzetto-17-0", "hands", "i4") == []
    assert at.house.asked == [("attach", "/terzetto-17-0", "hands", "i4")]


def test_subscribers_hear_what_they_asked_for(at: Table) -> None:
    there = (TABLET[0], 9001)
    answers = at.say("/terzetto/subscribe", 9001, "/terzetto/hands/left_gain", peer=TABLET)
    assert [message.address for message, _ in answers] == [
        *("/terzetto/instances", "/terzetto/i1/hands/left_gain", "/terzetto/i2/hands/left_gain")
    ]
    assert {peer for _, peer in answers} == {there}
    at.answers.clear()
    told = [("hands/left_gain", (-3.0,)), ("hands/mix", (0.5,))]
    at.desk.told(at.house.rooms[1], reports.Told(told))
    at.desk.told(at.house.rooms[1], reports.Told(told, values=False))
    assert at.answers == [(Message("/terzetto/i2/hands/left_gain", (-3.0,)), there)]
    # A controller that listens at another port than it sends from hears its answers at both.
    assert {peer for _, peer in at.say("/terzetto/ping", peer=TABLET)} == {TABLET, there}
    assert at.say("/terzetto/unsubscribe", 9001, peer=TABLET) == []
    at.desk.told(at.house.rooms[1], reports.Told(told))
    assert at.answers == []


def test_who_subscribes_hears_values_and_no_answers_of_a_while_ago(at: Table) -> None:
    at.house.rooms[0].values |= {"drums/similar": "old.mid", "error": "long ago", "status": "plays"}
    heard = {message.address for message, _ in at.say("/terzetto/subscribe", 9001, "/terzetto", peer=TABLET)}
    assert "/terzetto/i1/status" in heard and not {"/terzetto/i1/drums/similar", "/terzetto/i1/error"} & heard


def test_monitors_hear_everything(at: Table) -> None:
    at.say("/terzetto/monitor", 7000)
    assert at.house.asked == [("monitor", True)]
    there = ("127.0.0.1", 7000)
    assert at.say("/terzetto/hands/mix", 0.5, peer=TABLET) == [(Message("/terzetto/hands/mix", (0.5,)), there)]
    at.answers.clear()
    at.desk.told(at.house.rooms[0], reports.Told([("hands/note", (60, 100, 1))], values=False))
    assert at.answers == [(Message("/terzetto/i1/hands/note", (60, 100, 1)), there)]
    at.say("/terzetto/unsubscribe", 7000)
    assert at.house.asked[-1] == ("monitor", False)


def bundle(*elements: bytes, due: int = 1) -> bytes:
    return b"#bundle\0" + struct.pack(">Q", due) + b"".join(struct.pack(">i", len(e)) + e for e in elements)


def test_a_bundle_is_done_as_far_as_it_goes_and_has_one_error(at: Table) -> None:
    good = encode(Message("/terzetto/hands/mix", (0.5,)))
    at.desk.take(bundle(encode(Message("/x")), good, encode(Message("/y"))), HERE)
    ((message, _),) = at.answers
    assert message.arguments[1] == "/x" and at.house.steered(1) == [Message("/terzetto/hands/mix", (0.5,))]


def test_the_far_future_is_refused_and_the_near_is_told_to_the_worker(at: Table) -> None:
    good = encode(Message("/terzetto/hands/mix", (0.5,)))
    now = time.time()
    ntp = (now + 2_208_988_800) * 2**32
    at.desk.take(bundle(good, due=int(ntp + 3600 * 2**32)), HERE)
    ((message, _),) = at.answers
    assert "due more than" in str(message.arguments[0]) and at.house.steered(1) == []
    at.desk.take(bundle(good, encode(Message("/terzetto/ping")), due=int(ntp + 2**31)), HERE)
    (sent,) = at.house.rooms[0].pipe.sent  # type: ignore[union-attr]
    assert sent == reports.Steer((Message("/terzetto/hands/mix", (0.5,)),), pytest.approx(now + 0.5, abs=1e-3))
    assert at.answers[-1][0].address == "/terzetto/pong", "questions are answered at once"


def packets(seed: int) -> Iterator[bytes]:
    """Noise, good packets with something wrong in them, and packets that are good but ask for nonsense."""
    chance = random.Random(seed)
    good = [
        encode(Message("/terzetto/hands/left_gain", (-6.0,))),
        encode(Message("/terzetto/i1/hands/solo", ("left",))),
        encode(Message("/terzetto/subscribe", (9000, "/terzetto"))),
        encode(Message("/terzetto/hands/score", ("take.mid",))),
        encode(Message("/terzetto/hands/note", (60, 100, 1))),
        encode(Message("/terzetto/instances")),
        bundle(encode(Message("/terzetto/hands/mix", (0.5,))), encode(Message("/terzetto/ping"))),
    ]
    while True:
        packet = bytearray(chance.choice(good))
        kind = chance.randrange(8)
        if kind == 0:
            packet = bytearray(chance.randbytes(chance.randrange(64)))
        elif kind == 1:
            del packet[chance.randrange(len(packet)) :]
        elif kind == 2:
            for _ in range(chance.randrange(1, 6)):
                packet[chance.randrange(len(packet))] = chance.randrange(256)
        elif kind == 3:
            packet += chance.randbytes(chance.randrange(1, 40))
        elif kind == 4:
            packet = bytearray(bundle(bytes(packet), due=chance.getrandbits(64)))
        elif kind == 5:
            for _ in range(chance.randrange(1, 30)):
                packet = bytearray(bundle(bytes(packet)))
        elif kind == 6:
            values = (None, True, "x" * chance.randrange(200), b"y" * 7, 1 << 40, -1.0, float("inf"))
            words = ("hands", "left_gain", "i1", "i99", "chain", "load", "monitor", "attach", "unsubscribe", "*", "{a}")
            address = "/terzetto/" + "/".join(chance.choices(words, k=chance.randrange(1, 5)))
            packet = bytearray(encode(Message(address, tuple(chance.choices(values, k=chance.randrange(4))))))
        elif chance.random() < 0.01:
            packet = bytearray(chance.randbytes(chance.randrange(LARGEST, 65_000)))
        yield bytes(packet)


def fuzz(count: int, seed: int) -> None:
    at = Table()
    source = packets(seed)
    for _ in range(count):
        packet = next(source)
        at.answers.clear()
        at.desk.take(packet, HERE)
        errors = [message for message, peer in at.answers if message.address == "/terzetto/error" and peer == HERE]
        assert len(errors) <= 1, packet
        for room in at.house.rooms:
            assert isinstance(room.pipe, Pipe)
            room.pipe.sent.clear()
        at.house.asked.clear()
    at.say("/terzetto/hands/mix", 0.25)
    assert at.house.steered(1)[-1].arguments == (0.25,)


def test_a_hundred_thousand_bad_packets_are_taken() -> None:
    fuzz(100_000, 1)


@pytest.mark.soak
def test_a_million_bad_packets_are_taken() -> None:
    fuzz(1_000_000, 2)


def test_bad_packets_do_not_disturb_the_sound(
    server: RunningServer,
    make_plugin: Callable[..., Plugin],
    make_controller: Callable[[RunningServer], Controller],
) -> None:
    plugin, controller, source = make_plugin(server), make_controller(server), packets(3)
    sound = noise(2, 512 * 64)
    for _ in range(64):
        for _ in range(50):
            packet = next(source)
            if b"subscribe" not in packet and b"monitor" not in packet:  # nobody listens at those ports
                controller.raw(packet)
    heard = plugin.stream(sound)
    assert (heard[:, 64:] == sound[:, :-64]).all()
    assert server.process.poll() is None
    assert controller.ask("/terzetto/ping", answer="/terzetto/pong")


@pytest.mark.soak
def test_a_million_bad_packets_to_a_server_that_plays(
    server: RunningServer,
    make_plugin: Callable[..., Plugin],
    make_controller: Callable[[RunningServer], Controller],
) -> None:
    """Over UDP, between the hops of an instance of Hands that has no score: it is to play the take all the while."""
    plugin, controller, source = make_plugin(server, "hands"), make_controller(server), packets(4)
    # Nobody listens at the ports that these name; and who has asked for a pong is to know the one that answers it.
    others = (b"subscribe", b"monitor", b"ping")
    bad = (packet for packet in source if not any(word in packet for word in others))
    period, many = 64, 100
    sound = noise(2, 512 * period)
    delayed = np.roll(sound, 64 + plugin.end.latency, axis=1)
    for turn in range(1_000_000 // many):
        for packet in itertools.islice(bad, many):
            controller.raw(packet)
        here = slice(512 * (turn % period), 512 * (turn % period + 1))
        heard = plugin.play(np.ascontiguousarray(sound[:, here]))[:, :512]
        if turn >= period:
            assert np.array_equal(heard, delayed[:, here]), turn
        controller.send("/terzetto/ping")
        answers = list(iter(lambda: controller.next().address, "/terzetto/pong"))
        assert answers.count("/terzetto/error") <= many, "more errors than packets"
    assert server.process.poll() is None and plugin.end.engine_alive()
