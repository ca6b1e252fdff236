"""What controllers sent and a plugin may not know yet, handed on where its worker ends: a host prepares it anew.

A plugin that is prepared for another format makes another segment and gets another worker, under the same name. What
had not come to it through the old one goes to the new one.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Iterator

from terzetto.control.messages import Message

UNDER_WAY = 64
"""Hops of a segment that can be under way (native/bridge/segment.hpp): an older one's response has been taken."""
KEPT = 5.0
"""Seconds for which a plugin that went may come back for what was meant for it."""


class Owed:
    """A worker's list: messages that wait for a hop, or went with one whose response may still be under way."""

    def __init__(self) -> None:
        self._entries: list[tuple[Message, int]] = []  # with the hop that took it; 0: none yet
        self._hop = 0

    def __iter__(self) -> Iterator[Message]:
        return (message for message, _ in self._entries)

    def add(self, messages: Iterable[Message], parameters: Container[str]) -> None:
        """Take messages that wait for the next hop; of a parameter the last one counts."""
        for message in messages:
            if message.address in parameters:
                self._entries = [each for each in self._entries if each[0].address != message.address]
            self._entries.append((message, 0))

    def hop(self, said: Iterable[Message], parameters: Container[str]) -> None:
        """Let a hop take what waits. What its host has said since counts instead."""
        self._hop += 1
        later = {each.address for each in said if each.address in parameters}
        self._entries = [
            (message, hop or self._hop)
            for message, hop in self._entries
            if not hop or (self._hop - hop < UNDER_WAY and message.address not in later)
        ]


class Estate:
    """The server's: what plugins that went are still owed, by the name of their instance."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[float, list[Message]]] = {}

    def keep(self, name: str, instrument: str, messages: Iterable[Message]) -> None:
        """Keep messages for whoever comes under this name."""
        owed = [*self.take(name, instrument), *messages]
        if owed:
            self._kept[name, instrument] = (time.monotonic(), owed)

    def take(self, name: str, instrument: str) -> list[Message]:
        """Return what is owed under a name; nothing where it is too old."""
        since, owed = self._kept.pop((name, instrument), (0.0, []))
        return owed if time.monotonic() - since < KEPT else []
