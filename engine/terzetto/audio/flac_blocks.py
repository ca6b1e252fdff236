"""The metadata blocks of FLAC files (RFC 9639): what they say about speakers, and how other blocks are put in.

Chunks of a WAVE file travel in APPLICATION blocks called ``riff``, as ``flac --keep-foreign-metadata`` has them.
"""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from terzetto.errors import InputError

STREAMINFO, PADDING, APPLICATION, SEEKTABLE, COMMENTS = range(5)
LARGEST = (1 << 24) - 1
"""Bytes of a block."""
MASK = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK"
_MOST = 10_000  # blocks


@dataclass(frozen=True)
class Block:
    """A metadata block's kind and content."""

    kind: int
    content: bytes


def read_blocks(path: Path) -> list[Block]:
    """Return a FLAC file's metadata blocks; those that are cut are left out, and so is all of what is no FLAC.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return _read(file)[0]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def read_mask(path: Path) -> int | None:
    """Return the channel mask that a FLAC file's comments tell, if they do."""
    for block in read_blocks(path):
        if block.kind == COMMENTS:
            for entry in comments(block.content)[1]:
                name, _, value = entry.partition(b"=")
                if name.upper() == MASK.encode():
                    try:
                        return int(value, 0)
                    except ValueError:
                        return None
    return None


def comments(content: bytes) -> tuple[bytes, list[bytes]]:
    """Return vendor and entries of a VORBIS_COMMENT block, as far as it is whole."""
    texts: list[bytes] = []
    at, count = 0, 2
    while len(texts) < count and at + 4 <= len(content):
        (size,) = struct.unpack_from("<I", content, at)
        if at + 4 + size > len(content):
            break
        texts.append(content[at + 4 : at + 4 + size])
        at += 4 + size
        if len(texts) == 1:
            if at + 4 > len(content):
                break
            count = 1 + int(struct.unpack_from("<I", content, at)[0])
            at += 4
    return (texts[0], texts[1:]) if texts else (b"", [])


def comment_block(vendor: bytes, entries: list[bytes]) -> Block:
    """Return a VORBIS_COMMENT block."""
    texts = [struct.pack("<I", len(text)) + text for text in (vendor, *entries)]
    return Block(COMMENTS, texts[0] + struct.pack("<I", len(entries)) + b"".join(texts[1:]))


def replace_blocks(path: Path, blocks: list[Block]) -> None:
    """Write a FLAC file anew with its stream information and these blocks; it must be whole."""
    other = path.with_name(f"{path.name}.blocks")
    with path.open("rb") as source, other.open("wb") as target:
        own, sound = _read(source)
        kept = [block for block in own if block.kind == STREAMINFO] + blocks
        target.write(b"fLaC")
        for number, block in enumerate(kept):
            last = 0x80 if number == len(kept) - 1 else 0
            target.write(struct.pack(">I", (last | block.kind) << 24 | len(block.content)) + block.content)
        source.seek(sound)
        shutil.copyfileobj(source, target, 1 << 20)
    other.replace(path)


def _read(file: BinaryIO) -> tuple[list[Block], int]:
    """Return the blocks, and where the sound begins."""
    blocks: list[Block] = []
    if file.read(4) != b"fLaC":
        return blocks, 0
    while len(blocks) < _MOST:
        head = file.read(4)
        if len(head) < 4:
            break
        (word,) = struct.unpack(">I", head)
        content = file.read(word & LARGEST)
        if len(content) < word & LARGEST:
            break
        blocks.append(Block(word >> 24 & 0x7F, content))
        if word >> 31:
            break
    return blocks, file.tell()
