"""Medley-solos-DB (Lostanlen, Cella 2016): three-second solo phrases, eight classes, the authors' own splits.

``Medley-solos-DB_training-5_UUID.flac`` (or ``.wav``): split, class, and a name that says nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from terzetto_export.commands.reproduce import data_root
from terzetto_export.instrument_data.recordings import SAMPLE_RATE, Recording, Tell, audio_files, read_files

FOLDER = "instruments/medley_solos"
CLASSES = ("clarinet", "distorted_guitar", "female_singer", "flute", "piano", "saxophone", "trumpet", "violin")
_NAME = re.compile(r"Medley-solos-DB_(training|validation|test)-([0-7])_([0-9a-f-]+)")


def read_medley_solos(
    tell: Tell, *, sample_rate: int = SAMPLE_RATE, instruments: Sequence[str] | None = None, folder: Path | None = None
) -> list[Recording]:
    """Read the phrases, each its own unit, in the published splits (by the MedleyDB song).

    Parameters
    ----------
    instruments
        Those wanted of `CLASSES`, None for all.
    folder
        Where they are; None for the folder that TERZETTO_DATA names.

    Raises
    ------
    InputError
        There are none.
    """
    paths = audio_files(folder or data_root() / FOLDER, "*.flac", "*.wav")
    return read_files(_entries(paths, sample_rate, instruments, tell), sample_rate, tell)


def _entries(
    paths: Sequence[Path], sample_rate: int, instruments: Sequence[str] | None, tell: Tell
) -> Iterator[tuple[Path, partial[Recording]]]:
    for path in paths:
        match = _NAME.fullmatch(path.stem)
        if match is None:
            tell(f"{path}: skipped: its name is not Medley-solos-DB_SPLIT-CLASS_UUID")
            continue
        split, number, name = match.groups()
        instrument = CLASSES[int(number)]
        if instruments is not None and instrument not in instruments:
            continue
        yield (
            path,
            partial(
                Recording,
                path,
                sample_rate=sample_rate,
                instrument=instrument,
                unit=f"medley-solos/{name}",
                source="medley-solos",
                split={"training": "train"}.get(split, split),
            ),
        )
