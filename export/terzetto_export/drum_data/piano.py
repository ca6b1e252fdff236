"""Piano performances for the performance model: MAESTRO in its published layout, and folders with an ``index.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from terzetto.errors import InputError
from terzetto.score.midi import read_midi
from terzetto.score.notes import Score
from terzetto.score.works import identify, read_index
from terzetto_export.drum_data.files import SPLITS, Tell, midi_files, split_groups, tell_on_terminal

_COLUMNS = {"canonical_composer", "canonical_title", "split", "midi_filename"}


@dataclass(frozen=True)
class Performance:
    """One performance.

    Attributes
    ----------
    path : Path
    composer, title : str
    work : str
        The unit of independence; performances of one work share it.
    split : str
        ``train``, ``validation`` or ``test``.
    """

    path: Path
    composer: str
    title: str
    work: str
    split: str

    def read(self) -> Score:
        """Read its notes; see `terzetto.score.midi.read_midi`."""
        return read_midi(self.path)


def read_maestro(folder: Path, tell: Tell = tell_on_terminal) -> list[Performance]:
    """List MAESTRO's performances with the official split (``maestro-v3.0.0.csv`` or another version's).

    Files that are not there are named and skipped; notes are read when they are needed.

    Raises
    ------
    InputError
        No such table, one without the published columns, or none of its files is there.
    """
    tables = sorted(folder.glob("maestro-v*.csv"))
    if not tables:
        raise InputError(f"{folder}: no maestro-v3.0.0.csv; give the folder of the MAESTRO dataset")
    try:
        with tables[-1].open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{tables[-1]}: cannot be read ({error})") from None
    missing = _COLUMNS - set(rows[0] if rows else ())
    if missing:
        raise InputError(f"{tables[-1]}: no column {min(missing)}; it has {', '.join(sorted(_COLUMNS))} as published")
    unknown = {row["split"] for row in rows} - set(SPLITS)
    if unknown:
        raise InputError(f"{tables[-1]}: a split {min(unknown)!r}; there are {', '.join(SPLITS)}")
    found = []
    for row in rows:
        path = folder / row["midi_filename"]
        if not path.is_file():
            tell(f"{path}: skipped: no such file")
            continue
        composer, title = row["canonical_composer"], row["canonical_title"]
        found.append(Performance(path, composer, title, f"{composer}: {title}", row["split"]))
    if not found:
        raise InputError(f"{folder}: none of the {len(rows)} files that {tables[-1].name} names is there")
    return found


def read_performances(folder: Path) -> list[Performance]:
    """List the performances below a folder, by its ``index.csv`` or by folder and file name, split by work.

    Works that the demo and the published takes are made of are left out.

    Raises
    ------
    InputError
        No such folder, or no MIDI files in it.
    """
    index = read_index(folder)
    works = {path: identify(path, folder, index) for path in midi_files(folder)}
    split = split_groups(work.opus for work in works.values())
    return [
        Performance(path, work.composer, work.title, work.opus, split[work.opus])
        for path, work in works.items()
        if not work.reserved
    ]
