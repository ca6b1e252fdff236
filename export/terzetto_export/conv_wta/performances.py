"""Piano performances as lines of the 388 events, split by work."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError
from terzetto.score.performance_events import to_events
from terzetto_export.drum_data.files import Tell, tell_on_terminal
from terzetto_export.drum_data.piano import Performance, read_maestro, read_performances

FEWEST = 3
Events = NDArray[np.int64]


@dataclass(frozen=True)
class Line:
    """One performance as events, with what it is of; the unit of independence is the work."""

    events: Events
    composer: str
    work: str
    path: Path


@dataclass(frozen=True)
class Split:
    """Performances to learn from, to choose by, to report on."""

    training: tuple[Line, ...]
    validation: tuple[Line, ...]
    test: tuple[Line, ...]

    @property
    def sources(self) -> tuple[Path, ...]:
        """All files."""
        return tuple(line.path for line in (*self.training, *self.validation, *self.test))


def read_split(
    folder: Path | None = None,
    without: str | None = None,
    tell: Tell = tell_on_terminal,
    pieces: int | None = None,
) -> Split:
    """Read MAESTRO with its official split, or a folder of performances split by work.

    Parameters
    ----------
    folder
        MAESTRO's (with its ``maestro-v….csv``) or one of MIDI files; ``piano/performances`` in the folder that
        TERZETTO_DATA names unless given.
    without
        A composer whom neither training nor validation hears; the test part is then all of his.
    pieces
        Read at most so many performances of each part, for a quick look: every so-many-th.

    Raises
    ------
    InputError
        No data set, no such composer, too little to learn from.
    """
    if folder is None:
        folder = Path(os.environ.get("TERZETTO_DATA", "../shared/data")) / "piano" / "performances"
        if not folder.is_dir():
            raise InputError(
                f"{folder}: the data set is not there; set TERZETTO_DATA to the folder of the data set, or give "
                "MAESTRO's folder or one of piano performances as MIDI with --data"
            )
    listed = read_maestro(folder, tell) if any(folder.glob("maestro-v*.csv")) else read_performances(folder)
    composers = sorted({each.composer for each in listed if each.composer})
    if without is not None and without not in composers:
        raise InputError(f"no composer {without!r}; there are: {', '.join(composers) or 'none named'}")

    def part(name: str) -> tuple[Line, ...]:
        if without is None:
            chosen = [each for each in listed if each.split == name]
        elif name == "test":
            chosen = [each for each in listed if each.composer == without]
        else:
            chosen = [each for each in listed if each.split == name and each.composer != without]
        return tuple(_lines(_some(chosen, pieces), tell))

    training, validation, test = part("train"), part("validation"), part("test")
    if min(len(training) - FEWEST + 1, len(validation), len(test)) < 1:
        raise InputError(
            f"{folder}: {len(training)} performances to train on, {len(validation)} to choose by, {len(test)} to test "
            f"on are too little; at least {FEWEST} to train on are needed, and one of another work for each of the rest"
        )
    return Split(training, validation, test)


def by_work(lines: Sequence[Line], figure: Mapping[Path, float]) -> NDArray[np.float64]:
    """Return a figure of each work: the mean of its performances', works in the order of their names."""
    found: dict[str, list[float]] = {}
    for line in lines:
        found.setdefault(line.work, []).append(figure[line.path])
    return np.array([np.mean(found[work]) for work in sorted(found)], np.float64)


def _some(performances: Sequence[Performance], pieces: int | None) -> Sequence[Performance]:
    if pieces is None or len(performances) <= pieces:
        return performances
    return [performances[round(i * (len(performances) - 1) / max(pieces - 1, 1))] for i in range(pieces)]


def _lines(performances: Sequence[Performance], tell: Tell) -> list[Line]:
    found = []
    for each in performances:
        try:
            found.append(Line(to_events(each.read()), each.composer, each.work, each.path))
        except InputError as problem:
            tell(f"{each.path}: skipped: {str(problem).removeprefix(f'{each.path}: ')}")
    return found
