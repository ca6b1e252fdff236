"""What a file says beside its sound: time code, markers, names. It goes from input to output as it is.

Chunks are copied, not understood, so programs' own ones survive too. Left out is what describes the samples (they are
written anew) or vouches for them (checksums); a ``bext`` chunk loses only its loudness values, which were measured on
the input (EBU Tech 3285: 0x7FFF where nothing is told).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

from terzetto.audio.aiff_chunks import as_wave
from terzetto.audio.chunks import Chunks, Entry, content, read_chunks
from terzetto.audio.flac_blocks import (
    APPLICATION,
    COMMENTS,
    LARGEST,
    MASK,
    PADDING,
    SEEKTABLE,
    STREAMINFO,
    Block,
    comment_block,
    comments,
    read_blocks,
)
from terzetto.errors import InputError

_ABOUT_SAMPLES = {
    *(
        b"fmt ",
        b"fact",
        b"data",
        b"ds64",
        b"JUNK",
        b"junk",
        b"Fake",
        b"PAD ",
        b"FLLR",
        b"PEAK",
        b"levl",
        b"MD5 ",
        b"mext",
    ),
    *(b"COMM", b"SSND", b"FVER", b"wave"),
}
_MOST_BYTES = 1 << 24  # of all chunks together: they are held in memory
_BEXT_LOUDNESS = slice(412, 422)
# The names of a WAVE's LIST INFO chunk and of FLAC's comments for the same things.
_NAMES = {
    b"INAM": b"TITLE", b"IART": b"ARTIST", b"IPRD": b"ALBUM", b"ICRD": b"DATE", b"IGNR": b"GENRE",
    b"ICMT": b"COMMENT", b"ICOP": b"COPYRIGHT", b"ITRK": b"TRACKNUMBER", b"ISFT": b"ENCODER",
}  # fmt: skip


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its sound.

    Attributes
    ----------
    family : str
        ``wave`` (WAV, RF64, Wave64), ``aiff`` or ``flac``; empty if there is nothing.
    before, after : list of Entry
        Chunks before and after the sound.
    comments : list of bytes
        FLAC's ``NAME=value``.
    blocks : list of Block
        FLAC's others: pictures, cue sheets, applications.
    left_out : list of str
        What is too large or cut.
    """

    family: str = ""
    before: list[Entry] = field(default_factory=list)
    after: list[Entry] = field(default_factory=list)
    comments: list[bytes] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def fitting(self, container: str) -> Metadata:
        """Return what a file of another kind can hold of it; the rest is named in ``left_out``."""
        family = container if container in ("aiff", "flac") else "wave"
        if not self.family or family == self.family:
            return self
        lost = list(self.left_out)
        if self.family == "aiff":
            made, others = as_wave(self.before + self.after)
            return Metadata("wave", after=made, left_out=lost + [_text(name) for name in others]).fitting(container)
        if self.family == "flac" and family == "wave":
            lost += [f"{number} FLAC block(s)" for number in [len(self.blocks)] if number]
            told = any(name == b"LIST" and data[:4] == b"INFO" for name, data in self.before + self.after)
            info = [] if told else _info_chunk(self.comments)
            return Metadata("wave", self.before, self.after + info, left_out=lost)
        if self.family == "wave" and family == "flac":
            before, after = (
                [entry for entry in part if len(entry[1]) < LARGEST - 16] for part in (self.before, self.after)
            )
            lost += [_text(name) for name, data in self.before + self.after if len(data) >= LARGEST - 16]
            return Metadata("flac", before, after, comments=_comments(self.before + self.after), left_out=lost)
        names = [_text(name) for name, _ in self.before + self.after]
        names += ["FLAC comments"] if self.comments else []
        return Metadata(family, left_out=lost + names)


