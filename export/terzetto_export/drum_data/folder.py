"""A user's own folder of MIDI files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from terzetto.drums.drum_map import DrumMap
from terzetto_export.drum_data.files import (
    DrumFile,
    Reading,
    Tell,
    midi_files,
    parted,
    read_files,
    tell_on_terminal,
)


def read_folder(folder: Path, tell: Tell = tell_on_terminal, drum_map: DrumMap | None = None) -> Reading:
    """Read all drum files below a folder; what is broken or has no drums is named and skipped.

    The style is the name of the folder a file lies in, the group is the file, the split is by file (80, 10, 10 %).

    Raises
    ------
    InputError
        No such folder, or no MIDI files in it.
    """
    entries = (
        (
            path,
            partial(
                DrumFile,
                path,
                style=path.parent.name.lower(),
                group=path.relative_to(folder).as_posix(),
                split="train",
            ),
        )
        for path in midi_files(folder)
    )
    return parted(read_files(entries, tell, drum_map))
