"""WAVE files made byte by byte, as recorders and workstations write them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def bext(time_reference: int = 172_800_000, version: int = 2) -> bytes:
    """A broadcast extension (EBU Tech 3285) with a time code, loudness values and a coding history."""
    texts = [(b"Take 3, oboe", 256), (b"Terzetto tests", 32), (b"XX0001", 32), (b"2024-05-01", 10), (b"10:00:00", 8)]
    head = b"".join(text.ljust(size, b"\0") for text, size in texts)
    loudness = struct.pack("<5h", -2300, 500, -100, -1800, -2000)
    history = b"A=PCM,F=48000,W=24,M=mono,T=test\r\n"
    return head + struct.pack("<QH", time_reference, version) + bytes(range(64)) + loudness + bytes(180) + history


def cue(*positions: int) -> bytes:
    points = [struct.pack("<II4sIII", number, at, b"data", 0, 0, at) for number, at in enumerate(positions, 1)]
    return struct.pack("<I", len(positions)) + b"".join(points)


def labels(*names: bytes) -> bytes:
    return b"adtl" + b"".join(chunk(b"labl", struct.pack("<I", n) + name + b"\0") for n, name in enumerate(names, 1))


BEFORE = [(b"bext", bext()), (b"iXML", b'<?xml version="1.0"?><BWFXML><SCENE>12</SCENE></BWFXML>')]
AFTER = [
    (b"cue ", cue(1000, 20_000)),
    (b"LIST", labels(b"Verse", b"Chorus")),
    (b"smpl", struct.pack("<9I", 0, 0, 20833, 60, 0, 0, 0, 1, 0) + struct.pack("<6I", 1, 0, 100, 5000, 0, 0)),
    (b"LIST", b"INFO" + chunk(b"INAM", b"A name\0") + chunk(b"IART", "Künstlerin".encode() + b"\0")),
    (b"odd!", b"a program's own"),
]


@dataclass
class Wave:
    """What a WAVE file holds."""

    samples: np.ndarray  # (frames, channels), integers
    rate: int = 48000
    bits: int = 24
    mask: int | None = None
    before: list[tuple[bytes, bytes]] = field(default_factory=lambda: list(BEFORE))
    after: list[tuple[bytes, bytes]] = field(default_factory=lambda: list(AFTER))

    def parts(self) -> list[bytes]:
        channels, step = self.samples.shape[1], self.samples.shape[1] * self.bits // 8
        head = struct.pack("<HIIHH", channels, self.rate, self.rate * step, step, self.bits)
        if self.mask is None:
            form = b"\1\0" + head
        else:
            guid = bytes.fromhex("0100000000001000800000aa00389b71")
            form = b"\xfe\xff" + head + struct.pack("<HHI", 22, self.bits, self.mask) + guid
        data = np.ascontiguousarray(self.samples, "<i4").view(np.uint8).reshape(-1, 4)[:, : self.bits // 8].tobytes()
        return [chunk(*entry) for entry in (*self.before, (b"fmt ", form), (b"data", data), *self.after)]

    def riff(self) -> bytes:
        body = b"WAVE" + b"".join(self.parts())
        return b"RIFF" + struct.pack("<I", len(body)) + body


def steps(frames: int, channels: int, bits: int, seed: int = 0) -> np.ndarray:
    """Return integers of all sizes, the largest and the smallest among them."""
    values = np.random.default_rng(seed).integers(-(1 << bits - 1), 1 << bits - 1, (frames, channels))
    values[: min(2, frames)] = np.array([[-(1 << bits - 1)], [(1 << bits - 1) - 1]])[: min(2, frames)]
    return values
