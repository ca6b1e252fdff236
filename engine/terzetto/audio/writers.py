"""What writes an audio file: libsndfile for FLAC and AIFF; for the WAVE family, the bytes themselves.

The bytes, because chunks before the sound, channel masks and RF64 beyond 4 GiB are what libsndfile does not do for
Python. Samples are rounded to the nearest step and limited to full scale: what came from integers goes back to them.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.chunks import UNKNOWN, W64_TAIL, Entry
from terzetto.audio.flac_blocks import read_blocks, replace_blocks
from terzetto.audio.formats import SampleFormat
from terzetto.audio.layouts import default_mask
from terzetto.audio.metadata import Metadata, flac_blocks

Float = NDArray[np.float32]

LARGEST_RIFF = (1 << 32) - 1
"""Bytes that a WAV's 32-bit sizes can tell."""
LARGEST_AIFF = (1 << 32) - (1 << 25)
"""Bytes of sound that an AIFF holds beside what else it may tell."""
_SUBTYPES = {(8, False): "PCM_S8", (16, False): "PCM_16", (24, False): "PCM_24", (32, False): "PCM_32"}
_SUBTYPES |= {(32, True): "FLOAT", (64, True): "DOUBLE"}
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


class Writer(Protocol):
    """An open file."""

    def write(self, block: Float) -> None:
        """Append a block (channels × frames)."""

    def close(self) -> None:
        """Finish the file."""


def open_writer(
    path: Path,
    sample_format: SampleFormat,
    sample_rate: int,
    channels: int,
    mask: int | None = None,
    metadata: Metadata | None = None,
) -> Writer:
    """Open a file to be written.

    Parameters
    ----------
    mask
        Channel mask; None for none in mono and stereo, and the usual one beyond.
    metadata
        What the file says beside its sound.

    Raises
    ------
    OSError, RuntimeError, ValueError
        It cannot be opened.
    """
    fitting = (metadata or Metadata()).fitting(sample_format.container)
    if sample_format.container in ("flac", "aiff"):
        return SndfileWriter(path, sample_format, sample_rate, channels, mask, fitting)
    return WaveWriter(path, sample_format, sample_rate, channels, mask, fitting)


class WaveWriter:
    """A WAV, RF64 or Wave64 file. A WAV that grows beyond 4 GiB becomes RF64 (EBU Tech 3306)."""

    def __init__(
        self,
        path: Path,
        sample_format: SampleFormat,
        sample_rate: int,
        channels: int,
        mask: int | None,
        metadata: Metadata,
    ) -> None:
        self._format, self._step = sample_format, channels * sample_format.bit_depth // 8
        self._w64 = sample_format.container == "w64"
        self._bytes = 0
        self._file = path.open("wb")
        try:
            if self._w64:
                self._file.write(b"riff" + W64_TAIL[b"riff"] + bytes(8) + b"wave" + W64_TAIL[b"wave"])
            else:
                self._file.write(b"RIFF" + bytes(4) + b"WAVE")
                self._put(b"JUNK", bytes(28))  # room for the sizes that RF64 needs
            # libsndfile, and with it many editors, reads extensible Wave64 only if its samples are integers, …
            plain = self._w64 and (mask is None or sample_format.floating)
            self._put(b"fmt ", format_chunk(sample_format, sample_rate, channels, mask, plain=plain))
            self._fact = self._file.tell() + (24 if self._w64 else 8)
            if sample_format.floating:
                self._put(b"fact", bytes(8 if self._w64 else 4))
            # … takes all that follows its sound for sound, and is lost after a chunk of odd size before an RF64's.
            early = metadata.before + metadata.after if self._w64 else _even(metadata.before)
            self._after = [] if self._w64 else _odd(metadata.before) + metadata.after
            for entry in early:
                self._put(*entry)
            self._data = self._file.tell()
            self._file.write(self._header(b"data", 0))
        except BaseException:
            self._file.close()
            raise

    def write(self, block: Float) -> None:
        """Append a block (channels × frames)."""
        sound = _bytes(block, self._format)
        self._file.write(sound)
        self._bytes += len(sound)

    def close(self) -> None:
        """Write what comes after the sound, and all sizes."""
        try:
            self._file.write(bytes(0 if self._w64 else self._bytes % 2))
            for entry in self._after:
                self._put(*entry)
            self._tell_sizes(self._file.tell())
        finally:
            self._file.close()

    def _put(self, name: bytes, data: bytes) -> None:
        self._file.write(self._header(name, len(data)) + data + bytes(-len(data) % (8 if self._w64 else 2)))

    def _header(self, name: bytes, size: int) -> bytes:
        if self._w64:
            short = b"list" if name == b"LIST" else name
            return short + W64_TAIL.get(short, W64_TAIL[b"data"]) + struct.pack("<Q", size + 24)
        return name + struct.pack("<I", min(size, UNKNOWN))

    def _tell_sizes(self, size: int) -> None:
        frames = self._bytes // self._step
        if self._w64:
            self._patch(16, struct.pack("<Q", size))
            self._patch(self._data, self._header(b"data", self._bytes))
            fact = struct.pack("<Q", frames)
        else:
            large = size - 8 >= LARGEST_RIFF or self._format.container == "rf64"
            if large:
                self._patch(0, b"RF64" + struct.pack("<I", UNKNOWN))
                self._patch(12, b"ds64" + struct.pack("<IQQQI", 28, size - 8, self._bytes, frames, 0))
            else:
                self._patch(4, struct.pack("<I", size - 8))
            self._patch(self._data, self._header(b"data", UNKNOWN if large else self._bytes))
            fact = struct.pack("<I", min(frames, UNKNOWN))
        if self._format.floating:
            self._patch(self._fact, fact)

    def _patch(self, at: int, data: bytes) -> None:
        self._file.seek(at)
        self._file.write(data)


