"""What a response can carry for the plugin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from terzetto.control.addresses import ROOT
from terzetto.control.messages import Message
from terzetto.control.osc import EVENT_BYTES, encode, encode_events
from terzetto.errors import ControlError

_BUNDLE = 24  # bytes of a bundle and its size around a message


def pack(messages: Iterable[Message], timed: Iterable[Message] = ()) -> tuple[bytes, int]:
    """Return as many messages as a response holds, as events, and how many those are.

    Parameters
    ----------
    messages
        In their order; what has no room can go with the next response.
    timed
        What belongs into this response, each at its frame; not counted.
    """
    chosen: list[Message] = []
    room = EVENT_BYTES
    for message in timed:
        room -= len(encode(message)) + _BUNDLE
        if room >= 0:
            chosen.append(message)
    timely, room = len(chosen), max(room, 0)
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
    return (encode_events(chosen), len(chosen) - timely) if chosen else (b"", 0)
