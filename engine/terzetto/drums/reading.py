"""How beats are read from files: which channel, which drum map, bars on the grid."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from terzetto.drums.beat import Beat
from terzetto.drums.drum_map import DrumMap, read_drum_map
from terzetto.drums.grid import Hvo
from terzetto.drums.midi import read_beat
from terzetto.errors import InputError
from terzetto.jobs import MIDI


def midi_files(path: Path) -> list[Path]:
    """Return a file, or in place of a folder all MIDI files in it and below, sorted.

    Raises
    ------
    InputError
        The folder holds none.
    """
    if not path.is_dir():
        return [path]
    inside = sorted(each for each in path.rglob("*") if each.suffix.lower() in MIDI.endings and each.is_file())
    if not inside:
        raise InputError(f"{path}: no MIDI files ({', '.join(MIDI.endings)}) in it or below")
    return inside


@dataclass(frozen=True)
class Reading:
    """How beats are read.

    Attributes
    ----------
    channel : int or str
        1 to 16, or "all".
    drum_map : Path or None
        A user's own table; the published one unless given.
    """

    channel: int | Literal["all"] = 10
    drum_map: Path | None = None

    def table(self) -> DrumMap:
        """Return the drum map; raises `InputError`."""
        return read_drum_map(self.drum_map)

    def read(self, path: Path) -> tuple[Beat, list[Hvo]]:
        """Read a beat, and its bars on the grid.

        Raises
        ------
        InputError
            As `read_beat`; bars that are not of four quarter notes; no hit of the nine drums.
        """
        beat = read_beat(path, channel=self.channel, drum_map=self.table())
        try:
            bars = Hvo.bars_of(beat)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        if not any(bar.hits.any() for bar in bars):
            notes = ", ".join(str(note) for note in sorted(set(beat.note.tolist())))
            raise InputError(
                f"{path}: none of its notes ({notes}) is one of the nine drums; give a --drum-map that says so"
            )
        return beat, bars

    def identity(self) -> dict[str, Any]:
        """Return what decides on the bars beside the file; the drum map by content."""
        own = None if self.drum_map is None else hashlib.sha256(self.drum_map.read_bytes()).hexdigest()
        return {"channel": self.channel, "drum_map": own}
