"""The drum map: MIDI note → one of nine drums and one of eight classes → the note it is written as.

The published table is ``drum_map.toml`` beside this module; a user's own names only what differs.
"""

from __future__ import annotations

import functools
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.errors import InputError

DRUMS = ("kick", "snare", "closed hat", "open hat", "low tom", "mid tom", "high tom", "crash", "ride")
CLASSES = ("snare", "kick", "open hat", "closed hat", "cymbal", "clap", "tom", "other")
NONE = -1
_OTHER = CLASSES.index("other")
_SECTIONS = {"drums": DRUMS, "classes": CLASSES}


@dataclass(frozen=True)
class DrumMap:
    """Which note is which drum and which class, and how drums and classes are written.

    Attributes
    ----------
    drum_of_note : int64 (128,)
        Index into `DRUMS`, or `NONE`.
    class_of_note : int64 (128,)
        Index into `CLASSES`, or `NONE`.
    note_of_drum : int64 (9,)
        MIDI notes.
    note_of_class : int64 (8,)
        MIDI notes.
    names : Mapping
        MIDI note → what it is called.

    Examples
    --------
    >>> drum_map = read_drum_map()
    >>> DRUMS[drum_map.drum_of_note[22]], CLASSES[drum_map.class_of_note[39]], drum_map.note_of_drum[0]
    ('closed hat', 'clap', np.int64(36))
    """

    drum_of_note: NDArray[np.int64]
    class_of_note: NDArray[np.int64]
    note_of_drum: NDArray[np.int64]
    note_of_class: NDArray[np.int64]
    names: Mapping[int, str]

    def drums(self, notes: ArrayLike) -> NDArray[np.int64]:
        """Return the drum of each MIDI note, `NONE` where it is none of the nine."""
        return np.asarray(self.drum_of_note[np.asarray(notes, np.int64)])

    def classes(self, notes: ArrayLike) -> NDArray[np.int64]:
        """Return the class of each MIDI note, `NONE` where the map leaves it out."""
        return np.asarray(self.class_of_note[np.asarray(notes, np.int64)])


def published_table() -> str:
    """Return the published table as it is written, comments and all: what a user edits a copy of."""
    return (files(__package__) / "drum_map.toml").read_text(encoding="utf-8")


def read_drum_map(path: str | os.PathLike[str] | None = None) -> DrumMap:
    """Read the published drum map, or a user's own laid over it.

    Parameters
    ----------
    path
        A TOML file of the same form; what it does not name is as published.

    Raises
    ------
    InputError
        The file is missing or not TOML, or names a note, drum or class that does not exist.
    """
    if path is None:
        return _published()
    try:
        text = Path(path).read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise InputError(f"{path}: the drum map cannot be read ({error.strerror or error})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{path}: the drum map is not TOML ({error}); `terzetto drums drum-map` prints one to begin with"
        ) from None
    return _overlaid(_published(), table, str(path))


@functools.cache
def _published() -> DrumMap:
    bare = DrumMap(np.full(128, NONE), np.full(128, _OTHER), np.zeros(9, np.int64), np.zeros(8, np.int64), {})
    return _overlaid(bare, tomllib.loads(published_table()), "drum_map.toml")


def _overlaid(below: DrumMap, table: dict[str, Any], path: str) -> DrumMap:
    """Lay a table over a map; every name in it is checked."""
    unknown = set(table) - {*_SECTIONS, "notes"}
    if unknown:
        raise InputError(f"{path}: no section [{min(unknown)}] in a drum map; it has [drums], [classes] and [notes]")
    written = {"drums": below.note_of_drum.copy(), "classes": below.note_of_class.copy()}
    for section, known in _SECTIONS.items():
        for name, note in _section(table, section, path).items():
            written[section][_index(name, known, f"{path}: [{section}]")] = _note(note, f"{path}: {name}")
    drum_of_note, class_of_note = below.drum_of_note.copy(), below.class_of_note.copy()
    names = dict(below.names)
    for key, entry in _section(table, "notes", path).items():
        where = f"{path}: note {key}"
        note = _note(int(key) if key.isascii() and key.isdigit() else key, where)
        if not isinstance(entry, dict) or set(entry) - {"name", "drum", "class"}:
            raise InputError(f'{where}: give {{ name = "…", drum = "…", class = "…" }}, or some of them')
        if "drum" in entry:
            drum_of_note[note] = _index(entry["drum"], (*DRUMS, "none"), where)
        if "class" in entry:
            class_of_note[note] = _index(entry["class"], (*CLASSES, "none"), where)
        names[note] = str(entry.get("name", names.get(note, f"note {note}")))
    drum_of_note[drum_of_note == len(DRUMS)] = NONE
    class_of_note[class_of_note == len(CLASSES)] = NONE
    for array in (drum_of_note, class_of_note, *written.values()):
        array.setflags(write=False)  # one map is shared by all who read it
    return DrumMap(drum_of_note, class_of_note, written["drums"], written["classes"], names)


def _section(table: dict[str, Any], name: str, path: str) -> dict[str, Any]:
    section = table.get(name, {})
    if not isinstance(section, dict):
        raise InputError(f"{path}: {name} is not a section; write [{name}]")
    return section


def _note(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 127:
        raise InputError(f"{where}: {value!r} is not a MIDI note; give a whole number from 0 to 127")
    return value


def _index(name: object, known: tuple[str, ...], where: str) -> int:
    if name not in known:
        raise InputError(f"{where}: there is no {name!r}; give one of {', '.join(known)}")
    return known.index(str(name))
