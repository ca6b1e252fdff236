"""AIFF's markers and texts as a WAVE's chunks (Apple, Audio Interchange File Format 1.3)."""

from __future__ import annotations

import struct

from terzetto.audio.chunks import Entry

TEXTS = {b"NAME": b"INAM", b"AUTH": b"IART", b"(c) ": b"ICOP", b"ANNO": b"ICMT"}
"""Names of AIFF's text chunks in a WAVE's LIST INFO."""


def as_wave(entries: list[Entry]) -> tuple[list[Entry], list[bytes]]:
    """Return a WAVE's chunks for those of an AIFF, and the names of those that have none."""
    made: list[Entry] = []
    lost: list[bytes] = []
    info = b""
    for name, data in entries:
        if name == b"MARK":
            marked = _markers(data)
            made += _cues(marked)
            lost += [] if marked is not None else [name]
        elif name in TEXTS:
            info += _chunk(TEXTS[name], data.rstrip(b"\0") + b"\0")
        else:
            lost.append(name)
    return made + ([(b"LIST", b"INFO" + info)] if info else []), lost


def _markers(data: bytes) -> list[tuple[int, int, bytes]] | None:
    """Return number, frame and name of each marker; None if the chunk is damaged."""
    try:
        (count,) = struct.unpack_from(">H", data)
        markers, at = [], 2
        for _ in range(count):
            number, frame, length = struct.unpack_from(">HIB", data, at)
            name = data[at + 7 : at + 7 + length]
            if len(name) < length:
                return None
            markers.append((number, frame, name))
            at += 7 + length + (length + 1) % 2
    except struct.error:
        return None
    return markers


def _cues(markers: list[tuple[int, int, bytes]] | None) -> list[Entry]:
    if not markers:
        return []
    points = [struct.pack("<II4sIII", number, frame, b"data", 0, 0, frame) for number, frame, _ in markers]
    labels = [_chunk(b"labl", struct.pack("<I", number) + name + b"\0") for number, _, name in markers]
    cue = struct.pack("<I", len(points)) + b"".join(points)
    return [(b"cue ", cue), (b"LIST", b"adtl" + b"".join(labels))]


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
