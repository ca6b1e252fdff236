"""Messages as bytes: round trips, hops' events, and bytes that are none."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from terzetto.control import osc
from terzetto.control.messages import Message
from terzetto.errors import ControlError

argument = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(width=32, allow_nan=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
    | st.binary(min_size=1)
)
address = st.from_regex(r"/[a-z]{1,8}(/[a-z0-9_]{1,8}){0,3}", fullmatch=True)
message = st.builds(Message, address, st.lists(argument, max_size=5).map(tuple))


def bundle(tag: int, *elements: bytes) -> bytes:
    content = b"".join(struct.pack(">i", len(element)) + element for element in elements)
    return b"#bundle\0" + struct.pack(">Q", tag) + content


@given(message)
def test_a_message_goes_round(sent: Message) -> None:
    packet = osc.encode(sent)
    assert osc.decode(packet) == [sent]
    other = OscMessage(packet)
    assert (other.address, tuple(other.params)) == (sent.address, sent.arguments)


@given(st.lists(st.tuples(message, st.integers(0, 8191)), max_size=10))
def test_events_go_round_by_rising_frame(sent: list[tuple[Message, int]]) -> None:
    events = [Message(each.address, each.arguments, frame) for each, frame in sent]
    assert osc.decode_events(osc.encode_events(events)) == sorted(events, key=lambda each: each.frame)


def test_events_are_bundles_that_python_osc_reads() -> None:
    events = osc.encode_events([Message("/b", (2.0,), 7), Message("/a", ("x",), 0), Message("/c", (True,), 7)])
    at, seen = 0, []
    while at < len(events):
        (size,) = struct.unpack_from("=I", events, at)
        data = events[at + 4 : at + 4 + size]
        frame = struct.unpack(">Q", data[8:16])[0]
        seen += [(frame, each.address, each.params) for each in OscBundle(data)]
        at += 4 + size
    assert seen == [(0, "/a", ["x"]), (7, "/b", [2.0]), (7, "/c", [True])]


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(ControlError, match="zero byte"):
        osc.encode(Message("/a", ("x\0y",)))
    with pytest.raises(ControlError, match="cannot be sent"):
        osc.encode(Message("/a", (1 << 70,)))
    with pytest.raises(ControlError, match="cannot be sent"):
        osc.encode(Message("/a", (1e300,)))
    with pytest.raises(ControlError, match="no type for list"):
        osc.encode(Message("/a", ([1],)))  # type: ignore[arg-type]
    with pytest.raises(ControlError, match="do not fit into a hop"):
        osc.encode_events([Message("/a", ("x" * 4000,), frame) for frame in range(5)])
    with pytest.raises(ControlError, match="frame -1 lies outside"):
        osc.encode_events([Message("/a", (), -1)])


def test_bundles_are_taken_now_refused_for_the_future() -> None:
    first, second = osc.encode(Message("/a", (1,))), osc.encode(Message("/b"))
    now = 1_800_000_000.0
    due = int((now + 2_208_988_800) * 2**32)
    for tag in (0, 1, due, due - (1000 << 32), due + (1 << 31)):
        found = osc.decode(bundle(tag, first, bundle(1, second)), now)
        assert [each.address for each in found] == ["/a", "/b"]
    for tag in (due + (2 << 32), (1 << 64) - 1):
        with pytest.raises(ControlError, match="is due more than 1 s from now"):
            osc.decode(bundle(tag, first), now)
        with pytest.raises(ControlError, match="is due"):
            osc.decode(bundle(1, bundle(tag, first)), now)


def test_messages_tell_when_they_are_due() -> None:
    first, second = osc.encode(Message("/a", (1,))), osc.encode(Message("/b"))
    now = 1_800_000_000.0
    soon, sooner = (int((now + seconds + 2_208_988_800) * 2**32) for seconds in (0.5, 0.25))
    assert osc.decode_timed(first, now) == [(Message("/a", (1,)), 0.0)]
    packet = bundle(1, bundle(soon, first, bundle(sooner, second), bundle(1, first)), second)
    assert [due for _, due in osc.decode_timed(packet, now)] == [now + 0.5, now + 0.5, now + 0.5, 0.0]


def nested(depth: int) -> bytes:
    packet = osc.encode(Message("/a"))
    for _ in range(depth):
        packet = bundle(1, packet)
    return packet


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"", "multiple of 4"),
        (b"/a\0", "multiple of 4"),
        (b"abcd", "starts with an address"),
        (b"#bundle\0\0\0\0\0", "cut off"),
        (b"/abc", "malformed"),
        (b"/\xff\0\0,\0\0\0", "malformed"),
        (b"/a\0\0iii\0", "comma"),
        (b"/a\0\0,i\0\0", "arguments take"),
        (b"/a\0\0,i\0\0" + bytes(8), "arguments take"),
        (b"/a\0\0,Q\0\0", "type 'Q' is not used here"),
        (b"/a\0\0,[i]" + bytes(8), "type '\\['"),
        (b"/a\0\0,b\0\0\xff\xff\xff\xf0", "blob of -16"),
        (b"/a\0\0,b\0\0\x7f\xff\xff\xff", "arguments take"),
        (bundle(1) + struct.pack(">i", -8) + bytes(8), "element of -8 bytes"),
        (bundle(1) + struct.pack(">i", 64) + bytes(8), "element of 64 bytes where 8 follow"),
        (bundle(1, b"ab"), "multiple of 4"),
        (nested(20), "nested too deeply"),
        (bytes(osc.MAX_PACKET + 1), "too large"),
    ],
)
def test_a_malformed_packet_is_refused(packet: bytes, reason: str) -> None:
    with pytest.raises(ControlError, match=reason) as caught:
        osc.decode(packet)
    assert "\n" not in str(caught.value)
    if len(packet) < osc.MAX_PACKET and not packet.startswith(b"#bundle\0" + bytes(7) + b"\1"):
        with pytest.raises(ControlError):
            osc.decode_events(struct.pack("=I", len(packet)) + packet)


@pytest.mark.parametrize("events", [b"\0", b"\0\0\0\0", b"\xff\xff\xff\xff#bundle\0", bundle(1 << 40)])
def test_malformed_events_are_refused(events: bytes) -> None:
    data = struct.pack("=I", len(events)) + events if events.startswith(b"#") else events
    with pytest.raises(ControlError):
        osc.decode_events(data)


@given(st.binary(max_size=300))
@example(b"#bundle\0" + bytes(8) + struct.pack(">i", -4) + bytes(4))
def test_any_bytes_are_messages_or_an_error(data: bytes) -> None:
    for packet in (data, b"/a\0\0," + data, bundle(1) + data, bundle(1, b"/a\0\0," + data)):
        padded = packet + bytes(-len(packet) % 4)
        for read in (osc.decode, osc.decode_events):
            for candidate in (packet, padded, struct.pack("=I", len(padded)) + padded):
                try:
                    assert all(isinstance(each, Message) for each in read(candidate))
                except ControlError as error:
                    assert "\n" not in str(error)


@given(st.lists(message, min_size=1, max_size=4), st.data())
def test_a_damaged_packet_is_messages_or_an_error(sent: list[Message], data: st.DataObject) -> None:
    packet = bytearray(bundle(1, *(osc.encode(each) for each in sent)))
    for _ in range(data.draw(st.integers(1, 4))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(packet)))
    for candidate in (bytes(packet), bytes(packet[:cut])):
        try:
            osc.decode(candidate)
        except ControlError as error:
            assert "\n" not in str(error)
