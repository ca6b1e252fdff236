"""Write a set of stems: all of them whole, or none.

Stems are written under temporary names beside their places and renamed together at the end.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import FileTake, blocks
from terzetto.errors import InputError, OutputError


@dataclass(frozen=True)
class SampleFormat:
    """How samples are stored: the file's ending and its bit depth (WAV with 32 bits is floating point)."""

    extension: str
    bit_depth: int

    @property
    def floating(self) -> bool:
        """Whether values beyond full scale survive."""
        return self.extension == "wav" and self.bit_depth == 32


FORMATS = {
    "float32": SampleFormat("wav", 32),
    "int24": SampleFormat("wav", 24),
    "flac": SampleFormat("flac", 24),
}


class StemFiles:
    """Files for a set of stems that share one length; use it as a context manager and `commit` at the end.

    Parameters
    ----------
    paths
        Stem name → where it goes. Folders are made.
    sample_rate, channels
        Of the stems. Integer formats need a whole sample rate in Hz.
    sample_format
        One of `FORMATS`. For an integer format the stems are scaled by one common gain if any exceeds full scale.

    Raises
    ------
    OutputError
        A folder cannot be made or written, or the disk is full. No file is left behind then.
    """

    def __init__(
        self, paths: Mapping[str, Path], sample_rate: float, channels: int, sample_format: SampleFormat
    ) -> None:
        self.paths = dict(paths)
        self.gain = 1.0
        self._format, self._sample_rate, self._channels = sample_format, sample_rate, channels
        self._peak, self._frames = 0.0, 0
        self._temporary: dict[str, Path] = {}
        self._made_folders: list[Path] = []
        self._writers: dict[str, Any] = {}
        if len(set(self.paths.values())) < len(self.paths):
            raise InputError(f"two stems would be written to one file: {', '.join(map(str, self.paths.values()))}")
        try:
            for name, path in self.paths.items():
                self._make_folder(path.parent)
                if path.is_dir():
                    raise OutputError(f"{path}: is a folder; remove it or choose another --out or --filename")
                handle, temporary = tempfile.mkstemp(".wav", f".{path.stem}.", path.parent)
                os.close(handle)
                self._temporary[name] = Path(temporary)
                self._writers[name] = self._open(temporary, 32)
        except OSError as error:
            self._discard()
            raise _explain(error, next(iter(self.paths.values())).parent) from None

    def write(self, name: str, block: NDArray[np.float32]) -> None:
        """Append a block (channels × frames) to a stem."""
        try:
            self._writers[name].write(block)
        except (RuntimeError, OSError) as error:
            raise _explain(error, self.paths[name].parent) from None
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        if name == next(iter(self.paths)):
            self._frames += block.shape[1]

    def commit(self) -> None:
        """Finish all files and move them to their places."""
        try:
            for writer in self._writers.values():
                writer.close()
            self._writers.clear()
            for temporary in self._temporary.values():
                self._check_length(temporary)
            if not self._format.floating:
                self.gain = 1.0 if self._peak <= 1.0 else 0.999 / self._peak
                for name in self._temporary:
                    self._convert(name)
            mask = os.umask(0)
            os.umask(mask)
            for temporary in self._temporary.values():
                temporary.chmod(0o666 & ~mask)  # mkstemp's 0600 is for secrets
            for name, temporary in self._temporary.items():
                temporary.replace(self.paths[name])
            self._temporary.clear()
            self._made_folders.clear()
        except (RuntimeError, OSError) as error:
            raise _explain(error, next(iter(self.paths.values())).parent) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()

    def _open(self, path: str | Path, bit_depth: int) -> Any:
        from pedalboard.io import AudioFile

        rate = self._sample_rate
        return AudioFile(str(path), "w", int(rate) if rate == int(rate) else rate, self._channels, bit_depth=bit_depth)

    def _convert(self, name: str) -> None:
        """Rewrite a finished float file in the integer format, scaled by the common gain."""
        source = self._temporary[name]
        handle, target = tempfile.mkstemp(f".{self._format.extension}", source.stem, source.parent)
        os.close(handle)
        self._temporary[name] = Path(target)
        try:
            with FileTake(source) as take, self._open(target, self._format.bit_depth) as file:
                for block in blocks(take):
                    file.write(block * np.float32(self.gain))
        finally:
            source.unlink(missing_ok=True)
        self._check_length(Path(target))

    def _check_length(self, path: Path) -> None:
        """A full disk may show only in what can be read back."""
        try:
            with FileTake(path) as take:
                if take.frames == self._frames:
                    return
        except InputError:
            pass
        raise OSError(f"only a part of {path.parent} could be written; is the disk full?")

    def _make_folder(self, folder: Path) -> None:
        new = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        self._made_folders += new

    def _discard(self) -> None:
        for writer in self._writers.values():
            with contextlib.suppress(RuntimeError, OSError):
                writer.close()
        self._writers.clear()
        for temporary in self._temporary.values():
            temporary.unlink(missing_ok=True)
        self._temporary.clear()
        for folder in self._made_folders:
            with contextlib.suppress(OSError):
                folder.rmdir()
        self._made_folders.clear()


def _explain(error: BaseException, folder: Path) -> OutputError:
    if isinstance(error, OutputError):
        return error
    if isinstance(error, PermissionError):
        return OutputError(f"{folder}: may not be written (permission denied); choose another --out")
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return OutputError(f"{folder}: is a file, not a folder; choose another --out")
    if isinstance(error, RuntimeError) or getattr(error, "errno", None) == 28:
        return OutputError(f"{folder}: could not be written; is the disk full? ({error})")
    return OutputError(f"{folder}: could not be written ({error})")
