"""What a response can carry for the plugin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from terzetto.control.addresses import ROOT
from terzetto.control.messages import Message
from terzetto.control.osc import EVENT_BYTES, encode, encode_events
from terzetto.errors import ControlError

_BUNDLE = 24  # bytes of a bundle and its size around a message


def pack(messages: Iterable[Message]) -> tuple[bytes, int]:
    """Return as many messages as a response holds, as events, and how many those are."""
    chosen: list[Message] = []
    room = EVENT_BYTES
    for message in messages:
        try:
            size = len(encode(message)) + _BUNDLE
        except ControlError:
            size = EVENT_BYTES + 1
        if size > EVENT_BYTES:
            message, size = Message(f"{ROOT}/status", ("The engine said something too long to be told",)), 128
        if size > room:
            break
        room -= size
        chosen.append(replace(message, frame=0))
    return (encode_events(chosen), len(chosen)) if chosen else (b"", 0)
