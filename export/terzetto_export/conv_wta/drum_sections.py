"""Four-bar sections of drum music, 27 × 64: Groove's, at whatever tempo (the grid is in quarter notes)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import SECTION_BARS, Hvo, to_section
from terzetto.errors import InputError
from terzetto_export.drum_data.files import DrumFile, Reading, Tell, tell_on_terminal
from terzetto_export.drum_data.folder import read_folder
from terzetto_export.drum_data.groove import check_drummer, read_groove

FEWEST = 64


@dataclass(frozen=True)
class Sections:
    """Sections of four bars, one after the other; bars left over at a file's end are left out, silent sections too.

    Attributes
    ----------
    rows : float32 (n, 27, 64)
    file : int64 (n,)
        Which file each is from: the unit of independence.
    paths : tuple of Path
        By file.
    """

    rows: NDArray[np.float32]
    file: NDArray[np.int64]
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def hits(self) -> NDArray[np.bool_]:
        """The hits, bool (n, 9, 64)."""
        return self.rows[:, : len(DRUMS)] > 0.5


@dataclass(frozen=True)
class Split:
    """Sections to learn from, to choose by, to report on."""

    training: Sections
    validation: Sections
    test: Sections
    sources: tuple[Path, ...]


def read_split(folder: Path | None = None, without: str | None = None, tell: Tell = tell_on_terminal) -> Split:
    """Read Groove with its official split, or a folder of one's own, 4/4 grooves only, no fills.

    Parameters
    ----------
    folder
        Of MIDI files; ``drums/groove`` in the folder that TERZETTO_DATA names unless given.
    without
        A drummer whom neither training nor validation hears; the test part is then all that he plays.

    Raises
    ------
    InputError
        No data set, no such drummer, too little to learn from.
    """
    if folder is None:
        folder = Path(os.environ.get("TERZETTO_DATA", "../shared/data")) / "drums" / "groove"
        if not folder.is_dir():
            raise InputError(
                f"{folder}: the data set is not there; set TERZETTO_DATA to the folder of the data set, or give a "
                "folder of MIDI beats with --data"
            )
    is_groove = (folder / "info.csv").is_file()
    if is_groove and without is not None:
        check_drummer(folder, without)
    reading = read_groove(folder, tell) if is_groove else read_folder(folder, tell)
    return split_of(reading, folder, without)


def split_of(reading: Reading, folder: Path, without: str | None = None) -> Split:
    """Cut what was read into sections; see `read_split`."""
    files = [file for file in reading.files if not file.fill]
    drummers = sorted({file.drummer for file in files} - {""})
    if without is not None and without not in drummers:
        raise InputError(f"no drummer {without!r}; there are: {', '.join(drummers) or 'none named'}")

    def part(name: str) -> Sections:
        if without is None:
            return _cut([file for file in files if file.split == name])
        if name == "test":
            return _cut([file for file in files if file.drummer == without])
        return _cut([file for file in files if file.split == name and file.drummer != without])

    training, validation, test = part("train"), part("validation"), part("test")
    if len(training) < FEWEST or not len(validation) or not len(test):
        raise InputError(
            f"{folder}: {len(training)} sections of four bars in 4/4 to train on, {len(validation)} to choose by, "
            f"{len(test)} to test on are too little; at least {FEWEST} to train on are needed, and files for each"
        )
    return Split(training, validation, test, tuple(file.path for file in files))


def _cut(files: list[DrumFile]) -> Sections:
    rows: list[NDArray[np.float32]] = []
    number: list[int] = []
    paths: list[Path] = []
    for file in files:
        try:
            bars = Hvo.bars_of(file.beat, skip_other_meters=True)
        except InputError:  # no bar of four quarter notes at all
            continue
        starts = range(0, len(bars) - SECTION_BARS + 1, SECTION_BARS)
        found = [to_section(bars[start : start + SECTION_BARS]) for start in starts]
        found = [section for section in found if section[: len(DRUMS)].any()]
        if found:
            rows += found
            number += [len(paths)] * len(found)
            paths.append(file.path)
    shape = (0, 3 * len(DRUMS), 16 * SECTION_BARS)
    stacked = np.stack(rows) if rows else np.zeros(shape, np.float32)
    return Sections(stacked.astype(np.float32), np.array(number, np.int64), tuple(paths))
