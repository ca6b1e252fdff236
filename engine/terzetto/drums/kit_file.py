"""Kits as files (``kit.toml``) and as tables for JSON: read, checked, and written.

A user's kit is laid over the shipped one: a voice, or a value of a voice, that it does not name is as shipped. Paths
of samples are told from the kit's own folder.
"""

from __future__ import annotations

import functools
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import VOICE_OF_DRUM, Drum, Kit, Voice, check_number
from terzetto.drums.sound_sources import OneShot, files_of
from terzetto.drums.source_table import source_of_table, table_of_source
from terzetto.drums.table_places import Place
from terzetto.errors import InputError
from terzetto.whole_file import write_whole

SHIPPED = Path(__file__).with_name("one_shots") / "kit.toml"
_VOICE = tuple(each.name for each in fields(Voice))
_DRUM = tuple(each.name for each in fields(Drum))
_Part = TypeVar("_Part", Voice, Drum)


@functools.cache
def shipped_kit() -> Kit:
    """Return the shipped kit."""
    return _read(SHIPPED, Kit({name: Voice(OneShot(name)) for name in CLASSES}))


def read_kit(path: str | os.PathLike[str] | None = None) -> Kit:
    """Read a kit, laid over the shipped one; the shipped one itself for no path.

    Parameters
    ----------
    path
        A ``kit.toml``, or the folder of one.

    Raises
    ------
    InputError
        The file is missing or not TOML, something in it has a wrong name or value, or a sample is missing; the message
        says on which line. (Whether a sample is sound is found out when it is read: `terzetto.drums.voice_sounds`.)
    """
    if path is None:
        return shipped_kit()
    file = Path(path)
    return _read(file / "kit.toml" if file.is_dir() else file, shipped_kit())


def write_kit(path: str | os.PathLike[str], kit: Kit) -> None:
    """Write a kit as TOML, whole or not at all; samples beside or below it are told by relative paths.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    content = kit_text(kit, Path(path).parent).encode()

    def write(file: BinaryIO) -> None:
        file.write(content)

    write_whole(Path(path), write)


def kit_table(kit: Kit, folder: Path | None = None) -> dict[str, Any]:
    """Return all of a kit, ready for JSON and TOML; paths in or below a folder relative to it."""
    voices = {
        name: {"source": table_of_source(voice.source, folder), **_values(voice)} for name, voice in kit.voices.items()
    }
    drums = {name: _values(drum) for name, drum in kit.drums.items()}
    return {"name": kit.name, "gain_db": kit.gain_db, "voice": voices, "drum": drums}


def kit_of_table(table: Mapping[str, Any], folder: Path, place: Place, base: Kit | None = None) -> Kit:
    """Return the kit that a table tells, laid over another.

    Parameters
    ----------
    table
        As `kit_table` gives it, or a part of it.
    folder
        From which relative paths are told.
    place
        Where the table stands, for messages.
    base
        What lies below; the shipped kit unless given.

    Raises
    ------
    InputError
        Something has a wrong name or value.
    """
    base = base or shipped_kit()
    place.check_keys(table, ("name", "gain_db", "voice", "drum"))
    voices, drums = dict(base.voices), dict(base.drums)
    for name, row in place.section(table, "voice", CLASSES).items():
        voices[name] = _laid(row, voices[name], _VOICE, folder, place.at("voice", name))
    for name, row in place.section(table, "drum", tuple(VOICE_OF_DRUM)).items():
        drums[name] = _laid(row, drums[name], _DRUM, folder, place.at("drum", name))
    gain_db = _number("gain_db", table.get("gain_db", base.gain_db), place.at("gain_db"))
    return Kit(voices, drums, gain_db, place.at("name").typed(table.get("name", ""), str))


def kit_text(kit: Kit, folder: Path | None = None) -> str:
    """Return a kit as TOML."""
    return "\n".join(_lines(kit_table(kit, folder))) + "\n"


def _lines(table: dict[str, Any]) -> Iterator[str]:
    yield "# A drum kit of Terzetto; what each value means: docs/drums.md, Kit."
    for key in ("name", "gain_db"):
        yield f"{key} = {inline(table[key])}"
    for section in ("voice", "drum"):
        for name, values in table[section].items():
            yield f"\n[{section}.{json.dumps(name)}]"
            yield from (f"{key} = {inline(value)}" for key, value in values.items())


def inline(value: Any) -> str:
    """Return a value as TOML on one line."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {inline(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    # TOML's basic strings are JSON's but for one letter.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read(file: Path, base: Kit) -> Kit:
    writes_one = "`terzetto drums kit -o FILE` writes one"
    try:
        text = file.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError):
            raise InputError(f"{file}: the kit cannot be read ({error.strerror or error}); {writes_one}") from None
        raise InputError(f"{file}: the kit is not TOML ({error}); {writes_one}") from None
    place = Place(str(file), text)
    kit = kit_of_table(table, file.absolute().parent, place, base)
    for name, voice in kit.voices.items():
        for path in files_of(voice.source):
            if not path.is_file():
                raise place.at("voice", name, "source").error(f"{path}: no such file")
    return kit


def _laid(row: Any, below: _Part, known: tuple[str, ...], folder: Path, place: Place) -> _Part:
    """Lay what a table says of a voice or a drum over another."""
    place.check_keys(place.typed(row, dict), known)
    changes: dict[str, Any] = {}
    for key, value in row.items():
        if key == "source":
            changes[key] = source_of_table(value, folder, place.at(key))
        elif key == "choke":
            changes[key] = place.at(key).typed(value, str)
        else:
            changes[key] = _number(key, value, place.at(key))
    return replace(below, **changes)


def _number(name: str, value: Any, place: Place) -> float:
    try:
        check_number(name, value)
    except InputError as error:
        raise place.error(error) from None
    return float(value)


def _values(part: Voice | Drum) -> dict[str, Any]:
    named = {each.name: getattr(part, each.name) for each in fields(part) if each.name != "source"}
    return {name: value for name, value in named.items() if value is not None}
