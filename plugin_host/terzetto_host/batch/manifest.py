"""The manifest: a line of JSON for every file that was worked on. A batch that was killed goes on from it.

A line is written when a file's results are in their places, at once and whole; the last line of a file counts. A line
that was cut short is skipped: its file is done again.
"""

from __future__ import annotations

import datetime
import errno
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from terzetto.errors import DiskFullError, InputError, OutputError
from terzetto.jobs import Item
from terzetto_host.batch.fingerprint import Stamp, is_same, score_hash
from terzetto_host.places import lock

NAME = "manifest.jsonl"
There = Callable[[dict[str, Any]], bool]
"""Whether a file of a record (see `Record.files`) is in its place."""


@dataclass(slots=True)
class Record:
    """What became of a file.

    Attributes
    ----------
    key, take : str
        See `Item`: its key and its title.
    status : str
        ``done``; ``failed``: it cannot be used as it is; ``quarantined``: the work on it ended in a crash, or in
        nothing, every time. Under way also ``error`` (to be tried again) and ``full`` (no room on the disk).
    job : str
        See `terzetto_host.batch.fingerprint.job_hash`.
    input : dict
        SHA-256, size and stamp of the take.
    score : str or None
        Hash of its score.
    files : list of dict
        What was written: ``path`` below ``--out``, ``size``, ``mtime_ns``.
    result : dict
        What the job returned: metrics, seconds of audio.
    error : str
    warnings : list of str
    tries : int
    elapsed : float
        Seconds.
    versions : dict
    at : str
        When, UTC.
    """

    key: str
    take: str
    status: str
    job: str
    input: Stamp = field(default_factory=dict)
    score: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    tries: int = 1
    elapsed: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    at: str = ""


_NAMES = {each.name for each in fields(Record)}


class Manifest:
    """A manifest, open for this batch alone; use it as a context manager.

    Raises
    ------
    InputError
        Another batch has it open.
    OutputError
        It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at: dict[str, int] = {}  # key → where its last line begins
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another --out") from None
        try:
            lock(self._file.fileno())
        except OSError:
            self._file.close()
            raise InputError(f"{path}: another batch is at work there; wait for it, or choose another --out") from None
        self._scan()

    def append(self, record: Record) -> None:
        """Add a line: whole, or not at all.

        Raises
        ------
        DiskFullError, OutputError
            It could not be written.
        """
        record.at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        line = json.dumps(asdict(record)).encode() + b"\n"
        end = self._file.seek(0, os.SEEK_END)
        try:
            written = self._file.write(line)
            if written != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._file.truncate(end)
            kind = DiskFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else OutputError
            raise kind(f"{self.path}: could not be written ({error.strerror})") from None
        self._at[record.key] = end

    def find(self, key: str) -> Record | None:
        """Return the last record of a file, if there is one."""
        return self._read(self._at[key]) if key in self._at else None

    def settled(self, item: Item, job: str, there: There) -> Record | None:
        """Return the record of a file that needs no more work: same take, score, job and versions, results in place.

        Parameters
        ----------
        item
            The file.
        job
            Hash of the job.
        there
            Whether a result is in its place.
        """
        record = self.find(item.key)
        if record is None or record.job != job or record.status not in ("done", "quarantined"):
            return None
        if record.score != score_hash(item.score) or not is_same(item, record.input):
            return None
        if not all(there(about) for about in record.files):
            return None
        return record

    def records(self) -> Iterator[Record]:
        """Yield the last record of every file, in the order of the manifest."""
        for at in sorted(self._at.values()):
            yield self._read(at)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()  # and with it goes the lock

    def _scan(self) -> None:
        at = 0
        with self.path.open("rb") as file:
            for line in file:
                record = _parse(line)
                if record is not None:
                    self._at[record.key] = at
                at += len(line)
        if at and not _ends_whole(self.path, at):
            self._file.write(b"\n")

    def _read(self, at: int) -> Record:
        with self.path.open("rb") as file:
            file.seek(at)
            record = _parse(file.readline())
        assert record is not None
        return record


def file_about(path: Path, out: Path) -> dict[str, Any]:
    """Return what a record keeps of a file that was written."""
    about = path.stat()
    return {"path": path.relative_to(out).as_posix(), "size": about.st_size, "mtime_ns": about.st_mtime_ns}


def is_there(path: Path, about: dict[str, Any]) -> bool:
    """Whether a file that was written is still as it was then."""
    try:
        now = path.stat()
    except OSError:
        return False
    return (now.st_size, now.st_mtime_ns) == (about["size"], about["mtime_ns"])


def _parse(line: bytes) -> Record | None:
    try:
        content = json.loads(line)
        return Record(**{name: value for name, value in content.items() if name in _NAMES})
    except (ValueError, TypeError, AttributeError):
        return None


def _ends_whole(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"
