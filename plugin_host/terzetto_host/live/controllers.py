"""Controllers: what comes over UDP, from whom, and what goes back.

Every packet is answered with at most one error, whatever is in it. Nothing here waits or touches a socket, so that
the same desk serves every carrier.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from terzetto import __version__
from terzetto.control.addresses import ROOT, is_instance
from terzetto.control.messages import Argument, Message
from terzetto.control.osc import decode_timed
from terzetto.control.parameters import convert
from terzetto.control.table import Command, table
from terzetto.errors import ControlError
from terzetto_host.live import reports
from terzetto_host.live.file_tasks import commands

if TYPE_CHECKING:
    from terzetto_host.live.instance import Instance

Peer = tuple[str, int]
LARGEST = 16_384
"""Bytes of a packet that a controller may send: as much as a hop can carry."""
_MOST_SUBSCRIBERS = 64
_LOOPBACK = ("127.", "::1")
_READABLE = ("status", "progress")


class House(Protocol):
    """What the desk steers: the server."""

    def instances(self) -> Iterable[Instance]:
        """Return the instances in their order."""

    def attach(self, segment: str, instrument: str, wanted: str) -> None:
        """Give a segment a worker."""

    def monitor(self, on: bool) -> None:
        """Let all workers tell every message of their hops, or no more."""

    def allow_lan(self, on: bool) -> None:
        """Open UDP to the local network, or close it."""

    def with_files(self, end: str, arguments: tuple[Argument, ...], tell: Callable[[Message], None]) -> None:
        """Do something with files, in the background, and tell the answer."""


@dataclass(frozen=True)
class Subscription:
    """Who hears of changes below a prefix; a monitor hears everything."""

    peer: Peer
    prefix: str
    monitor: bool = False


class Desk:
    """Takes packets and gives answers.

    Parameters
    ----------
    house
        What is steered.
    send
        Called with each message that goes out and to whom.
    """

    def __init__(self, house: House, send: Callable[[Message, Peer], None]) -> None:
        self._house, self._send = house, send
        self._subscriptions: OrderedDict[tuple[Peer, bool], Subscription] = OrderedDict()
        self._own: dict[str, Callable[[tuple[Argument, ...], Peer], None]] = {
            "ping": self._ping,
            "instances": self._instances,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "attach": self._attach,
            "monitor": self._monitor,
            "allow_lan": self._allow_lan,
        }
        self._on_files = dict(commands())

    def take(self, packet: bytes, peer: Peer) -> None:
        """Do what a packet asks for; the first thing wrong with it is answered, the rest of it is done."""
        problem: Message | None = None
        try:
            if len(packet) > LARGEST:
                raise ControlError(f"a packet of {len(packet)} bytes is too large; at most {LARGEST}")
            messages = decode_timed(packet)
        except ControlError as error:
            self._send(Message(f"{ROOT}/error", (str(error), "")), peer)
            return
        for message, due in messages:
            try:
                self._do(message, peer, due)
            except ControlError as error:
                problem = problem or Message(f"{ROOT}/error", (str(error), message.address))
            self._show(message)
        if problem is not None:
            self._send(problem, peer)

    def told(self, instance: Instance, told: reports.Told) -> None:
        """Tell subscribers what changed in an instance, and monitors what came by in its hops."""
        if not self._subscriptions:
            return
        for end, arguments in told.messages:
            message = Message(f"{ROOT}/{instance.name}/{end}", arguments)
            for subscription in self._subscriptions.values():
                heard = _below(subscription.prefix, message.address, end) if told.values else subscription.monitor
                if heard:
                    self._send(message, subscription.peer)

    def changed(self) -> None:
        """Tell subscribers that an instance has come or gone."""
        for subscription in self._subscriptions.values():
            self._send(self._list(), subscription.peer)

    def _show(self, message: Message) -> None:
        for subscription in self._subscriptions.values():
            if subscription.monitor and not message.address.startswith((f"{ROOT}/monitor", f"{ROOT}/subscribe")):
                self._send(message, subscription.peer)

    def _do(self, message: Message, peer: Peer, due: float) -> None:
        root, *parts = message.address.split("/")[1:]
        if f"/{root}" != ROOT or not parts or not all(parts):
            raise ControlError(f"no such address; all begin with {ROOT}/, for example {ROOT}/instances")
        if len(parts) == 1 and parts[0] in self._own:
            self._own[parts[0]](message.arguments, peer)
            return
        name = parts.pop(0) if is_instance(parts[0]) else None
        on_files = self._on_files.get("/".join(parts)) if name is None else None
        if on_files is not None:
            _only_from_here("/".join(parts), peer)
            taken = _checked(on_files, message.arguments)
            self._house.with_files("/".join(parts), taken, lambda answer: self._answer(answer, peer))
            return
        self._steer(name, "/".join(parts), message.arguments, peer, due)

    def _steer(self, name: str | None, end: str, arguments: tuple[Argument, ...], peer: Peer, due: float) -> None:
        running = list(self._house.instances())
        chosen = [each for each in running if name is None or each.name == name]
        if not chosen:
            there = ", ".join(each.name for each in running) or "none; insert a plugin first"
            raise ControlError(f"no instance {name or 'is there'}; running: {there}")
        able = [each for each in chosen if end in (*each.parameters, *each.commands, *_READABLE)]
        if not able:
            raise ControlError(_unknown(end, chosen))
        for instance in able:
            parameter, command = instance.parameters.get(end), instance.commands.get(end)
            if command is not None:
                if any(each.startswith("path") for each in command.arguments):
                    _only_from_here(end, peer)
                instance.send(reports.Steer((Message(f"{ROOT}/{end}", _checked(command, arguments)),), due))
            elif not arguments and (parameter is None or parameter.type != "trigger"):
                if parameter is not None and end not in instance.values:
                    raise ControlError(f"{ROOT}/{end} has no value yet: the instance is starting; ask again")
                answer = (instance.values[end],) if end in instance.values else ()
                self._answer(Message(f"{ROOT}/{instance.name}/{end}", answer), peer)
            elif parameter is None or parameter.meter:
                raise ControlError(f"{ROOT}/{end} is read-only; ask for it by sending it without a value")
            else:
                if len(arguments) > 1:
                    raise ControlError(f"{parameter.address} takes one value; given {len(arguments)}")
                value = convert(parameter, arguments[0] if arguments else True)
                instance.send(reports.Steer((Message(f"{ROOT}/{end}", (value,)),), due))

    def _answer(self, message: Message, peer: Peer) -> None:
        """Answer a question: to its sender, and to the ports that the same controller listens at."""
        listening = {each.peer for each in self._subscriptions.values() if each.peer[0] == peer[0] and not each.monitor}
        for each in {peer, *listening}:
            self._send(message, each)

    def _ping(self, arguments: tuple[Argument, ...], peer: Peer) -> None:
        self._answer(Message(f"{ROOT}/pong", (__version__,)), peer)

    def _list(self) -> Message:
        names = [text for each in self._house.instances() for text in (each.name, each.instrument)]
        return Message(f"{ROOT}/instances", tuple(names))

    def _instances(self, arguments: tuple[Argument, ...], peer: Peer) -> None:
        self._answer(self._list(), peer)

    def _subscribe(self, arguments: tuple[Argument, ...], peer: Peer) -> None:
        there = (peer[0], _port(arguments, "subscribe PORT [PREFIX]"))
        prefix = arguments[1] if len(arguments) > 1 else "/"
        if not isinstance(prefix, str) or not prefix.startswith("/"):
            raise ControlError(f"a prefix is the beginning of an address, such as {ROOT}/hands; given {prefix!r}")
        self._remember(Subscription(there, prefix))
        self._send(self._list(), there)
        for instance in self._house.instances():
            for end, value in instance.values.items():
                address = f"{ROOT}/{instance.name}/{end}"
                # Answers and errors of a while ago are no values.
                is_value = end in instance.parameters or end in _READABLE
                if is_value and _below(prefix, address, end):
                    self._send(Message(address, (value,)), there)

    def _remember(self, subscription: Subscription) -> None:
        key = (subscription.peer, subscription.monitor)
        self._subscriptions[key] = subscription
        self._subscriptions.move_to_end(key)
        while len(self._subscriptions) > _MOST_SUBSCRIBERS:
            self._subscriptions.popitem(last=False)

    def _unsubscribe(self, arguments: tuple[Argument, ...], peer: Peer) -> None:
        there = (peer[0], _port(arguments, "unsubscribe PORT"))
        monitors = any(each.monitor for each in self._subscriptions.values())
        for monitor in (False, True):
            self._subscriptions.pop((there, monitor), None)
        if monitors and not any(each.monitor for each in self._subscriptions.values()):
            self._house.monitor(False)

    def _attach(self, arguments: tuple[Argument, ...], peer: Peer) -> None:
        _only_from_here("attach", peer)
        if len(arguments) != 3 or not all(isinstance(each, str) for each in arguments):
            raise ControlError(f"{ROOT}/attach takes three texts: SEGMENT INSTRUMENT INSTANCE")
        segment, instrument, wanted = map(str, arguments)
        if instrument not in table():
            raise ControlError(f"instrument {instrument[:40]!r} is not known; valid: {', '.join(table())}")
        if not segment.removeprefix("/").startswith("terzetto-") or len(segment) > 80 or "/" in segment[1:]:
            raise ControlError(f"{segment[:80]!r} is not the name of a segment (/terzetto-PID-COUNT)")
        self._house.attach(segment, instrument, wanted)

    def _monitor(self, arguments: tuple[Argument, ...], peer: Peer) -> None:
        _only_from_here("monitor", peer)
        self._remember(Subscription((peer[0], _port(arguments, "monitor PORT")), "/", monitor=True))
        self._house.monitor(True)

    def _allow_lan(self, arguments: tuple[Argument, ...], peer: Peer) -> None:
        _only_from_here("allow_lan", peer)
        if len(arguments) != 1 or arguments[0] not in (True, False, 0, 1):
            raise ControlError(f"{ROOT}/allow_lan takes true or false (T, F, 0, 1)")
        self._house.allow_lan(bool(arguments[0]))


def _below(prefix: str, address: str, end: str) -> bool:
    return address.startswith(prefix) or f"{ROOT}/{end}".startswith(prefix)


def _port(arguments: tuple[Argument, ...], usage: str) -> int:
    port = arguments[0] if arguments else None
    if isinstance(port, float) and port.is_integer():  # some controllers know floats only
        port = int(port)
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        raise ControlError(f"{ROOT}/{usage}: the port is a number from 1 to 65535; given {str(port)[:40]}")
    return port


def _only_from_here(what: str, peer: Peer) -> None:
    if not peer[0].startswith(_LOOPBACK):
        raise ControlError(f"{ROOT}/{what} is taken from this computer only")


def _checked(command: Command, arguments: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """Return the arguments of a message as it wants them, or raise `ControlError`."""
    usage = f"{command.address} takes {', '.join(command.arguments) or 'no argument'}"
    if len(arguments) != len(command.arguments):
        raise ControlError(f"{usage}; given {len(arguments)}")
    taken: list[Argument] = []
    for declared, given in zip(command.arguments, arguments, strict=True):
        kind = declared.rpartition(":")[2].strip()
        number = isinstance(given, int | float) and not isinstance(given, bool)
        if kind == "string" and isinstance(given, str):
            taken.append(given)
        elif kind == "float" and number and abs(float(given)) < 1e9:  # type: ignore[arg-type]
            taken.append(float(given))  # type: ignore[arg-type]
        elif kind == "integer" and number and float(given).is_integer():  # type: ignore[arg-type]
            taken.append(int(given))  # type: ignore[arg-type]
        else:
            raise ControlError(f"{usage}; given {str(given)[:60]!r}")
    return tuple(taken)


def _unknown(end: str, instances: list[Instance]) -> str:
    ends = sorted({each for instance in instances for each in (*instance.parameters, *instance.commands)})
    valid = ", ".join(f"{ROOT}/{each}" for each in ends) or "none yet; the instance is starting"
    return f"no such address; valid: {valid}"
