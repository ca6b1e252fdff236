"""A recording with what is known of it, and how it is read. What cannot be read is named and skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import read_audio
from terzetto.errors import InputError
from terzetto_export.drum_data.files import split_groups

SAMPLE_RATE = 44_100
SILENT = 1e-3
"""A peak below this (-60 dBFS) is silence."""
Float = NDArray[np.float32]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Recording:
    """One sound of one instrument.

    Attributes
    ----------
    path : Path
    audio : float32 (frames,)
        Mono, full scale ±1, not trimmed, not scaled.
    sample_rate : int
        In Hz.
    instrument : str
        One of `names.INSTRUMENTS`, or another's name; a user's is the file's or folder's name.
    pitch : int or None
        MIDI note of a single note; None for phrases and where nobody says it.
    dynamic : str
        As the source names it (``forte``, a velocity); empty where it does not.
    unit : str
        The unit of independence: learned from, or measured on, as a whole.
    source : str
        The collection it comes from.
    split : str
        ``train``, ``validation`` or ``test``.
    """

    path: Path
    audio: Float
    sample_rate: int
    instrument: str
    pitch: int | None = None
    dynamic: str = ""
    unit: str = ""
    source: str = ""
    split: str = "train"

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.audio) / self.sample_rate


def read_mono(path: Path, sample_rate: int = SAMPLE_RATE) -> Float:
    """Return a file in mono at a sample rate.

    Raises
    ------
    InputError
        It cannot be read, or its peak is below -60 dBFS in mono.
    """
    audio, rate = read_audio(path)
    mono = audio.mean(axis=0)
    if np.abs(mono).max(initial=0.0) < SILENT:
        raise InputError(f"{path}: silent: its peak is below -60 dBFS" + (" in mono" if len(audio) > 1 else ""))
    if rate != sample_rate:
        import soxr

        mono = soxr.resample(mono, rate, sample_rate)
    return np.ascontiguousarray(mono, np.float32)


def read_files(
    entries: Iterable[tuple[Path, Callable[[Float], Recording]]], sample_rate: int, tell: Tell
) -> list[Recording]:
    """Read files and describe each by its function; name and skip what cannot be read or is silent."""
    recordings = []
    for path, describe in entries:
        try:
            recordings.append(describe(read_mono(path, sample_rate)))
        except InputError as problem:
            tell(f"{path}: skipped: {str(problem).removeprefix(f'{path}: ')}")
    return recordings


def split_by_unit(recordings: Sequence[Recording]) -> list[Recording]:
    """Part each instrument's units into training (80 %), validation and test (10 % each) by a hash of their names.

    An instrument with fewer than three units is all training.
    """
    split: dict[str, str] = {}
    for instrument in sorted({recording.instrument for recording in recordings}):
        split |= split_groups(each.unit for each in recordings if each.instrument == instrument)
    return [replace(recording, split=split[recording.unit]) for recording in recordings]


def in_split(recordings: Iterable[Recording], split: str) -> list[Recording]:
    """Return the recordings of a split."""
    return [recording for recording in recordings if recording.split == split]


def counts(recordings: Sequence[Recording]) -> str:
    """Return how many recordings of which instruments, for the terminal."""
    number = Counter(recording.instrument for recording in recordings)
    seconds = sum(recording.seconds for recording in recordings)
    each = ", ".join(f"{name} {number[name]}" for name in sorted(number))
    return f"{len(recordings)} recordings, {seconds / 60:.1f} min ({each})"


def audio_files(folder: Path, *patterns: str) -> list[Path]:
    """Return the files in a folder and below that match a pattern, sorted; hidden ones are left out.

    Raises
    ------
    InputError
        There is no such folder, or no such file in it.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder; TERZETTO_DATA names the folder of the data sets, or give your own with --data"
        )
    paths = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    shown = sorted(p for p in paths if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    if not shown:
        raise InputError(f"{folder}: no files {' or '.join(patterns)} in it or below")
    return shown
