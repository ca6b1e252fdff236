"""The chunks of WAVE, RF64, Wave64 and AIFF files: where they are, whatever state the file is in.

Sources: EBU Tech 3306 (RF64), Sony's Wave64 description, Apple's AIFF-C.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from terzetto.errors import InputError

Entry = tuple[bytes, bytes]
"""A chunk's name and content."""
UNKNOWN = 0xFFFFFFFF
"""A 32-bit size that does not fit, or that the writer never came back to fill in."""
W64_TAIL = {
    b"riff": bytes.fromhex("2e91cf11a5d628db04c10000"),
    b"list": bytes.fromhex("2f91cf11a5d628db04c10000"),
    **dict.fromkeys(
        (b"wave", b"fmt ", b"fact", b"data", b"levl", b"junk", b"bext"), bytes.fromhex("f3acd3118cd100c04f8edb8a")
    ),
}
"""What follows the first four letters of a Wave64 name."""
_MOST = 20_000  # chunks; no program writes more


@dataclass(frozen=True)
class Chunk:
    """A chunk's four letters, where its content begins, and how many bytes it says to have."""

    name: bytes
    start: int
    size: int


@dataclass
class Chunks:
    """The chunks of a file.

    Attributes
    ----------
    container : str
        ``wav``, ``rf64``, ``w64`` or ``aiff``.
    chunks : list of Chunk
        Those that are whole, and the sound.
    sound : Chunk or None
        The chunk with the samples, perhaps cut short.
    cut : list of bytes
        Names of those that reach beyond the end of the file.
    size : int
        Of the file, in bytes.
    """

    container: str
    size: int
    chunks: list[Chunk] = field(default_factory=list)
    sound: Chunk | None = None
    cut: list[bytes] = field(default_factory=list)

    def find(self, name: bytes) -> Chunk | None:
        """Return the first chunk of a name."""
        return next((chunk for chunk in self.chunks if chunk.name == name), None)

    @property
    def missing(self) -> int:
        """Bytes of sound that the header promises and the file lacks; 0 if it promises nothing."""
        if self.sound is None or self.sound.size == UNKNOWN:
            return 0
        return max(self.sound.start + self.sound.size - self.size, 0)


def read_chunks(path: Path) -> Chunks | None:
    """Return a file's chunks, or None if it is of another kind.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            head = file.read(40)
            if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
                return _walk_riff(file, Chunks("wav" if head[:4] == b"RIFF" else "rf64", size))
            if head[:16] == b"riff" + W64_TAIL[b"riff"]:
                return _walk_w64(file, Chunks("w64", size))
            if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
                return _walk_aiff(file, Chunks("aiff", size))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    return None


def content(path: Path, chunk: Chunk, most: int) -> bytes:
    """Return at most so many bytes of a chunk."""
    with path.open("rb") as file:
        file.seek(chunk.start)
        return file.read(min(chunk.size, most))


def _walk_riff(file: BinaryIO, found: Chunks) -> Chunks:
    wide: dict[bytes, int] = {}
    at = 12
    while _room(found, at, 8):
        name, size = struct.unpack("<4sI", _read(file, at, 8))
        if name == b"ds64" and size >= 24:
            wide = _wide_sizes(file, at + 8, min(size, found.size - at - 8))
        if size == UNKNOWN and name in wide:
            size = wide[name]
        at = _add(found, Chunk(name, at + 8, size), b"data", 2)
    return found


def _walk_w64(file: BinaryIO, found: Chunks) -> Chunks:
    at = 40
    while _room(found, at, 24):
        name, size = struct.unpack("<4s12xQ", _read(file, at, 24))
        if size < 24:
            found.cut.append(name)
            break
        at = _add(found, Chunk(name, at + 24, size - 24), b"data", 8)
    return found


def _walk_aiff(file: BinaryIO, found: Chunks) -> Chunks:
    at = 12
    while _room(found, at, 8):
        name, size = struct.unpack(">4sI", _read(file, at, 8))
        at = _add(found, Chunk(name, at + 8, size), b"SSND", 2)
    return found


def _add(found: Chunks, chunk: Chunk, sound: bytes, alignment: int) -> int:
    """Take a chunk in and return where the next one begins."""
    whole = chunk.start + chunk.size <= found.size
    if chunk.name == sound and found.sound is None:
        found.sound = chunk
        found.chunks.append(chunk)
    elif whole:
        found.chunks.append(chunk)
    else:
        found.cut.append(chunk.name)
    return chunk.start + chunk.size + -chunk.size % alignment if whole else found.size


def _room(found: Chunks, at: int, header: int) -> bool:
    return at + header <= found.size and len(found.chunks) < _MOST


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    got = file.read(count)
    if len(got) < count:
        raise OSError("it became shorter while it was read")
    return got


def _wide_sizes(file: BinaryIO, at: int, count: int) -> dict[bytes, int]:
    """Return the 64-bit sizes of a ds64 chunk by name."""
    if count < 24:
        return {}
    head = _read(file, at, min(count, 28))
    sizes = {b"data": struct.unpack("<Q", head[8:16])[0]}
    rows = struct.unpack("<I", head[24:28])[0] if len(head) == 28 else 0
    for row in range(min(rows, (count - 28) // 12, 1000)):
        name, size = struct.unpack("<4sQ", _read(file, at + 28 + 12 * row, 12))
        sizes[name] = size
    return sizes
