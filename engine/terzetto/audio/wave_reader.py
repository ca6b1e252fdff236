"""RF64 and Wave64 files, read where their chunks say.

libsndfile loses its way after a chunk of odd size before an RF64's sound, and takes what follows a Wave64's sound for
sound too.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.chunks import Chunks, content
from terzetto.audio.formats import SampleFormat

_INTEGER, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


class WaveReader:
    """An RF64 or Wave64 file with integer or floating samples.

    Raises
    ------
    ValueError
        It is none, or holds something else.
    OSError
        It cannot be read.
    """

    def __init__(self, path: Path, chunks: Chunks) -> None:
        form, sound = chunks.find(b"fmt "), chunks.sound
        if form is None or sound is None or form.size < 16:
            raise ValueError("it has no format or no sound")
        head = content(path, form, 40).ljust(40, b"\0")
        tag, self.channels, rate, _, step, bits = struct.unpack_from("<HHIIHH", head)
        self.mask: int | None = None
        if tag == _EXTENSIBLE and form.size >= 40:
            self.mask, tag = struct.unpack_from("<IH", head, 20)
        floating = tag == _FLOAT
        if tag not in (_INTEGER, _FLOAT) or bits not in ((32, 64) if floating else (8, 16, 24, 32)):
            raise ValueError(f"its samples are of a kind that is not known ({tag}, {bits} bits)")
        if not self.channels or step != self.channels * bits // 8:
            raise ValueError("its format contradicts itself")
        self.sample_rate, self.codec = float(rate), f"{'FLOAT' if floating else 'PCM'}_{bits}"
        self.sample_format: SampleFormat | None = SampleFormat(chunks.container, bits, floating, path.suffix[1:])
        self._start, self._step = sound.start, int(step)
        there = min(sound.size, max(chunks.size - sound.start, 0))
        self.frames = there // self._step
        self.promised = max(self.frames, (there + chunks.missing) // self._step)
        self._file = path.open("rb")

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return channels × at most (stop − start) frames."""
        assert self.sample_format is not None
        self._file.seek(self._start + start * self._step, os.SEEK_SET)
        data = self._file.read((stop - start) * self._step)
        data = data[: len(data) // self._step * self._step]
        return _decoded(data, self.sample_format).reshape(-1, self.channels).T

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _decoded(data: bytes, sample_format: SampleFormat) -> NDArray[np.float32]:
    bits = sample_format.bit_depth
    if sample_format.floating:
        return np.frombuffer(data, "<f4" if bits == 32 else "<f8").astype(np.float32)
    if bits == 8:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - np.float32(128.0)) / np.float32(128.0)
    if bits == 24:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.view("<i4")[:, 0].astype(np.float32) * np.float32(2.0**-31)
    return np.frombuffer(data, "<i2" if bits == 16 else "<i4").astype(np.float32) * np.float32(2.0 ** (1 - bits))
