"""Write a set of stems: all of them whole, or none.

Stems are written in hidden folders beside their places and moved there together at the end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import FileTake, blocks
from terzetto.audio.formats import FORMATS as FORMATS
from terzetto.audio.formats import SampleFormat as SampleFormat
from terzetto.audio.loudness import Meter
from terzetto.audio.metadata import Metadata
from terzetto.audio.writers import Writer, open_writer
from terzetto.errors import DiskFullError, InputError, OutputError

_SPARE_FILES = 64  # open files that the rest of the program may need beside the stems
# Whatever libsndfile, the system or a failed check may raise while writing.
_FAILURES = (OSError, RuntimeError, ValueError, TypeError)


CLIP_MODES = ("rescale", "clamp", "none")
"""What happens to values that an integer format cannot hold: one common gain, limiting, or an error."""


def workshop_prefix(pid: int) -> str:
    """Return how the names of the hidden folders begin that a process of this computer makes: one may be killed."""
    return f".terzetto-{platform.node()}-{pid}-"


class StemFiles:
    """Files for a set of stems that share one length; use it as a context manager and `commit` at the end.

    Parameters
    ----------
    paths
        Stem name → where it goes. Folders are made.
    sample_rate
        Of the stems, a whole number of Hz.
    channels
        Of all stems, or stem name → its channels.
    sample_format
        One of `FORMATS`, or a file's own.
    clip_mode
        One of `CLIP_MODES`, for integer formats: if any stem exceeds full scale, all are scaled by one common gain, its
        values are limited, or nothing is written.
    mask
        Channel mask of all stems, if it is known.
    metadata
        What the files say beside their sound.
    measure
        Whether their loudness is measured as they are written (some 0.1 s for a minute of stereo).

    Attributes
    ----------
    gain : float
        The common gain, known after `commit`.
    peak : float
        The largest value so far.
    clamped : int
        Values that were limited.

    Raises
    ------
    OutputError
        A folder cannot be made or written, or the disk is full. No file is left behind then, and files that were
        there before are as they were.
    """

    def __init__(
        self,
        paths: Mapping[str, Path],
        sample_rate: float,
        channels: int | Mapping[str, int],
        sample_format: SampleFormat,
        *,
        clip_mode: str = "rescale",
        mask: int | None = None,
        metadata: Metadata | None = None,
        measure: bool = False,
    ) -> None:
        self.paths = dict(paths)
        self.gain, self.peak, self.clamped = 1.0, 0.0, 0
        self.sample_format, self._sample_rate = sample_format, sample_rate
        self._clip_mode, self._mask, self._metadata = clip_mode, mask, metadata
        # What is written first: where the peak decides, floats.
        self._first = sample_format if sample_format.floating or clip_mode == "clamp" else FORMATS["float32"]
        self._channels = dict.fromkeys(self.paths, channels) if isinstance(channels, int) else dict(channels)
        self._frames = dict.fromkeys(self.paths, 0)
        self._meters = {name: Meter(sample_rate, count, mask) for name, count in self._channels.items() if measure}
        self._temporary: dict[str, Path] = {}
        self._extras: dict[Path, Path] = {}  # where a file goes → where it is
        self._workshops: dict[Path, Path] = {}  # folder → the hidden folder in it where its files are made
        self._made_folders: list[Path] = []
        self._writers: dict[str, Writer] = {}
        if len(set(self.paths.values())) < len(self.paths):
            raise InputError(f"two stems would be written to one file: {', '.join(map(str, self.paths.values()))}")
        if clip_mode not in CLIP_MODES:
            raise InputError(f"--clip-mode is one of {', '.join(CLIP_MODES)}; given {clip_mode!r}")
        if sample_rate != int(sample_rate):
            raise InputError(f"stems need a whole sample rate in Hz; given {sample_rate}")
        _allow_open_files(len(self.paths))
        path = Path()
        try:
            for name, path in self.paths.items():
                if path.is_dir():
                    raise OutputError(f"{path}: is a folder; remove it or choose another --out or --filename")
                file = f"{len(self._temporary)}.{self._first.extension}"
                self._temporary[name] = self.workshop(path.parent) / file
                self._writers[name] = self._open(name, self._temporary[name], self._first)
        except _FAILURES as error:
            self._discard()
            raise _explain(error, path.parent) from None
        except BaseException:  # Ctrl-C: nobody calls __exit__ yet
            self._discard()
            raise

    @property
    def clamps(self) -> bool:
        """Whether values beyond full scale are limited to it."""
        return self._clip_mode == "clamp" and not self.sample_format.floating

    @property
    def gain_db(self) -> float:
        """The common gain in dB."""
        return round(20.0 * float(np.log10(self.gain)), 6) if self.gain != 1.0 else 0.0

    def loudness(self) -> dict[str, dict[str, float | None]]:
        """Return what was measured of each stem, as it is with the common gain, ready for JSON.

        ``lufs`` is integrated loudness, ``true_peak_dbtp`` the largest value on and between samples (see
        `terzetto.audio.loudness.Meter`); None where there is silence, or less than the 0.4 s a loudness is measured of.
        """
        found = {}
        for name, meter in self._meters.items():
            values = {"lufs": meter.lufs + self.gain_db, "true_peak_dbtp": meter.true_peak_db + self.gain_db}
            found[name] = {what: round(value, 2) if np.isfinite(value) else None for what, value in values.items()}
        return found

    def workshop(self, folder: Path) -> Path:
        """Return the hidden folder in which files for ``folder`` are made; both folders are made if need be."""
        if folder not in self._workshops:
            self._made_folders += reversed([new for new in (folder, *folder.parents) if not new.exists()])
            folder.mkdir(parents=True, exist_ok=True)
            self._workshops[folder] = Path(tempfile.mkdtemp(prefix=workshop_prefix(os.getpid()), dir=folder))
        return self._workshops[folder]

    def add(self, made: Path, path: Path) -> None:
        """Let `commit` move a file made in the `workshop` to its place, together with the stems."""
        self._extras[path] = made

    def write(self, name: str, block: NDArray[np.float32]) -> None:
        """Append a block (channels × frames) to a stem."""
        try:
            self._writers[name].write(block)
        except _FAILURES as error:
            raise _explain(error, self.paths[name].parent) from None
        peak = float(np.abs(block).max(initial=0.0))
        if peak > 1.0 and self.clamps:
            self.clamped += int(np.count_nonzero(np.abs(block) > 1.0))
        self.peak = max(self.peak, peak)
        if name in self._meters:
            self._meters[name].add(np.clip(block, -1.0, 1.0) if self.clamps else block)
        self._frames[name] += block.shape[1]

    def commit(self) -> None:
        """Finish all files and move them to their places."""
        folder = next(iter(self.paths.values())).parent
        try:
            for name, writer in self._writers.items():
                writer.close()
                self._check_length(name)
            self._writers.clear()
            if self._first != self.sample_format:
                if self.peak > 1.0:
                    self._fit()
                for name in self._temporary:
                    self._convert(name)
            moves = {self.paths[name]: made for name, made in self._temporary.items()}
            self._move({**moves, **self._extras})
            self._made_folders.clear()
        except _FAILURES as error:
            raise _explain(error, folder) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()

    def _fit(self) -> None:
        if self._clip_mode == "none":
            raise OutputError(
                f"{next(iter(self.paths.values()))}: peaks at {20 * np.log10(self.peak):+.2f} dBFS, too much for "
                f"{self.sample_format}; choose --clip-mode rescale or clamp, or --float32"
            )
        self.gain = 0.999 / self.peak

    def _open(self, name: str, path: Path, sample_format: SampleFormat) -> Writer:
        rate, channels = int(self._sample_rate), self._channels[name]
        return open_writer(path, sample_format, rate, channels, self._mask, self._metadata)

    def _convert(self, name: str) -> None:
        """Rewrite a finished float file in the integer format, scaled by the common gain."""
        source = self._temporary[name]
        target = source.with_name(f"{source.stem}-converted.{self.sample_format.extension}")
        with FileTake(source, most_channels=self._channels[name], empty=True) as take:
            writer = self._open(name, target, self.sample_format)
            try:
                for block in blocks(take, 1 << 16):
                    writer.write(block if self.gain == 1.0 else block * np.float32(self.gain))
            except BaseException:
                with contextlib.suppress(*_FAILURES):
                    writer.close()
                raise
            writer.close()
        source.unlink()
        self._temporary[name] = target
        self._check_length(name)

    def _check_length(self, name: str) -> None:
        """Read back how much was written: a full disk may show only there."""
        path = self._temporary[name]
        try:
            with FileTake(path, most_channels=self._channels[name], empty=True) as take:
                if take.frames == self._frames[name]:
                    return
        except InputError:
            pass
        raise OSError(errno.ENOSPC, "only a part could be written")

    def _move(self, moves: dict[Path, Path]) -> None:
        """Move all files to their places, or none: files that were there come back if one cannot be moved."""
        aside: dict[Path, Path] = {}
        moved: list[Path] = []
        try:
            for number, (path, made) in enumerate(moves.items()):
                if path.exists() or path.is_symlink():
                    aside[path] = made.with_name(f"{number}.before")
                    path.replace(aside[path])
                moved.append(path)
                made.replace(path)
        except BaseException:
            for path in moved:
                path.unlink(missing_ok=True)
            for path, before in aside.items():
                if before.exists() or before.is_symlink():
                    before.replace(path)
            raise

    def _discard(self) -> None:
        for writer in self._writers.values():
            with contextlib.suppress(*_FAILURES):
                writer.close()
        self._writers.clear()
        for workshop in self._workshops.values():
            shutil.rmtree(workshop, ignore_errors=True)
        self._workshops.clear()
        for folder in sorted(self._made_folders, key=lambda folder: -len(folder.parts)):
            with contextlib.suppress(OSError):
                folder.rmdir()
        self._made_folders.clear()


def _allow_open_files(stems: int) -> None:
    """Raise this process's soft limit of open files if need be: by note, a piece has thousands of stems."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    count = stems + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    except (OSError, ValueError):
        raise OutputError(
            f"{stems} stems are more than the {hard} files this system lets a program open; "
            "raise that limit (ulimit -Hn) or separate a part of the take"
        ) from None


def _explain(error: BaseException, folder: Path) -> OutputError:
    if isinstance(error, OutputError):
        return error
    if isinstance(error, PermissionError):
        return OutputError(f"{folder}: may not be written (permission denied); choose another --out")
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return OutputError(f"{folder}: is a file, not a folder, or lies in one; choose another --out")
    number = getattr(error, "errno", None)
    if isinstance(error, RuntimeError) or number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFullError(f"{folder}: could not be written; is the disk full? ({error})")
    return OutputError(f"{folder}: could not be written ({error})")
