"""Which work a file of a data set is of, so that no work is learned from and measured on."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# What the demo and the published takes are made of: never trained on, in whatever data set it is.
_RESERVED_CHOPIN = {(10, 3), (23, 1), (25, 1), (28, 4)}
_RESERVED = re.compile(r"bwv_?875|Piano_Sonatas_32-1|Piano_Sonatas_17-1|beethoven_op111_1|beethoven_op31no2_1", re.I)
# Titles of nASAP that do not say the opus; ballades and sonatas are numbered, scherzos have their opus.
_CHOPIN_OPUS = {
    "Ballades_1": 23,
    "Ballades_2": 38,
    "Ballades_3": 47,
    "Ballades_4": 52,
    "Barcarolle": 60,
    "Scherzos_20": 20,
    "Scherzos_31": 31,
    "Scherzos_39": 39,
    "Scherzos_54": 54,
    "Sonata_2": 35,
    "Sonata_3": 58,
}


@dataclass(frozen=True)
class Work:
    """What a file is of.

    Attributes
    ----------
    composer, title : str
        Editions and performances of one piece have the same.
    opus : str
        What is held out together: an opus, a sonata's movements, a prelude and its fugue. It begins with the composer.
    reserved : bool
        Whether the demo or the published takes are made of it.
    """

    composer: str
    title: str
    opus: str
    reserved: bool = False


def read_index(folder: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a data set's ``index.csv`` by the file's path (column ``midi``); empty if there is none."""
    try:
        with (folder / "index.csv").open(encoding="utf-8-sig", newline="") as file:
            return {row["midi"]: row for row in csv.DictReader(file) if row.get("midi")}
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}


def identify(path: Path, folder: Path, index: Mapping[str, Mapping[str, str]]) -> Work:
    """Say which work a file is of: by the index, else by the names of the first editions, else by its own name."""
    row = index.get(path.relative_to(folder).as_posix(), {})
    if row.get("composer") and row.get("title"):
        return _by_title(row["composer"], row["title"])
    # The Chopin first editions: opus, edition, number (010_1-6-1b-KI-004). All editions of an opus stay together.
    edition = re.match(r"(\d{3})(?=[-_a-z])", path.stem)
    if edition:
        opus = int(edition[1])
        found = re.search(r"-(\d{3})(?=$|-)", path.stem[4:])
        number = int(found[1]) if found else 1
        return Work("Chopin", f"op. {opus} no. {number}", f"Chopin op. {opus}", (opus, number) in _RESERVED_CHOPIN)
    title = path.stem.split("__")[0]
    composer = path.parent.name if path.parent != folder else ""
    return _by_title(composer, title)


def _by_title(composer: str, title: str) -> Work:
    whole = re.sub(r"^(Prelude|Fugue)_", "", title)
    whole = re.sub(r"(?<=\d)-\d+(_\d+)?$|_(1st|2nd|3rd|4th)$", "", whole)
    if composer.lower() == "chopin":
        numbered = re.search(r"op_?(\d+)(?:_(\d+))?$", title)
        opus = int(numbered[1]) if numbered else _CHOPIN_OPUS.get(whole)
        if opus is not None:
            number = int(numbered[2] or 1) if numbered else 1
            return Work(composer, title, f"Chopin op. {opus}", (opus, number) in _RESERVED_CHOPIN)
    return Work(composer, title, f"{composer} {whole}".strip(), bool(_RESERVED.search(f"{composer}_{title}")))
