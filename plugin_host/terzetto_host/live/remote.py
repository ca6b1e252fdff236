"""The command line's end of OSC: one message, or all that pass by."""

from __future__ import annotations

import socket
import sys
import time

from terzetto.control.addresses import ROOT
from terzetto.control.messages import Argument, Message
from terzetto.control.osc import decode, encode
from terzetto.errors import ControlError, InputError
from terzetto_host.live.file_tasks import TASKS
from terzetto_host.network import LOOPBACK, Network, lan_address
from terzetto_host.places import ServerRecord

_ANSWER = 0.3  # seconds in which an answer comes, if one comes
_RENEW = 5.0  # seconds after which the engine is asked again: it may have gone, or been started anew
_PING, _PONG = f"{ROOT}/ping", f"{ROOT}/pong"


def send(address: str, values: list[str], port: int | None) -> int:
    """Send a message and print what is answered; 2 if that is an error.

    What is done with files is waited for, however long it takes, while the engine runs.

    Raises
    ------
    InputError
        No engine is there, or it has gone.
    """
    # `--port N` may stand behind the values too.
    if "--port" in values[:-1]:
        at = values.index("--port")
        port, values = _port(values[at + 1]), values[:at] + values[at + 2 :]
    message = Message(address, tuple(_value(word) for word in values))
    peer = (LOOPBACK, _running(port))
    status = 0
    with _socket() as there:
        there.connect(peer)  # it is said, then, if nobody listens
        there.send(encode(message))
        waited_for = address.removeprefix(f"{ROOT}/") in TASKS
        deadline = float("inf") if waited_for else time.monotonic() + _ANSWER
        while (left := deadline - time.monotonic()) > 0:
            there.settimeout(min(left, _RENEW))
            try:
                answers = decode(there.recv(65536))
            except TimeoutError:
                if waited_for:
                    there.send(encode(Message(_PING)))
                continue
            except ControlError:
                continue
            except ConnectionError:
                raise InputError(f"nobody listens at UDP port {peer[1]} of this computer") from None
            for answer in answers:
                if waited_for and answer.address == _PONG:
                    continue
                if answer.address == f"{ROOT}/error":
                    print("terzetto: error:", answer.arguments[0], file=sys.stderr)
                    status = 2
                else:
                    print(_text(answer))
                if waited_for and answer.address in (address, f"{ROOT}/error"):
                    deadline = time.monotonic() + _ANSWER  # of what was done in part, the problem follows
                    waited_for = False
    return status


def monitor(port: int | None, count: int | None) -> int:
    """Print every message that the engine is told and tells, until interrupted or ``count`` have come."""
    shown, renewed = 0, 0.0
    with _socket() as there:
        own = int(there.getsockname()[1])
        try:
            while count is None or shown < count:
                if time.monotonic() - renewed > _RENEW:
                    renewed = time.monotonic()
                    peer = (LOOPBACK, _running(port))
                    for what in ("monitor", "subscribe"):
                        there.sendto(encode(Message(f"{ROOT}/{what}", (own,))), peer)
                there.settimeout(0.5)
                try:
                    messages = decode(there.recv(65536))
                except (TimeoutError, ControlError, ConnectionError):
                    continue
                for message in messages:
                    print(_text(message), flush=True)
                    shown += 1
        finally:
            there.sendto(encode(Message(f"{ROOT}/unsubscribe", (own,))), peer)
    return 0


def allow_lan(switch: str | None) -> int:
    """Turn the switch, for now and later, or say how it stands; print what a tablet needs to know."""
    network, record = Network.read(), ServerRecord.read()
    if switch is not None:
        network.allow_lan = switch == "on"
        network.write()
        if record is not None:
            with _socket() as there:
                message = Message(f"{ROOT}/allow_lan", (network.allow_lan,))
                there.sendto(encode(message), (LOOPBACK, record.osc_port))
    port = record.osc_port if record is not None else network.osc_port
    if not network.allow_lan:
        print("allow-lan is off: only this computer can steer")
        return 0
    address = lan_address()
    if address is None:
        print(f"allow-lan is on, but this computer is in no network; OSC (UDP) port {port}")
    else:
        print(f"allow-lan is on: send OSC (UDP) to {address}, port {port}")
    if record is None:
        print("(no engine runs now; it starts with the first plugin, or by terzetto serve)")
    return 0


def _running(port: int | None) -> int:
    if port is not None:
        return port
    record = ServerRecord.read()
    if record is None:
        raise InputError("no engine runs; insert a plugin, or start one with terzetto serve")
    return record.osc_port


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((LOOPBACK, 0))
    return made


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise InputError(f"--port {text}: a port is a number from 1 to 65535")
    return int(text)


def _value(word: str) -> Argument:
    if word in ("true", "false"):
        return word == "true"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _text(message: Message) -> str:
    return " ".join(
        [message.address, *(f"{each:g}" if isinstance(each, float) else str(each) for each in message.arguments)]
    )
