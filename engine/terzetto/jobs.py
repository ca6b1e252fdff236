"""What a batch works on, and what it is asked to do: the face between the commands and the batch engine.

The engine of the batch is whatever stands behind the entry-point group ``terzetto.batch``; `terzetto_host.batch` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from terzetto.errors import InputError
from terzetto.progress import Progress

if TYPE_CHECKING:
    import argparse

ENGINE = "terzetto.batch"


@dataclass(frozen=True, slots=True)
class Kind:
    """Which files of a folder are meant.

    Attributes
    ----------
    name : str
        What messages call them.
    endings : tuple of str
        By which they are told from what else lies in a folder; lower case.
    """

    name: str
    endings: tuple[str, ...]


AUDIO = Kind(
    "audio",
    (
        *(".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".aifc"),
        *(".mp3", ".ogg", ".oga", ".opus", ".m4a", ".caf"),
    ),
)
MIDI = Kind("MIDI", (".mid", ".midi"))


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a batch.

    Attributes
    ----------
    title : str
        What messages call it: the path or URL that was given or found.
    path : Path
        Where its bytes are.
    folder : str
        Where its results go below ``--out``, as a POSIX path: the tree of the inputs is mirrored. Empty: right there.
    score : str or None
        Path of its score.
    size : int
        Bytes.
    """

    title: str
    path: Path
    folder: str = ""
    score: str | None = None
    size: int = 0

    @property
    def track(self) -> str:
        """Its name without the ending."""
        return self.path.stem

    @property
    def key(self) -> str:
        """What the manifest knows it by, wherever the inputs lie: its place in their tree."""
        return str(PurePosixPath(self.folder) / self.path.name)


class Job(Protocol):
    """What is done to each file. It travels to other processes: pickled, and without anything open.

    A job that reads other files than audio says so by an attribute ``reads`` (`Kind`).
    """

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the results beside the take and its score, ready for JSON; files by content."""

    def targets(self, item: Item) -> list[str]:
        """Return what would be written below ``--out``; a name not known yet keeps its field (``{stem}``)."""

    def work(self, item: Item, out: Path, progress: Progress) -> dict[str, Any]:
        """Do it, and return what was done, ready for JSON. Nothing is left behind if it raises.

        The result has ``take``, ``seconds`` (of music) and ``elapsed``.
        """

    def written(self, result: dict[str, Any]) -> list[str]:
        """Return the paths of all files that a result tells of."""

    def speed(self, item: Item) -> float:
        """Return how many seconds of music are worked on in a second, from a trial that writes nothing."""

    def bytes_for(self, item: Item) -> tuple[float, int]:
        """Return the seconds of music in a file and the bytes that would be written for it."""


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file that decides on results.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


Tell = Callable[[dict[str, Any]], None]


def run_job(job: Job, inputs: Sequence[str], arguments: argparse.Namespace, tell: Tell) -> int:
    """Let the batch engine do a job to all inputs, and return the exit status.

    Parameters
    ----------
    job
        What is done.
    inputs
        Files, folders, patterns and URLs.
    arguments
        With the flags of `terzetto.commands.batch.add_batch_flags`.
    tell
        Says on the terminal what was done with a file; not called with ``--json``.

    Raises
    ------
    TerzettoError
        Nothing was begun, or the only file failed.
    """
    for point in entry_points(group=ENGINE):
        return int(point.load()(job, inputs, arguments, tell))
    raise InputError("no batch engine is installed; install terzetto with its plugin_host")
