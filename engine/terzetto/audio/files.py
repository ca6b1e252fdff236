"""Audio in and out. pedalboard reads and writes; here files are checked before and kept whole after.

Arrays are float32, channels × frames, full scale ±1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.errors import InputError

Float = NDArray[np.float32]

# Beyond this, energies no longer fit into float32. Files with integer values as floats stay far below.
_LOUDEST = 1e7
# Formats whose headers promise a number of frames that must be there to the last.
_EXACT = (".wav", ".aif", ".aiff", ".flac")


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

    Raises
    ------
    InputError
        Missing, a folder, empty, not audio, cut short, more than two channels; NaN or infinite when read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
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
        try:
            self._file = open_audio(self.path)
        except (ValueError, RuntimeError, OSError):
            raise InputError(f"{path}: not an audio file that can be read (WAV, FLAC, AIFF, MP3, Ogg …)") from None
        rate = self._file.samplerate
        self.sample_rate = float(rate)
        self.channels, self.frames = int(self._file.num_channels), int(self._file.frames)
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
        try:
            self._file.seek(start)
            return np.asarray(self._file.read(stop - start), np.float32)
        except (ValueError, RuntimeError, OSError) as error:
            raise InputError(
                f"{self.path}: cannot be read from {start / self.sample_rate:.1f} s on ({_reason(error)}); "
                "export or copy it again"
            ) from None

    def _check_whole(self) -> None:
        """Refuse a file cut short: pedalboard reads silence there; libsndfile tells, and an MP3's own header."""
        suffix = self.path.suffix.lower()
        if suffix == ".mp3":  # libsndfile would do too, but its MP3 decoder writes remarks on standard error
            cut_short = _mp3_is_cut_short(self.path)
        else:
            cut_short = suffix in _EXACT and self._missing_frames() > 0
        if cut_short:
            raise InputError(
                f"{self.path}: the file is cut short: its header promises {self.frames} frames "
                f"({self.frames / self.sample_rate:.1f} s), but the data ends before; export or copy it again"
            )

    def _missing_frames(self) -> int:
        import soundfile

        try:
            with soundfile.SoundFile(os.fsencode(self.path) if os.name == "posix" else str(self.path)) as file:
                whole = file.frames > 0 and file.seek(file.frames - 1) >= 0 and len(file.read(1)) == 1
                return max(self.frames - int(file.frames), 0) if whole else self.frames
        except soundfile.LibsndfileError as error:
            # 1: a format, 3: an encoding that only pedalboard knows; it may have its way.
            return 0 if error.code in (1, 3) else self.frames
        except RuntimeError:
            return self.frames


def read_audio(path: str | os.PathLike[str]) -> tuple[Float, float]:
    """Read a whole file: (channels × frames, sample rate). Raises `InputError` as `FileTake`."""
    with FileTake(path) as take:
        return take.read(0, take.frames), take.sample_rate


def open_audio(path: Path, *write_format: Any, **options: Any) -> Any:
    """Open a file with pedalboard; give more arguments (``"w"``, sample rate, channels) to write.

    pedalboard takes names in Unicode only; a file called otherwise, as Linux allows, is opened here.
    """
    from pedalboard.io import AudioFile

    try:
        str(path).encode()
    except UnicodeEncodeError:
        pass
    else:
        return AudioFile(str(path), *write_format, **options)
    if write_format:
        options["format"] = path.suffix[1:]
    return _Owning(path.open("w+b" if write_format else "rb"), AudioFile, write_format, options)


class _Owning:
    """A pedalboard file that closes the file below it too."""

    def __init__(self, file: BinaryIO, kind: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self._file = file
        try:
            self._audio = kind(file, *arguments, **options)
        except BaseException:
            file.close()
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._audio, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        try:
            self._audio.close()
        finally:
            self._file.close()


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


def _mp3_is_cut_short(path: Path) -> bool:
    """Whether an MP3 holds fewer bytes than its first frame (Xing, Info) says; without such a frame none are missed."""
    with path.open("rb") as file:
        head = file.read(10)
        start = 0
        if head[:3] == b"ID3" and len(head) == 10:  # the tag before: its size in four times seven bits
            start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        file.seek(start)
        frame = file.read(200)
        size = file.seek(0, os.SEEK_END) - start
    at = max(frame.find(b"Xing", 0, 64), frame.find(b"Info", 0, 64))
    if at < 0 or len(frame) < at + 16:
        return False
    flags = int.from_bytes(frame[at + 4 : at + 8], "big")
    if not flags & 2:  # the number of bytes is not given
        return False
    promised = at + 8 + 4 * (flags & 1)
    return size < 0.99 * int.from_bytes(frame[promised : promised + 4], "big")
