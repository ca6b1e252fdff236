"""Which files the recipes read: Groove with its official split, the programmed grooves of mma, a user's own folder."""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from terzetto.errors import InputError
from terzetto_export.drum_patterns.corpus import Source

SPLITS = ("train", "validation", "test")
FEWEST_BARS_OF_A_STYLE = 40


def data_folder() -> Path:
    """Return the folder of the data sets."""
    return Path(os.environ.get("TERZETTO_DATA", "../shared/data")) / "drums"


def groove(folder: Path, *, beats_only: bool = True) -> dict[str, list[Source]]:
    """Return the 4/4 files of the Groove MIDI data set by its official split; fills are left out.

    Raises
    ------
    InputError
        There is no ``info.csv`` in the folder.
    """
    index = folder / "info.csv"
    if not index.is_file():
        raise InputError(f"{index}: not there; give the folder of the Groove MIDI data set, or set TERZETTO_DATA")
    split: dict[str, list[Source]] = {name: [] for name in SPLITS}
    with index.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["time_signature"] == "4-4" and (row["beat_type"] == "beat" or not beats_only):
                style = row["style"].partition("/")[0]
                split[row["split"]].append(Source(folder / row["midi_filename"], style, row["drummer"]))
    return split


def mma(folder: Path) -> list[Source]:
    """Return the programmed grooves of mma, the style from the folder's name.

    Raises
    ------
    InputError
        There are none.
    """
    found = [Source(path, path.parent.name) for path in sorted(folder.rglob("*.mid"))]
    if not found:
        raise InputError(f"{folder}: holds no MIDI files; give the folder of mma's grooves, or set TERZETTO_DATA")
    return found


def own(folders: Sequence[Path]) -> dict[str, list[Source]]:
    """Return the MIDI files of a user's folders, split by a hash of their names; a subfolder's name is the style.

    Raises
    ------
    InputError
        A folder is not there, or there are no MIDI files.
    """
    split: dict[str, list[Source]] = {name: [] for name in SPLITS}
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: not a folder; give one with MIDI files of drums")
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in {".mid", ".midi"}:
                inside = path.relative_to(folder)
                digit = int(hashlib.sha256(inside.as_posix().encode()).hexdigest()[:8], 16) % 10
                name = "test" if digit == 0 else "validation" if digit == 1 else "train"
                split[name].append(Source(path, inside.parts[0] if len(inside.parts) > 1 else ""))
    if not any(split.values()):
        raise InputError(f"{', '.join(map(str, folders))}: no MIDI files (.mid, .midi) in there")
    return split


def styles_of(bars: Counter[str]) -> list[str]:
    """Return the styles with enough bars to learn them, by name.

    >>> styles_of(Counter({"funk": 50, "odd": 3, "": 90}))
    ['funk']
    """
    return sorted(name for name, count in bars.items() if name and count >= FEWEST_BARS_OF_A_STYLE)
