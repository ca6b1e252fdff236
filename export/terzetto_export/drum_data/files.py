"""Drum files with what is known of them; those that cannot be read are named and skipped."""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from terzetto.drums.beat import Beat
from terzetto.drums.drum_map import DrumMap
from terzetto.drums.midi import read_beat
from terzetto.errors import InputError, TerzettoWarning

MIDI_ENDINGS = (".mid", ".midi")
SPLITS = ("train", "validation", "test")
VALIDATION, TEST = 0.1, 0.1
Tell = Callable[[str], None]


@dataclass(frozen=True)
class DrumFile:
    """One file of a data set.

    Attributes
    ----------
    path : Path
    beat : Beat
    style : str
    group : str
        The unit of independence: what is learned from or measured on as a whole.
    split : str
        One of `SPLITS`.
    fill : bool
        Whether it is a fill, an intro, a break or an ending, not a groove.
    drummer : str
        Empty where nobody is named.
    """

    path: Path
    beat: Beat
    style: str
    group: str
    split: str
    fill: bool = False
    drummer: str = ""


@dataclass
class Reading:
    """The files of a data set, and how many of them could not be read."""

    files: list[DrumFile] = field(default_factory=list)
    unreadable: int = 0


def tell_on_terminal(line: str) -> None:
    """Say what was left out, on standard error."""
    print(line, file=sys.stderr, flush=True)


def midi_files(folder: Path) -> list[Path]:
    """Return the MIDI files in a folder and below, sorted.

    Raises
    ------
    InputError
        There is no such folder, or none in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give a folder of MIDI files")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in MIDI_ENDINGS and path.is_file())
    if not paths:
        raise InputError(f"{folder}: no MIDI files ({', '.join(MIDI_ENDINGS)}) in it or below")
    return paths


def read_files(
    entries: Iterable[tuple[Path, Callable[[Beat], DrumFile]]], tell: Tell, drum_map: DrumMap | None = None
) -> Reading:
    """Read files and describe each by its function; name and skip what cannot be read.

    Notes outside the drum channel are left out without a word: a folder of songs is welcome.
    """
    reading = Reading()
    for path, describe in entries:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", TerzettoWarning)
                beat = read_beat(path, drum_map=drum_map)
        except InputError as problem:
            tell(f"{path}: skipped: {str(problem).removeprefix(f'{path}: ')}")
            reading.unreadable += 1
            continue
        reading.files.append(describe(beat))
    return reading


def parted(reading: Reading) -> Reading:
    """Return files whose split is by their groups, for data that come without one; see `split_groups`."""
    split = split_groups(file.group for file in reading.files)
    return Reading([replace(file, split=split[file.group]) for file in reading.files], reading.unreadable)


def split_groups(groups: Iterable[str]) -> dict[str, str]:
    """Part groups into training (80 %), validation and test (10 % each) by a hash of the name.

    With three or more groups each part gets one, with fewer all are training.

    >>> sorted(split_groups(["a", "b", "c"]).values())
    ['test', 'train', 'validation']
    """
    ordered = sorted(
        set(groups), key=lambda group: hashlib.sha256(group.encode("utf-8", "surrogateescape")).hexdigest()
    )
    validation = max(round(VALIDATION * len(ordered)), 1)
    test = max(round(TEST * len(ordered)), 1)
    if len(ordered) < len(SPLITS):
        return dict.fromkeys(ordered, "train")
    parts = ["validation"] * validation + ["test"] * test
    return {group: parts[i] if i < len(parts) else "train" for i, group in enumerate(ordered)}
