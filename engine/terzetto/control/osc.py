"""Messages as bytes: OSC packets over UDP, and the events that travel with a hop of audio.

python-osc reads and writes the messages. Packets are checked first, for it trusts sizes that a stranger wrote (a
negative one would keep it busy for ever).

Events of a hop are OSC bundles, each after its size as 32 bits of this machine's byte order. A bundle's time tag, read
as one 64-bit number, is the frame within the hop.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable
from itertools import groupby

from pythonosc.osc_message import OscMessage, ParseError
from pythonosc.osc_message_builder import BuildError, OscMessageBuilder
from pythonosc.parsing import osc_types

from terzetto.control.messages import Argument, Message
from terzetto.errors import ControlError

MAX_PACKET = 65_507
"""The largest UDP packet, in bytes."""
EVENT_BYTES = 16_384
"""Room for the events of a hop, in bytes (native/bridge/segment.hpp)."""
MAX_FUTURE = 1.0
"""A packet may be due this far ahead, in seconds; later ones are refused."""
MAX_FRAME = 1 << 24

_BUNDLE = b"#bundle\x00"
_EPOCH_1900 = 2_208_988_800
_IMMEDIATELY = (0, 1)
_DEEPEST = 8  # bundles within bundles
_SIZES = {"i": 4, "f": 4, "h": 8, "d": 8, "T": 0, "F": 0, "N": 0}


def encode(message: Message) -> bytes:
    r"""Return a message as an OSC packet; its frame is not in it.

    >>> encode(Message("/a", (1,)))
    b'/a\x00\x00,i\x00\x00\x00\x00\x00\x01'

    Raises
    ------
    ControlError
        An argument that OSC has no type for.
    """
    builder = OscMessageBuilder(message.address)
    try:
        for argument in message.arguments:
            builder.add_arg(argument, _type_of(argument))
        return builder.build().dgram
    except (BuildError, OverflowError, UnicodeError) as error:
        raise ControlError(f"{message.address}: cannot be sent ({error})") from None


def decode(packet: bytes, now: float | None = None) -> list[Message]:
    """Return the messages of an OSC packet, a message or a bundle, in their order, whenever they are due.

    See `decode_timed` for the parameters and what is raised.
    """
    return [message for message, _ in decode_timed(packet, now)]


def decode_timed(packet: bytes, now: float | None = None) -> list[tuple[Message, float]]:
    """Return the messages of an OSC packet in their order, and when each is due: system time in seconds, 0: at once.

    Parameters
    ----------
    packet
        As it came.
    now
        System time in seconds; the present if None.

    Raises
    ------
    ControlError
        Malformed, larger than 65,507 bytes, or due more than a second from now.
    """
    if len(packet) > MAX_PACKET:
        raise ControlError(f"an OSC packet of {len(packet)} bytes is too large; at most {MAX_PACKET}")
    latest = (time.time() if now is None else now) + MAX_FUTURE
    return [(_message(data), due) for data, due in _elements(packet, latest, 0)]


def encode_events(messages: Iterable[Message]) -> bytes:
    """Return messages as the events of a hop, by rising frame; those of one frame keep their order.

    Raises
    ------
    ControlError
        They do not fit into the hop's 16,384 bytes, or one cannot be written.
    """
    events = bytearray()
    for frame, group in groupby(sorted(messages, key=lambda message: message.frame), key=lambda message: message.frame):
        if not 0 <= frame < MAX_FRAME:
            raise ControlError(f"an event at frame {frame} lies outside any hop; valid: 0 to {MAX_FRAME - 1}")
        bundle = bytearray(_BUNDLE + struct.pack(">Q", frame))
        for message in group:
            data = encode(message)
            bundle += struct.pack(">i", len(data)) + data
        events += struct.pack("=I", len(bundle)) + bundle
    if len(events) > EVENT_BYTES:
        raise ControlError(f"{len(events)} bytes of events do not fit into a hop; at most {EVENT_BYTES}")
    return bytes(events)


def decode_events(events: bytes) -> list[Message]:
    """Return the events of a hop, each with its frame.

    Raises
    ------
    ControlError
        Malformed; nothing of it is used then.
    """
    messages, at = [], 0
    while at < len(events):
        if len(events) - at < 4:
            raise ControlError(f"events of a hop end within a size, at byte {at}")
        (size,) = struct.unpack_from("=I", events, at)
        bundle = events[at + 4 : at + 4 + size]
        if len(bundle) < size or not bundle.startswith(_BUNDLE) or size < 16:
            raise ControlError(f"events of a hop: no whole OSC bundle of {size} bytes at byte {at}")
        (frame,) = struct.unpack_from(">Q", bundle, 8)
        if frame >= MAX_FRAME:
            raise ControlError(f"an event at frame {frame} lies outside any hop; valid: 0 to {MAX_FRAME - 1}")
        messages += [_message(data, frame) for data, _ in _elements(bundle, None, 0)]
        at += 4 + size
    return messages


def _type_of(argument: Argument) -> str:
    if isinstance(argument, bool):
        return "T" if argument else "F"
    if isinstance(argument, int):
        return "i" if -(1 << 31) <= argument < 1 << 31 else "h"
    if isinstance(argument, str) and "\0" in argument:
        raise BuildError("a text with a zero byte")
    for kind, letter in ((float, "f"), (str, "s"), (bytes, "b")):
        if isinstance(argument, kind):
            return letter
    if argument is None:
        return "N"
    raise BuildError(f"OSC has no type for {type(argument).__name__}")


def _elements(packet: bytes, latest: float | None, depth: int, due: float = 0.0) -> list[tuple[bytes, float]]:
    """Return the messages in a packet as bytes, and when they are due. Time tags count if ``latest`` is given."""
    if not packet or len(packet) % 4:
        raise ControlError(f"an OSC packet has a length that is a multiple of 4; given {len(packet)} bytes")
    if not packet.startswith(_BUNDLE):
        return [(packet, due)]
    if len(packet) < 16 or depth > _DEEPEST:
        raise ControlError("an OSC bundle is cut off" if len(packet) < 16 else "OSC bundles are nested too deeply")
    (tag,) = struct.unpack_from(">Q", packet, 8)
    if latest is not None and tag not in _IMMEDIATELY:
        due = max(due, tag / 2**32 - _EPOCH_1900)  # a bundle in a bundle is not due before it
        if due > latest:
            raise ControlError(f"an OSC bundle is due more than {MAX_FUTURE:g} s from now; send it when it is due")
    found, at = [], 16
    while at < len(packet):
        (size,) = struct.unpack_from(">i", packet, at)
        if not 0 < size <= len(packet) - at - 4:
            raise ControlError(f"an OSC bundle has an element of {size} bytes where {len(packet) - at - 4} follow")
        found += _elements(packet[at + 4 : at + 4 + size], latest, depth + 1, due)
        at += 4 + size
    return found


def _message(data: bytes, frame: int = 0) -> Message:
    if not data.startswith(b"/"):
        raise ControlError("an OSC packet starts with an address ('/…') or with '#bundle'")
    try:
        _check_arguments(data)
        message = OscMessage(data)
        return Message(message.address, tuple(message.params), frame)
    except (ParseError, osc_types.ParseError, UnicodeDecodeError, struct.error) as error:
        raise ControlError(f"a malformed OSC message ({error})") from None


def _check_arguments(data: bytes) -> None:
    """Raise unless a message holds what its type tags promise, and nothing more."""
    _, at = osc_types.get_string(data, 0)
    types = ""
    if at < len(data):
        types, at = osc_types.get_string(data, at)
        if not types.startswith(","):
            raise ParseError("its type tags do not start with a comma")
    for letter in types[1:]:
        if letter == "s":
            _, at = osc_types.get_string(data, at)
        elif letter == "b":
            size, at = osc_types.get_int(data, at)
            if size < 0:
                raise ParseError(f"a blob of {size} bytes")
            at += size + -size % 4
        elif letter in _SIZES:
            at += _SIZES[letter]
        else:
            raise ParseError(f"type {letter!r} is not used here; valid: {', '.join((*_SIZES, 's', 'b'))}")
    if at != len(data):
        raise ParseError(f"its arguments take {at} bytes of {len(data)}")
