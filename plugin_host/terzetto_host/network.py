"""Ports and addresses: which are free, which are remembered, whether the local network may come in.

``network.json`` in the config folder keeps the ports, so that a controller finds the server where it was, and the
switch of `terzetto osc allow-lan`.
"""

from __future__ import annotations

import argparse
import errno
import os
import socket
from dataclasses import asdict, dataclass

from terzetto.errors import InputError
from terzetto_host.places import config_dir, read_json, write_json

OSC_PORT = 9010
"""Where the search for a UDP port begins: not 8000, 9000 and 57120, which other programs like."""
HTTP_PORT = 9080
LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"
_SEARCHED = 100
_NOT_OURS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@dataclass
class Network:
    """What ``network.json`` keeps."""

    allow_lan: bool = False
    osc_port: int = OSC_PORT
    http_port: int = HTTP_PORT

    @classmethod
    def read(cls) -> Network:
        """Read it; what is missing or damaged is as in a new installation."""
        content = read_json(config_dir() / "network.json")
        network = cls(allow_lan=content.get("allow_lan") is True)
        for name in ("osc_port", "http_port"):
            if isinstance(content.get(name), int) and 1 <= content[name] <= 65535:
                setattr(network, name, content[name])
        return network

    def write(self) -> None:
        """Keep it."""
        write_json(config_dir() / "network.json", asdict(self))


def bind(kind: socket.SocketKind, host: str, port: int) -> socket.socket:
    """Return a socket bound to a port, or to the next free one above it; 0 takes any.

    Raises
    ------
    InputError
        The address is not one of this computer, or a hundred ports are taken.
    """
    problem: OSError | None = None
    for candidate in range(port, min(port + _SEARCHED, 65536)) if port else [0]:
        made = socket.socket(socket.AF_INET, kind)
        try:
            made.setblocking(False)
            if kind == socket.SOCK_STREAM and os.name == "posix":  # else a port stays taken for a minute
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((host, candidate))
            return made
        except OSError as error:
            made.close()
            problem = error
            if isinstance(error, socket.gaierror) or error.errno in _NOT_OURS:
                break
    raise InputError(
        f"no port from {port} on can be used at {host} ({problem.strerror or problem if problem else 'none'}); give "
        "another --osc-port or --http-port, and as --host an address of this computer"
    )


def lan_address() -> str | None:
    """Return this computer's address in the local network; None if it is in none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of nobody (RFC 5737): only the route to it is looked up
            address = str(probe.getsockname()[0])
        except OSError:
            return None
    return None if address.startswith("127.") or address == EVERYWHERE else address


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the server's arguments."""
    first = "as last time, first"
    for name, kind, default in (("osc", "UDP", OSC_PORT), ("http", "HTTP", HTTP_PORT)):
        text = f"{kind} port; the next free one from it is taken (default: {first} {default})"
        parser.add_argument(f"--{name}-port", type=port, metavar="N", help=text)
    parser.add_argument("--host", metavar="ADDRESS", help="address to listen at (default: this computer only)")


def port(text: str) -> int:
    """Read a port number; 0 takes any."""
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number from 0 to 65535")
    return int(text)