def read_metadata(path: Path) -> Metadata:
    """Return what a file says beside its sound. Cut and damaged chunks are left out and named.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    found = read_chunks(path)
    if found is None:
        return _of_flac(read_blocks(path))
    metadata = Metadata("aiff" if found.container == "aiff" else "wave", left_out=[_text(name) for name in found.cut])
    try:
        _collect(path, found, metadata)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    return metadata


def flac_blocks(metadata: Metadata, form: bytes, sound_bytes: int, mask: int | None, own: list[Block]) -> list[Block]:
    """Return the blocks that a FLAC file gets.

    Parameters
    ----------
    metadata
        `Metadata.fitting` FLAC.
    form, sound_bytes
        Format chunk and size of the sound in the WAVE file that it stands for.
    mask
        Channel mask to tell, or None.
    own
        Blocks that are there.
    """
    vendor = next((comments(block.content)[0] for block in own if block.kind == COMMENTS), b"")
    entries = [entry for entry in metadata.comments if not entry.upper().startswith(MASK.encode())]
    if mask is not None:
        entries.append(f"{MASK}=0x{mask:04X}".encode())
    blocks = [comment_block(vendor, entries), *metadata.blocks]
    if metadata.before or metadata.after:
        size = 4 + sum(8 + len(data) + len(data) % 2 for _, data in [*metadata.before, *metadata.after, (b"", form)])
        head = b"RIFF" + struct.pack("<I", min(size + 8 + sound_bytes + sound_bytes % 2, 0xFFFFFFFF)) + b"WAVE"
        parts = [head, _chunk(b"fmt ", form), *(_chunk(*entry) for entry in metadata.before)]
        parts += [
            b"data" + struct.pack("<I", min(sound_bytes, 0xFFFFFFFF)),
            *(_chunk(*each) for each in metadata.after),
        ]
        blocks += [Block(APPLICATION, b"riff" + part) for part in parts]
    return [*(block for block in own if block.kind == SEEKTABLE), *blocks]


def _collect(path: Path, found: Chunks, metadata: Metadata) -> None:
    budget = _MOST_BYTES
    for chunk in found.chunks:
        name = b"LIST" if found.container == "w64" and chunk.name == b"list" else chunk.name
        if name in _ABOUT_SAMPLES or not _printable(name):
            continue
        if chunk.size > budget:
            metadata.left_out.append(f"{_text(name)} ({chunk.size / 2**20:.0f} MiB)")
            continue
        budget -= chunk.size
        data = content(path, chunk, chunk.size)
        first = found.sound is not None and chunk.start < found.sound.start
        (metadata.before if first else metadata.after).append(
            (name, _without_loudness(data) if name == b"bext" else data)
        )


def _of_flac(blocks: list[Block]) -> Metadata:
    metadata = Metadata("flac" if blocks else "")
    part = metadata.before
    for block in blocks:
        if block.kind == COMMENTS:
            metadata.comments.extend(comments(block.content)[1])
        elif block.kind == APPLICATION and block.content[:4] == b"riff":
            entry = block.content[4:]
            name, data = entry[:4], entry[8:]
            if name == b"data":
                part = metadata.after
            if len(entry) < 8 or name in _ABOUT_SAMPLES or name in (b"RIFF", b"RF64") or not _printable(name):
                continue
            (size,) = struct.unpack_from("<I", entry, 4)
            if size > len(data):
                metadata.left_out.append(_text(name))
                continue
            part.append((name, _without_loudness(data[:size]) if name == b"bext" else data[:size]))
        elif block.kind not in (STREAMINFO, PADDING, SEEKTABLE):
            metadata.blocks.append(block)
    return metadata


def _without_loudness(bext: bytes) -> bytes:
    if len(bext) < 602 or int.from_bytes(bext[346:348], "little") < 2:
        return bext
    return bext[: _BEXT_LOUDNESS.start] + b"\xff\x7f" * 5 + bext[_BEXT_LOUDNESS.stop :]


def _info_chunk(entries: list[bytes]) -> list[Entry]:
    """Return FLAC's comments as a LIST INFO chunk."""
    names = {comment: info for info, comment in _NAMES.items()}
    texts = [(names.get(name.upper()), value) for name, _, value in (entry.partition(b"=") for entry in entries)]
    rows = b"".join(_chunk(name, value + b"\0") for name, value in texts if name)
    return [(b"LIST", b"INFO" + rows)] if rows else []


def _comments(entries: list[Entry]) -> list[bytes]:
    """Return a LIST INFO chunk as FLAC's comments."""
    found = []
    for _, data in (entry for entry in entries if entry[0] == b"LIST" and entry[1][:4] == b"INFO"):
        at = 4
        while at + 8 <= len(data):
            name, size = struct.unpack_from("<4sI", data, at)
            value = data[at + 8 : at + 8 + size].split(b"\0")[0]
            if name in _NAMES and value:
                found.append(_NAMES[name] + b"=" + value.decode("utf-8", "replace").encode())
            at += 8 + size + size % 2
    return found


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _printable(name: bytes) -> bool:
    """Whether this can be a chunk's name: after a damaged size, anything may be found in its place."""
    return len(name) == 4 and all(32 <= letter < 127 for letter in name)


def _text(name: bytes) -> str:
    return repr(name.decode("latin-1"))[1:-1].strip()