class SndfileWriter:
    """A FLAC or AIFF file."""

    def __init__(
        self,
        path: Path,
        sample_format: SampleFormat,
        sample_rate: int,
        channels: int,
        mask: int | None,
        metadata: Metadata,
    ) -> None:
        import soundfile

        path.touch()  # with the permissions of any new file
        self._path, self._format, self._metadata, self._mask = path, sample_format, metadata, mask
        self._rate, self._channels, self._frames = sample_rate, channels, 0
        self._file = soundfile.SoundFile(
            os.fsencode(path) if os.name == "posix" else str(path),
            "w",
            sample_rate,
            channels,
            _SUBTYPES[sample_format.bit_depth, sample_format.floating],
            format=sample_format.container.upper(),
        )

    def write(self, block: Float) -> None:
        """Append a block (channels × frames)."""
        self._frames += block.shape[1]
        if self._format.container == "aiff" and self._size() > LARGEST_AIFF:
            raise ValueError("an AIFF file holds 4 GiB at most; ask for another format")
        if block.shape[1]:
            self._file.write(_samples(block, self._format))

    def close(self) -> None:
        """Finish the file and put in what it says beside its sound."""
        self._file.close()
        if self._format.container == "aiff":
            self._append_chunks()
        elif self._frames:
            own = read_blocks(self._path)
            form = format_chunk(self._format, self._rate, self._channels, self._mask)
            blocks = flac_blocks(self._metadata, form, self._size(), self._mask, own)
            replace_blocks(self._path, blocks)
        else:
            raise ValueError("a FLAC file cannot be without samples")

    def _size(self) -> int:
        return self._frames * self._channels * self._format.bit_depth // 8

    def _append_chunks(self) -> None:
        with self._path.open("r+b") as file:
            size = file.seek(0, 2)
            file.write(bytes(size % 2))
            for name, data in self._metadata.before + self._metadata.after:
                file.write(name + struct.pack(">I", len(data)) + data + bytes(len(data) % 2))
            size = file.tell()
            file.seek(4)
            file.write(struct.pack(">I", size - 8))


def format_chunk(
    sample_format: SampleFormat, sample_rate: int, channels: int, mask: int | None, *, plain: bool = False
) -> bytes:
    """Return the content of a WAVE's format chunk; extensible where there is a mask or more than two channels."""
    step = channels * sample_format.bit_depth // 8
    tag = 3 if sample_format.floating else 1
    fields = struct.pack("<HIIHH", channels, sample_rate, sample_rate * step, step, sample_format.bit_depth)
    if plain or (mask is None and channels <= 2):
        return struct.pack("<H", tag) + fields + (bytes(2) if sample_format.floating else b"")
    speakers = default_mask(channels) if mask is None else mask
    extension = struct.pack("<HHIH", 22, sample_format.bit_depth, speakers, tag)
    return struct.pack("<H", 0xFFFE) + fields + extension + _GUID_TAIL


def _even(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if len(entry[1]) % 2 == 0]


def _odd(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if len(entry[1]) % 2]


def _quantised(block: Float, bits: int) -> NDArray[np.int64]:
    """Return steps (frames, channels)."""
    scale = 2.0 ** (bits - 1)
    return np.clip(np.rint(block.T.astype(np.float64) * scale), -scale, scale - 1).astype(np.int64)


def _bytes(block: Float, sample_format: SampleFormat) -> bytes:
    """Return a block's bytes in a WAVE file: little endian, 8 bits unsigned."""
    bits = sample_format.bit_depth
    if sample_format.floating:
        return np.ascontiguousarray(block.T, "<f4" if bits == 32 else "<f8").tobytes()
    steps = _quantised(block, bits)
    if bits == 8:
        return (steps + 128).astype(np.uint8).tobytes()
    if bits == 24:
        return np.ascontiguousarray(steps, "<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return steps.astype("<i2" if bits == 16 else "<i4").tobytes()


def _samples(block: Float, sample_format: SampleFormat) -> NDArray[Any]:
    """Return a block as libsndfile takes it: integers with their steps in the upper bits."""
    bits = sample_format.bit_depth
    if sample_format.floating:
        return np.ascontiguousarray(block.T, np.float32 if bits == 32 else np.float64)
    wide = 16 if bits <= 16 else 32
    return np.ascontiguousarray(_quantised(block, bits) << (wide - bits), np.int16 if wide == 16 else np.int32)
