"""What opens an audio file: libsndfile for what engineers exchange, pedalboard for MP3, Ogg and whatever else it knows.

libsndfile counts frames in 64 bits, reads any number of channels, and tells how samples are stored.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.chunks import Chunks, content, read_chunks
from terzetto.audio.flac_blocks import read_mask
from terzetto.audio.formats import SampleFormat, format_like
from terzetto.audio.wave_reader import WaveReader
from terzetto.errors import InputError

Float = NDArray[np.float32]

_WIDE = (b"RF64", b"BW64", b"riff")
# How the files begin that libsndfile reads here. Its MP3 decoder writes remarks on standard error.
_ITS_OWN = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"fLaC", b"caff", b".snd")
_FAILURES = (ValueError, RuntimeError, OSError)
_MOST_FRAMES = 1 << 48  # beyond this a header is not to be believed
_EXTENSIBLE = 0xFFFE


class Reader(Protocol):
    """An open file.

    Attributes
    ----------
    sample_rate : float
    channels, frames : int
    promised : int
        Frames that the header tells; more than `frames` if the file is cut short.
    sample_format : SampleFormat or None
        How samples are stored; None if that is lossy, or a kind of file that is not written here.
    codec : str
        Its name.
    mask : int or None
        Which speakers the channels are for, if the file says so.
    """

    sample_rate: float
    channels: int
    frames: int
    promised: int
    sample_format: SampleFormat | None
    codec: str
    mask: int | None

    def read(self, start: int, stop: int) -> Float:
        """Return channels × at most (stop − start) frames."""

    def close(self) -> None:
        """Close the file."""


def open_reader(path: Path) -> Reader:
    """Open a file that is there and may be read.

    Raises
    ------
    InputError
        It is no audio file, or one that cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    if head in _WIDE:
        chunks = read_chunks(path)
        with contextlib.suppress(*_FAILURES):
            if chunks is not None:
                return WaveReader(path, chunks)
    if head in _ITS_OWN:
        reader = _sndfile(path)
        if reader is not None:
            return reader
    try:
        return PedalboardReader(path)
    except _FAILURES:
        raise InputError(f"{path}: not an audio file that can be read (WAV, FLAC, AIFF, MP3, Ogg …)") from None


class SndfileReader:
    """A file that libsndfile reads."""

    def __init__(self, path: Path) -> None:
        import soundfile

        self._file = soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else str(path))
        file = self._file
        try:
            self.sample_rate, self.channels = float(file.samplerate), int(file.channels)
            self.frames, self.codec = int(file.frames), str(file.subtype)
            extension = path.suffix[1:] or {"FLAC": "flac", "AIFF": "aiff", "W64": "w64"}.get(file.format, "wav")
            little = file.endian in ("FILE", "LITTLE") or file.format != "WAV"
            self.sample_format = format_like(file.format, self.codec, extension) if little else None
            chunks = read_chunks(path)
            self.mask = _mask(path, chunks) if chunks else read_mask(path) if file.format == "FLAC" else None
            self.promised = self.frames + self._missing(chunks, file.format)
        except BaseException:
            file.close()
            raise

    def read(self, start: int, stop: int) -> Float:
        """Return channels × at most (stop − start) frames."""
        if self._file.tell() != start:  # a seek in FLAC costs
            self._file.seek(start)
        return np.asarray(self._file.read(stop - start, dtype="float32", always_2d=True), np.float32).T

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _missing(self, chunks: Chunks | None, form: str) -> int:
        """Return how many frames of those that the header tells are not there."""
        if chunks is not None and chunks.missing:
            sound = chunks.sound
            assert sound is not None
            there = max(sound.size - chunks.missing, 1)
            return max(round(self.frames * chunks.missing / there), 1)
        if self.frames == 0 and chunks is not None and chunks.cut:
            return 1  # a recorder that never came back to write how long it was
        if form == "FLAC" and not 0 < self.frames < _MOST_FRAMES:
            raise RuntimeError("its length is not known")
        if form == "FLAC":
            try:
                there = self._file.seek(self.frames - 1) >= 0 and len(self._file.read(1)) == 1
                self._file.seek(0)
            except RuntimeError:
                there = False
            return 0 if there else self.frames
        return 0


class PedalboardReader:
    """A file that pedalboard reads."""

    def __init__(self, path: Path) -> None:
        self.mask: int | None = None
        self.sample_format: SampleFormat | None = None
        self._file = _open_pedalboard(path)
        self.sample_rate = float(self._file.samplerate)
        self.channels, self.frames = int(self._file.num_channels), int(self._file.frames)
        self.codec = path.suffix[1:].upper() or "unknown"
        try:
            # An MP3 tells of itself; of others nobody does.
            self.promised = self.frames + (path.suffix.lower() == ".mp3" and _mp3_is_cut_short(path))
        except OSError:
            self._file.close()
            raise

    def read(self, start: int, stop: int) -> Float:
        """Return channels × at most (stop − start) frames."""
        self._file.seek(start)
        block = np.asarray(self._file.read(stop - start), np.float32)
        missing = stop - start - block.shape[1]  # the frames of a lossy file may be an estimate
        return np.pad(block, ((0, 0), (0, missing))) if missing > 0 else block

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _sndfile(path: Path) -> SndfileReader | None:
    import soundfile

    try:
        return SndfileReader(path)
    except soundfile.LibsndfileError as error:
        if error.code in (1, 3):  # a format or an encoding that only pedalboard may know
            return None
        raise InputError(f"{path}: not an audio file that can be read ({error.error_string.rstrip('.')})") from None
    except _FAILURES as error:
        if isinstance(error, InputError):
            raise
        return None


def _mask(path: Path, chunks: Chunks) -> int | None:
    """Return the channel mask of an extensible format chunk."""
    form = chunks.find(b"fmt ")
    if form is None or form.size < 40:
        return None
    head = content(path, form, 40)
    if len(head) < 40 or int.from_bytes(head[:2], "little") != _EXTENSIBLE:
        return None
    return int.from_bytes(head[20:24], "little")


def _open_pedalboard(path: Path) -> Any:
    """Open with pedalboard; it takes names in Unicode only, so files called otherwise are opened here."""
    from pedalboard.io import AudioFile

    try:
        str(path).encode()
    except UnicodeEncodeError:
        return _Owning(path.open("rb"), AudioFile)
    return AudioFile(str(path))


class _Owning:
    """A pedalboard file that closes the file below it too."""

    def __init__(self, file: BinaryIO, kind: Any) -> None:
        self._file = file
        try:
            self._audio = kind(file)
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
