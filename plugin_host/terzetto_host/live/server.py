"""The server: one for each user. Plugins attach to it, controllers steer through it, each plugin has a worker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from terzetto import __version__
from terzetto.control.messages import Argument, Message
from terzetto.control.osc import encode
from terzetto.errors import ControlError
from terzetto_host import _bridge
from terzetto_host.live import reports
from terzetto_host.live.controllers import Desk, Peer
from terzetto_host.live.discovery import Announcement
from terzetto_host.live.file_tasks import FileTasks
from terzetto_host.live.http import serve_http
from terzetto_host.live.instance import Instance
from terzetto_host.live.instances import Instances
from terzetto_host.live.logs import log_to
from terzetto_host.network import EVERYWHERE, LOOPBACK, Network, bind
from terzetto_host.places import ServerRecord, only_server

_WATCH = 0.5
_SWEEP = 60.0

log = logging.getLogger(__name__)


class Server:
    """The user's server.

    Parameters
    ----------
    osc_port, http_port
        Where the search for free ones begins; None: where they were last time. 0 takes any.
    host
        Address to listen at; None: loopback, or everywhere for OSC if the local network is allowed in.
    while_used
        End so many seconds after the last worker; None: stay.
    """

    def __init__(
        self,
        osc_port: int | None = None,
        http_port: int | None = None,
        host: str | None = None,
        *,
        while_used: float | None = None,
    ) -> None:
        self._network = Network.read()
        self._wanted = (osc_port, http_port)
        self._host, self._while_used = host, while_used
        self._udp: asyncio.DatagramTransport | None = None
        self._stop: asyncio.Event | None = None
        self._monitored = False
        self.web: asyncio.Server | None = None
        self._announcement = Announcement()
        self._tasks: set[asyncio.Task[None]] = set()
        self.osc_port = self.http_port = 0

    async def run(self) -> None:
        """Serve until told to stop; leaves nothing behind.

        Raises
        ------
        TerzettoError
            Another server runs, or no port is free.
        """
        with only_server():
            self._stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # Windows; not the main thread
                    loop.add_signal_handler(number, self._stop.set)
            self.house = Instances(lambda: self.osc_port, self._told, self._changed)
            self.files = FileTasks()
            self.desk = Desk(self, self._send)
            try:
                await self._open()
                for name in _bridge.sweep():
                    log.info("removed %s, which a host left behind", name)
                ServerRecord(os.getpid(), self.osc_port, self.http_port, __version__).write()
                self._announce()
                log.info("serving: OSC on UDP port %d, HTTP on port %d", self.osc_port, self.http_port)
                await self._watch()
            finally:
                ServerRecord.path().unlink(missing_ok=True)
                await self.files.stop()
                await self.house.stop()
                await self._announcement.end()
                if self._udp is not None:
                    self._udp.close()
                if self.web is not None:
                    self.web.close()
                log.info("ended")

    def instances(self) -> Iterable[Instance]:
        """Return the instances in their order."""
        return self.house

    def attach(self, segment: str, instrument: str, wanted: str) -> None:
        """Give a segment a worker."""
        self.house.attach(segment, instrument, wanted)

    def monitor(self, on: bool) -> None:
        """Let all workers tell every message of their hops, or no more."""
        self._monitored = on
        self.house.tell_all(reports.Monitor(on))

    def allow_lan(self, on: bool) -> None:
        """Open UDP to the local network, or close it, for good."""
        self._network.allow_lan = on
        self._network.write()
        self._in_background(self._reopen())

    def with_files(self, end: str, arguments: tuple[Argument, ...], tell: Callable[[Message], None]) -> None:
        """Do something with files, in the background, and tell the answer."""
        self.files.ask(end, arguments, tell)

    def stop(self) -> None:
        """End in order."""
        if self._stop is not None:
            self._stop.set()

    def _osc_host(self) -> str:
        return self._host or (EVERYWHERE if self._network.allow_lan else LOOPBACK)

    async def _open(self) -> None:
        network = self._network
        osc, http = (
            remembered if wanted is None else wanted
            for wanted, remembered in zip(self._wanted, (network.osc_port, network.http_port), strict=True)
        )
        await self._listen(bind(socket.SOCK_DGRAM, self._osc_host(), osc))
        web = bind(socket.SOCK_STREAM, self._host or LOOPBACK, http)
        self.http_port = int(web.getsockname()[1])
        await serve_http(web, self)
        if self._wanted == (None, None) and (self.osc_port, self.http_port) != (network.osc_port, network.http_port):
            network.osc_port, network.http_port = self.osc_port, self.http_port
            network.write()

    async def _listen(self, udp: socket.socket) -> None:
        self.osc_port = int(udp.getsockname()[1])
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Packets(self.desk), sock=udp)

    def _announce(self) -> None:
        """Say where we are, in the background: it takes seconds until nobody has objected to the name."""
        lan = self._osc_host() != LOOPBACK
        self._in_background(self._announcement.make(self.osc_port, self.http_port, lan=lan))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reopen(self) -> None:
        """Listen at the same port, where the switch now says."""
        if self._udp is not None:
            self._udp.close()
            await asyncio.sleep(0.05)  # it closes when the loop comes round
        port = self.osc_port
        await self._listen(bind(socket.SOCK_DGRAM, self._osc_host(), port))
        log.info("OSC: listening at %s, port %d", self._osc_host(), self.osc_port)
        if self.osc_port != port:
            ServerRecord(os.getpid(), self.osc_port, self.http_port, __version__).write()
            self.house.tell_all(reports.Port(self.osc_port))
        self._announce()

    async def _watch(self) -> None:
        assert self._stop is not None
        swept = time.monotonic()
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _WATCH)
            self.house.watch()
            now = time.monotonic()
            if now - swept > _SWEEP:
                swept = now
                _bridge.sweep()
            unused = now - self.house.last_ended if not len(self.house) and not self.files.busy else 0.0
            if self._while_used is not None and unused > self._while_used:
                log.info("nobody has needed this server for %g s", self._while_used)
                return

    def _send(self, message: Message, peer: Peer) -> None:
        if self._udp is None or self._udp.is_closing():
            return
        try:
            self._udp.sendto(encode(message), peer)
        except (ControlError, OSError) as error:
            log.debug("%s to %s: %s", message.address, peer, error)

    def _told(self, instance: Instance, told: reports.Told) -> None:
        self.desk.told(instance, told)

    def _changed(self) -> None:
        if self._monitored:
            self.house.tell_all(reports.Monitor(True))
        self.desk.changed()


class _Packets(asyncio.DatagramProtocol):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def datagram_received(self, data: bytes, addr: Any) -> None:
        try:
            self._desk.take(data, (str(addr[0]), int(addr[1])))
        except Exception:  # no packet may end the server
            log.exception("a packet of %d bytes from %s", len(data), addr)


def serve(server: Server, *, terminal: bool) -> int:
    """Run a server in this process until it ends; returns the exit status."""
    log_to("server.log", terminal=terminal)
    asyncio.run(server.run())
    return 0
