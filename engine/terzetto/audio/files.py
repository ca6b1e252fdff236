"""Audio in and out. pedalboard reads and writes; here files are checked before and kept whole after.

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

from terzetto.errors import InputError

Float = NDArray[np.float32]


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
        _check_format("the audio", *samples.shape, sample_rate)
        _check_finite("the audio", self._samples, 0, sample_rate)
        self.sample_rate, (self.channels, self.frames) = sample_rate, samples.shape

    def read(self, start: int, stop: int) -> Float:
        """Return channels × (stop − start); zero outside the recording."""
        return _read_padded(lambda a, b: self._samples[:, a:b], self.channels, self.frames, start, stop)


class FileTake:
    """An audio file, read piece by piece; use it as a context manager.

    Raises
    ------
    InputError
        Missing, a folder, empty, not audio, cut short, more than two channels; NaN or infinite when read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        from pedalboard.io import AudioFile

        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"{path}: no such file")
        if self.path.is_dir():
            raise InputError(f"{path}: is a folder; give an audio file")
        if not os.access(self.path, os.R_OK):
            raise InputError(f"{path}: may not be read (permission denied)")
        if self.path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty")
        try:
            self._file = AudioFile(str(self.path))
        except (ValueError, RuntimeError, OSError):
            raise InputError(f"{path}: not an audio file that can be read (WAV, FLAC, AIFF, MP3, Ogg …)") from None
        rate = self._file.samplerate
        self.sample_rate = float(rate)
        self.channels, self.frames = self._file.num_channels, self._file.frames
        try:
            _check_format(str(path), self.channels, self.frames, self.sample_rate)
            self._check_whole()
        except InputError:
            self._file.close()
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
        self._file.close()

    def _read(self, start: int, stop: int) -> Float:
        self._file.seek(start)
        return np.asarray(self._file.read(stop - start), np.float32)

    def _check_whole(self) -> None:
        """A file cut short reads as silence in pedalboard; libsndfile tells."""
        import soundfile

        try:
            with soundfile.SoundFile(str(self.path)) as file:
                whole = file.frames > 0 and file.seek(file.frames - 1) >= 0 and len(file.read(1)) == 1
                # Encoder padding (MP3) may differ by a few thousand frames; a missing part is longer.
                missing = self.frames - file.frames if whole else self.frames
        except (soundfile.LibsndfileError, RuntimeError) as error:
            if "format" in str(error).lower() and "supported" in str(error).lower():
                return  # a format only pedalboard knows
            missing = self.frames
        if missing > 8192 or (missing > 0 and self.path.suffix.lower() in (".wav", ".aif", ".aiff", ".flac")):
            raise InputError(
                f"{self.path}: the file is cut short: its header promises {self.frames} frames "
                f"({self.frames / self.sample_rate:.1f} s), but the data ends before; export or copy it again"
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


def _check_format(what: str, channels: int, frames: int, sample_rate: float) -> None:
    if frames == 0:
        raise InputError(f"{what}: has no samples")
    if channels not in (1, 2):
        raise InputError(f"{what}: has {channels} channels; mono and stereo are supported: mix it down first")
    if not 4000 <= sample_rate <= 384_000:
        raise InputError(f"{what}: has a sample rate of {sample_rate} Hz; valid: 4000 to 384000 Hz")


def _check_finite(what: str, block: Float, start: int, sample_rate: float) -> None:
    # One NaN or infinity makes the sum so: far cheaper than a mask of all samples.
    if np.isfinite(np.sum(block, dtype=np.float64)):
        return
    bad = ~np.isfinite(block)
    if bad.any():
        frame = start + int(np.argmax(bad.any(axis=0)))
        raise InputError(
            f"{what}: sample {frame} ({frame / sample_rate:.3f} s) is not a finite number (NaN or infinity); "
            "export the file again"
        )
