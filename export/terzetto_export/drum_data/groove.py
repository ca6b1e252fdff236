"""The Groove MIDI Dataset (Gillick et al. 2019) as it is published: ``info.csv``, MIDI by drummer and session."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path

from terzetto.drums.beat import Beat
from terzetto.drums.drum_map import DrumMap
from terzetto.errors import InputError
from terzetto_export.drum_data.files import SPLITS, DrumFile, Reading, Tell, read_files, tell_on_terminal

_COLUMNS = {"drummer", "style", "beat_type", "time_signature", "midi_filename", "split"}


def read_groove(folder: Path, tell: Tell = tell_on_terminal, drum_map: DrumMap | None = None) -> Reading:
    """Read Groove with its official split, beats and fills; files that are missing or broken are named and skipped.

    The style is the first of the two that ``info.csv`` gives (``funk/groove1`` → ``funk``), the group is the file.

    Raises
    ------
    InputError
        There is no ``info.csv``, or one without the published columns.
    """
    rows = _rows(folder)
    return read_files(((folder / row["midi_filename"], _describe(folder, row)) for row in rows), tell, drum_map)


def check_drummer(folder: Path, drummer: str) -> None:
    """Refuse a drummer who is not in Groove, before anything else is read.

    Raises
    ------
    InputError
        With those who are.
    """
    drummers = sorted({row["drummer"] for row in _rows(folder)}, key=lambda name: (len(name), name))
    if drummer not in drummers:
        raise InputError(f"no drummer {drummer!r}; there are: {', '.join(drummers)}")


def _rows(folder: Path) -> list[dict[str, str]]:
    info = folder / "info.csv"
    try:
        with info.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise InputError(f"{folder}: no info.csv; give the folder of the Groove MIDI Dataset") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{info}: cannot be read ({error})") from None
    missing = _COLUMNS - set(rows[0] if rows else ())
    if missing:
        raise InputError(f"{info}: no column {min(missing)}; it has {', '.join(sorted(_COLUMNS))} as published")
    unknown = {row["split"] for row in rows} - set(SPLITS)
    if unknown:
        raise InputError(f"{info}: a split {min(unknown)!r}; there are {', '.join(SPLITS)}")
    return rows


def _describe(folder: Path, row: dict[str, str]) -> Callable[[Beat], DrumFile]:
    return partial(
        DrumFile,
        folder / row["midi_filename"],
        style=row["style"].split("/")[0],
        group=row["midi_filename"],
        split=row["split"],
        fill=row["beat_type"] == "fill",
        drummer=row["drummer"],
    )
