"""Announcing the server by zeroconf, where that package is installed (the extra ``discovery``)."""

from __future__ import annotations

import asyncio

import pytest

from terzetto_host.live.discovery import Announcement


def test_it_can_be_found_on_this_computer_and_is_taken_back() -> None:
    asynchronous = pytest.importorskip("zeroconf.asyncio")

    async def look() -> tuple[set[str], set[str]]:
        found: set[str] = set()
        lost: set[str] = set()

        def changed(zeroconf: object, service_type: str, name: str, state_change: object) -> None:
            if name.startswith("Terzetto "):
                (lost if "Removed" in str(state_change) else found).add(service_type)

        announcement = Announcement()
        listener = asynchronous.AsyncZeroconf(interfaces=["127.0.0.1"])
        kinds = ["_osc._udp.local.", "_oscjson._tcp.local."]
        browser = asynchronous.AsyncServiceBrowser(listener.zeroconf, kinds, handlers=[changed])
        try:
            await announcement.make(9010, 9080, lan=False)
            await until(lambda: len(found) == 2)
            await announcement.end()
            await until(lambda: len(lost) == 2)
        finally:
            await browser.async_cancel()
            await listener.async_close()
        return found, lost

    async def until(condition: object) -> None:
        for _ in range(1000):
            if condition():  # type: ignore[operator]
                return
            await asyncio.sleep(0.01)

    found, lost = asyncio.run(look())
    assert found == lost == {"_osc._udp.local.", "_oscjson._tcp.local."}
