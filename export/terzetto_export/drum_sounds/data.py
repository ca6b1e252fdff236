"""What sounds are learned from: the collection of one-shots with its index, or a user's own folder."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from terzetto.drums.drum_map import CLASSES, NONE
from terzetto.errors import InputError
from terzetto_export.commands.reproduce import data_root
from terzetto_export.drum_data.files import SPLITS
from terzetto_export.drum_sounds.class_names import class_of_name
from terzetto_export.drum_sounds.one_shots import (
    ENDINGS,
    Entry,
    Float,
    OneShot,
    Tell,
    counts,
    in_split,
    read_entries,
    sorted_by,
)
from terzetto_export.drum_sounds.splits import split_by_kit

TIERS = ("licensed", "research")
FEWEST_SOUNDS, FEWEST_OF_A_CLASS = 40, 3
# One maker's kits that share instruments or recordings are one unit: the handclaps of the first two are the same files.
_SAME = {
    "hydrogen/Gimme A Hand 1.0": "hydrogen/The Black Pearl 1.0",
    "hydrogen/Millo-Drums_v.1": "hydrogen/Millo_MultiLayered2",
    "hydrogen/Millo_MultiLayered3": "hydrogen/Millo_MultiLayered2",
}
# The index's classes come from names read by a program; these files' names say something else.
_RENAMED = {
    "EE_Hat_Op_Dirty.flac": "open hat",
    "EE_Hat_Op_Phaser.flac": "open hat",
    "VP Hat 1 Op.flac": "open hat",
    "conga-hh.wav": "other",
    "tom-hh.wav": "tom",
    "tabla_na_s.flac": "other",
    **{f"TambourineFoot-{number}.wav": "other" for number in range(5)},
}
# Which folder of the path is the kit (else the first); None: the whole source is one.
_KIT_FOLDER = {"hydrogen": -1, "hydrogen-data": -1, "sonicpi": None, "uzu": None}


def read_data(
    folders: Sequence[Path] | None,
    tell: Tell,
    *,
    tier: str = "licensed",
    seed: int = 0,
    classify: Callable[[Float], int] | None = None,
) -> list[OneShot]:
    """Read a user's folders, or a tier of the collection, with their splits, and tell how many there are.

    Parameters
    ----------
    folders
        A user's own, see `read_folder`; None for the collection, where TERZETTO_DATA says.
    tier
        Of the collection: ``licensed`` (a model trained on it may be given away) or ``research`` (it may not).
    seed
        Of the split.
    classify
        What hears the class of a sound (float32 (frames,), 44.1 kHz) that no name tells; without it such are left out.

    Raises
    ------
    InputError
        There is no such folder, or too few sounds.
    """
    if folders:
        sounds = [sound for folder in folders for sound in read_folder(folder, tell)]
        where = ", ".join(map(str, folders))
    else:
        sounds = read_collection(tier, tell)
        where = f"the {tier} one-shots"
    if classify is not None:
        sounds = sorted_by(sounds, classify, tell, FEWEST_OF_A_CLASS)
    unnamed = sum(sound.sound_class == NONE for sound in sounds)
    if unnamed:
        tell(f"{unnamed} sounds are left out: neither folder nor file is named after a drum")
        sounds = [sound for sound in sounds if sound.sound_class != NONE]
    check_enough(sounds, where)
    sounds = split_by_kit(sounds, tell, seed)
    for split in SPLITS:
        tell(f"{split}: {counts(in_split(sounds, split))}")
    return sounds


def check_enough(sounds: Sequence[OneShot], where: str) -> None:
    """Refuse what is too little to learn from.

    Raises
    ------
    InputError
        Fewer than 40 sounds, or one or two of a class.
    """
    if len(sounds) < FEWEST_SOUNDS:
        raise InputError(
            f"{where}: {len(sounds)} usable one-shots; at least {FEWEST_SOUNDS} are needed: add files, in folders "
            f"named after their drums ({', '.join(CLASSES)})"
        )
    for sound_class, number in sorted(Counter(sound.sound_class for sound in sounds).items()):
        if number < FEWEST_OF_A_CLASS:
            raise InputError(
                f"{where}: only {number} of the class {CLASSES[sound_class]!r}; give {FEWEST_OF_A_CLASS} or more "
                "(one to learn from, one to choose by, one to measure with), or none"
            )


def read_collection(tier: str, tell: Tell, folder: Path | None = None) -> list[OneShot]:
    """Read a tier of the collection by its ``index.csv`` (path, class, tier, source, source_path, seconds).

    Raises
    ------
    InputError
        There is no such tier, the index is not there, or it lacks a column.
    """
    if tier not in TIERS:
        raise InputError(f"there is no tier {tier!r}; give one of {', '.join(TIERS)}")
    folder = folder or data_root() / "drums" / "one_shots"
    index = folder / "index.csv"
    try:
        with index.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(
            f"{index}: cannot be read ({error.strerror or error}); TERZETTO_DATA names the folder of the data sets, "
            "or give your own with --data"
        ) from None
    try:
        entries = [_entry(folder, row, index) for row in rows if row["tier"] == tier]
    except KeyError as error:
        raise InputError(f"{index}: no column {error}; it has path, class, tier, source and source_path") from None
    return read_entries(entries, tell)


def _entry(folder: Path, row: dict[str, str], index: Path) -> Entry:
    path = PurePosixPath(row["source_path"])
    name = _RENAMED.get(path.name, row["class"].replace("_", " "))
    if name not in CLASSES:
        raise InputError(f"{index}: {row['path']}: there is no class {name!r}; give one of {', '.join(CLASSES)}")
    return Entry(folder / row["path"], CLASSES.index(name), kit_of(row["source"], path), row["source"])


def kit_of(source: str, path: PurePosixPath) -> str:
    """Return the kit of a sound of the collection.

    >>> kit_of("tidal_drum_machines", PurePosixPath("AkaiLinn/akailinn-bd/Bassdrum.wav"))
    'tidal_drum_machines/AkaiLinn'
    >>> kit_of("uzu", PurePosixPath("bd/10_bd_switchangel.wav"))
    'uzu'
    """
    folder = _KIT_FOLDER.get(source, 0)
    kit = source if folder is None or len(path.parts) < 2 else f"{source}/{path.parts[:-1][folder]}"
    return _SAME.get(kit, kit)


def read_folder(folder: Path, tell: Tell) -> list[OneShot]:
    """Read all audio files in a folder and below; broken, silent, too short and too long ones are named and skipped.

    The class is what the nearest folder is named after (``Kick``, ``BD``, ``Open Hats`` …), else the file itself, else
    `NONE`. The kit is the folder without the parts that name a drum: ``Pack A/Kicks/1.wav`` is of ``Pack A``.

    Raises
    ------
    InputError
        No such folder, or no audio in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give a folder of one-shots")
    folder = folder.resolve()
    paths = sorted(path for path in _files(folder) if path.suffix.lower() in ENDINGS)
    if not paths:
        raise InputError(f"{folder}: no audio files ({', '.join(ENDINGS)}) in it or below")
    entries = []
    for path in paths:
        inside = path.relative_to(folder)
        names = [*reversed(inside.parts[:-1]), folder.name, path.stem]
        sound_class = next((c for c in map(class_of_name, names) if c != NONE), NONE)
        kit = "/".join(part for part in (folder.name, *inside.parts[:-1]) if class_of_name(part) == NONE)
        entries.append(Entry(path, sound_class, kit, folder.name))
    return read_entries(entries, tell)


def _files(folder: Path) -> Iterator[Path]:
    """Yield files that are not hidden (macOS leaves ``._NAME`` beside each NAME on other disks)."""
    for path in folder.rglob("*"):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path
