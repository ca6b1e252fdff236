"""Announce the server by zeroconf, so that controllers find it by name; with the extra ``discovery`` only.

OSC as ``_osc._udp``, its description (OSCQuery) as ``_oscjson._tcp``. Nothing leaves this computer unless the local
network is allowed in.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import socket
from typing import Any

from terzetto_host.network import LOOPBACK, lan_address

log = logging.getLogger(__name__)


class Announcement:
    """What is announced at present; nothing to begin with, and nothing ever without the package zeroconf."""

    def __init__(self) -> None:
        self._zeroconf: Any = None

    async def make(self, osc_port: int, http_port: int, *, lan: bool) -> None:
        """Announce the ports: on this computer, or OSC to the local network too."""
        await self.end()
        try:
            package, asynchronous = (importlib.import_module(f"zeroconf{part}") for part in ("", ".asyncio"))
        except ImportError:
            return
        address = (lan_address() if lan else None) or LOOPBACK
        services = [("_osc._udp", osc_port)]
        if address == LOOPBACK:
            services.append(("_oscjson._tcp", http_port))  # the description is not for the network
        try:
            self._zeroconf = asynchronous.AsyncZeroconf(interfaces=[address])
            for kind, port in services:
                info = package.ServiceInfo(
                    f"{kind}.local.",
                    f"Terzetto {socket.gethostname()} {os.getpid()}.{kind}.local.",
                    addresses=[socket.inet_aton(address)],
                    port=port,
                )
                await self._zeroconf.async_register_service(info)
            log.info("announced at %s", address)
        except Exception as error:  # no network, or none that takes multicast: controllers are told the port by hand
            log.warning("the server is not announced: %s", error or type(error).__name__)
            await self.end()

    async def end(self) -> None:
        """Take it back."""
        announced, self._zeroconf = self._zeroconf, None
        if announced is not None:
            with contextlib.suppress(Exception):
                await announced.async_unregister_all_services()
                await announced.async_close()
