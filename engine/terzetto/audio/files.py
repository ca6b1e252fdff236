"""Recordings, in memory and in files, read piece by piece.

Arrays are float32, channels × frames, full scale ±1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.audio.readers import open_reader
from terzetto.errors import InputError

Float = NDArray[np.float32]

# Beyond this, energies no longer fit into float32. Files with integer values as floats stay far below.
_LOUDEST = 1e7


class Take(Protocol):
    """A recording that can be read piece by piece."""

    sample_rate: float
    channels: int
    frames: int

    def read(self, start: int, stop: int) -> Float:
        """Return channels × (stop − start); zero before the beginning and after the end."""


class ArrayTake:
    """A recording held in memory.

    Parameters
    ----------
    audio
        (frames,) or (channels, frames), any real type; 1 or 2 channels.
    sample_rate
        In Hz, 4000..384000.

    Raises
    ------
    InputError
        Empty, more than two channels, not finite, or a sample rate out of range.
    """

    def __init__(self, audio: ArrayLike, sample_rate: float) -> None:
        samples = np.atleast_2d(np.asarray(audio))
        if samples.ndim != 2 or samples.dtype.kind not in "fiu":
            raise InputError(f"audio must be (frames,) or (channels, frames) of numbers; given {np.shape(audio)}")
        if samples.shape[0] > 2 and samples.shape[1] <= 2:
            raise InputError(f"audio is channels × frames; given {samples.shape}: transpose it (audio.T)")
        if samples.dtype.kind != "f":
            raise InputError(f"audio must be floating point, ±1 at full scale; given {samples.dtype}")
        self._samples: Float = np.ascontiguousarray(samples, np.float32)
        channels, frames = self._samples.shape
        _check_format("the audio", channels, frames, sample_rate)
        _check_finite("the audio", self._samples, 0, sample_rate)
        self.sample_rate, self.channels, self.frames = sample_rate, channels, frames

    def read(self, start: int, stop: int) -> Float:
        """Return channels × (stop − start); zero outside the recording."""
        return _read_padded(lambda a, b: self._samples[:, a:b], self.channels, self.frames, start, stop)


class FileTake:
    """An audio file, read piece by piece; use it as a context manager.

    Parameters
    ----------
    path
        Any length: frames are counted in 64 bits and read as they are asked for.
    most_channels : int
        More are refused: 2 where the two sides of a stereo recording are meant, up to 8 (7.1) for chains.
    empty : bool
        Whether a file without samples is one.

    Attributes
    ----------
    sample_format : SampleFormat or None
        How samples are stored; None for a lossy codec, or a kind of file that is not written here.
    codec : str
        Its name, for messages.
    mask : int or None
        Which speakers the channels are for, if the file says so.

    Raises
    ------
    InputError
        Missing, a folder, empty, not audio, cut short, too many channels; NaN or infinite when read.
    """

    def __init__(self, path: str | os.PathLike[str], *, most_channels: int = 2, empty: bool = False) -> None:
        self.path = Path(path)
        try:
            size = self.path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"{path}: no such file") from None
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read ({_reason(error)})") from None
        if self.path.is_dir():
            raise InputError(f"{path}: is a folder; give an audio file")
        if not os.access(self.path, os.R_OK):
            raise InputError(f"{path}: may not be read (permission denied)")
        if size == 0:
            raise InputError(f"{path}: the file is empty")
        self._reader = open_reader(self.path)
        self.sample_rate = self._reader.sample_rate
        self.channels, self.frames = self._reader.channels, self._reader.frames
        self.sample_format, self.codec = self._reader.sample_format, self._reader.codec
        self.mask = self._reader.mask
        try:
            self._check_whole()
            _check_format(str(path), self.channels, self.frames, self.sample_rate, most_channels, empty)
        except InputError:
            self._reader.close()
            raise

    def read(self, start: int, stop: int) -> Float:
        """Return channels × (stop − start); zero outside the recording."""
        block = _read_padded(self._read, self.channels, self.frames, start, stop)
        _check_finite(str(self.path), block, start, self.sample_rate)
        return block

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    def _read(self, start: int, stop: int) -> Float:
        try:
            block = self._reader.read(start, stop)
        except (ValueError, RuntimeError, OSError) as error:
            raise self._unreadable(start, _reason(error)) from None
        if block.shape[1] < stop - start:  # silence would pass for sound
            raise self._unreadable(start + block.shape[1], "the data ends before")
        return block

    def _unreadable(self, frame: int, reason: str) -> InputError:
        return InputError(
            f"{self.path}: cannot be read from {frame / self.sample_rate:.1f} s on ({reason}); export or copy it again"
        )

    def _check_whole(self) -> None:
        promised = self._reader.promised
        if promised > self.frames:
            exact = promised > self.frames + 1
            told = f"{promised} frames ({promised / self.sample_rate:.1f} s)" if exact else "more"
            raise InputError(
                f"{self.path}: the file is cut short: its header promises {told}, but the data ends before; export or "
                "copy it again"
            )


def read_audio(path: str | os.PathLike[str]) -> tuple[Float, float]:
    """Read a whole file: (channels × frames, sample rate). Raises `InputError` as `FileTake`."""
    with FileTake(path) as take:
        return take.read(0, take.frames), take.sample_rate


def blocks(take: Take, block_frames: int = 1 << 18) -> Iterator[Float]:
    """Yield a recording block by block."""
    for start in range(0, take.frames, block_frames):
        yield take.read(start, min(start + block_frames, take.frames))


def _read_padded(read: Callable[[int, int], Float], channels: int, frames: int, start: int, stop: int) -> Float:
    block = np.zeros((channels, stop - start), np.float32)
    first, last = max(start, 0), min(stop, frames)
    if last > first:
        got = read(first, last)
        block[:, first - start : first - start + got.shape[1]] = got
    return block


def _check_format(
    what: str, channels: int, frames: int, sample_rate: float, most_channels: int = 2, empty: bool = False
) -> None:
    if frames == 0 and not empty:
        raise InputError(f"{what}: has no samples")
    if not 1 <= channels <= most_channels:
        valid = "mono and stereo are supported: mix it down first" if most_channels == 2 else f"at most {most_channels}"
        raise InputError(f"{what}: has {channels} channels; {valid}")
    if not 4000 <= sample_rate <= 384_000:
        raise InputError(f"{what}: has a sample rate of {sample_rate} Hz; valid: 4000 to 384000 Hz")


def _check_finite(what: str, block: Float, start: int, sample_rate: float) -> None:
    # NaN passes through the extremes: far cheaper than a mask of all samples.
    if not block.size or (block.min() >= -_LOUDEST and block.max() <= _LOUDEST):
        return
    bad = ~(np.abs(block) <= _LOUDEST)
    frame, finite = int(np.argmax(bad.any(axis=0))), bool(np.isfinite(block).all())
    problem = f"is beyond {_LOUDEST:g} (full scale is 1)" if finite else "is not a finite number (NaN or infinity)"
    raise InputError(
        f"{what}: sample {start + frame} ({(start + frame) / sample_rate:.3f} s) {problem}; export the file again"
    )


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
