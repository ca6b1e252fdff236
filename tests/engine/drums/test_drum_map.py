"""The drum map: the published table, and a user's laid over it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from terzetto.drums.drum_map import CLASSES, DRUMS, NONE, published_table, read_drum_map
from terzetto.errors import InputError

# The Roland TD-11 notes of Groove and their nine drums, as published with it (Gillick et al. 2019).
PUBLISHED = {
    "kick": [36],
    "snare": [38, 37, 40],
    "closed hat": [42, 22, 44],
    "open hat": [46, 26],
    "low tom": [43, 58],
    "mid tom": [47, 45],
    "high tom": [50, 48],
    "crash": [49, 52, 55, 57],
    "ride": [51, 53, 59],
}


@pytest.mark.parametrize("drum", DRUMS)
def test_grooves_notes_are_the_published_drums(drum: str) -> None:
    assert (read_drum_map().drums(PUBLISHED[drum]) == DRUMS.index(drum)).all()


def test_every_general_midi_percussion_note_has_a_name_a_drum_and_a_class() -> None:
    drum_map = read_drum_map()
    gm = np.arange(35, 82)
    assert all(note in drum_map.names for note in gm)
    assert (drum_map.drums(gm) != NONE).all() and (drum_map.classes(gm) != NONE).all()
    assert CLASSES[drum_map.class_of_note[39]] == "clap" and CLASSES[drum_map.class_of_note[60]] == "other"
    assert CLASSES[drum_map.class_of_note[110]] == "other" and drum_map.drum_of_note[110] == NONE


def test_what_is_written_is_read_back_as_the_same_drum_and_class() -> None:
    drum_map = read_drum_map()
    np.testing.assert_array_equal(drum_map.drums(drum_map.note_of_drum), range(9))
    np.testing.assert_array_equal(drum_map.classes(drum_map.note_of_class), range(8))


def test_a_users_map_changes_only_what_it_names(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[drums]\nkick = 35\n[classes]\nother = 70\n[notes]\n60 = { drum = "none", class = "tom" }\n')
    drum_map, published = read_drum_map(mine), read_drum_map()
    assert drum_map.note_of_drum[0] == 35 and drum_map.note_of_class[7] == 70
    assert drum_map.drum_of_note[60] == NONE and CLASSES[drum_map.class_of_note[60]] == "tom"
    others = np.arange(128) != 60
    np.testing.assert_array_equal(drum_map.drum_of_note[others], published.drum_of_note[others])
    assert drum_map.names[60] == published.names[60] == "high bongo"
    assert published.note_of_drum[0] == 36  # the shared one is as it was


def test_the_printed_table_is_a_users_map_that_changes_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    copy.write_text(published_table(), encoding="utf-8")
    np.testing.assert_array_equal(read_drum_map(copy).drum_of_note, read_drum_map().drum_of_note)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[drums]\nbongo = 60\n", "no 'bongo'; give one of kick, snare"),
        ("[drums]\nkick = 128\n", "128 is not a MIDI note; give a whole number from 0 to 127"),
        ("[drums]\nkick = true\n", "True is not a MIDI note"),
        ('[notes]\nkick = { drum = "kick" }\n', "'kick' is not a MIDI note"),
        ('[notes]\n36 = "kick"\n', "note 36: give {"),
        ('[notes]\n36 = { drum = "boom" }\n', "no 'boom'; give one of kick"),
        ('[notes]\n36 = { klass = "kick" }\n', "note 36: give {"),
        ("[note]\n", r"no section \[note\] in a drum map"),
        ("drums = 3\n", r"write \[drums\]"),
        ("kick", "the drum map is not TOML"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused_with_what_is_valid(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_drum_map(path)


def test_a_missing_map_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: the drum map cannot be read"):
        read_drum_map(tmp_path / "none.toml")
