"""Which hand plays what: from names, choices, a split pitch, or not at all."""

from __future__ import annotations

import warnings
from pathlib import Path

import mido
import pytest

from terzetto.errors import InputError, TerzettoWarning
from terzetto.score.notes import LEFT, RIGHT, Score
from terzetto.score.read import read_score


def midi(path: Path, **parts: int) -> Path:
    """A file with a track for each name, all notes of a track on one pitch."""
    file = mido.MidiFile(type=1)
    for name, pitch in parts.items():
        track = mido.MidiTrack([mido.MetaMessage("track_name", name="" if name.startswith("unnamed") else name)])
        for _ in range(2):
            track += [mido.Message("note_on", note=pitch), mido.Message("note_off", note=pitch, time=100)]
        file.tracks.append(track)
    file.save(path)
    return path


def left_pitches(score: Score) -> set[int]:
    return set(score.pitch[score.hand == LEFT].tolist())


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("left", "right"), ("LH", "RH"), ("left_hand", "right_hand"), ("Piano_lh", "Piano_rh"),
        ("LeftHand", "RightHand"), ("L.H.", "R.H."), ("Klavier links", "Klavier rechts"), ("Linke Hand", "Rechte Hand"),
        ("main gauche", "main droite"), ("m.g.", "m.d."), ("mano sinistra", "mano destra"), ("LH2", "RH2"),
        ("Piano, Left", "Piano"), ("Piano", "Piano right"), ("lower", "Piano"), ("Bass clef", "Treble clef"),
        ("mano izquierda", "mano derecha"),
    ],
)  # fmt: skip
def test_names_tell_the_hands(tmp_path: Path, left: str, right: str) -> None:
    # the left hand plays higher here: only the names can tell
    assert left_pitches(read_score(midi(tmp_path / "a.mid", **{right: 50, left: 70}))) == {70}
    assert left_pitches(read_score(midi(tmp_path / "a.mid", **{left: 70, right: 50}))) == {70}


@pytest.mark.parametrize("names", [("Piano 1", "Piano 2"), ("unnamed 1", "unnamed 2"), ("Bright", "Cleft")])
def test_without_names_the_lower_part_is_the_left_and_a_warning_says_so(tmp_path: Path, names: tuple[str, str]) -> None:
    path = midi(tmp_path / "a.mid", **dict(zip(names, (70, 50), strict=True)))
    with pytest.warns(TerzettoWarning, match=r"a\.mid.*part 2.*lower.*--left-track") as caught:
        score = read_score(path)
    assert left_pitches(score) == {50} and len(caught) == 1


def test_hands_of_one_part_are_told_by_the_notes(tmp_path: Path) -> None:
    path = midi(tmp_path / "a.mid", left=40)
    with pytest.warns(TerzettoWarning) as caught:
        score = read_score(path)
    assert score.has_hands and left_pitches(score) == {40}
    told, missing = (str(each.message) for each in caught)
    assert "one part only, so which hand plays what was told by the notes; --left-track" in told
    assert "no notes for the right hand" in missing
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not read_score(path, need_hands=False).has_hands
    with pytest.warns(TerzettoWarning, match="no notes for the right hand"):
        assert left_pitches(read_score(path, left_track=1)) == {40}


def test_hands_of_more_than_two_parts_are_told_by_the_notes(tmp_path: Path) -> None:
    path = midi(tmp_path / "a.mid", right=70, left=50, voice=80)
    listed = r"3 parts \(1 'right' \(2 notes\), 2 'left' \(2 notes\), 3 'voice'.*told by the notes.*--left-track"
    with pytest.warns(TerzettoWarning, match=listed):
        assert read_score(path).has_hands
    score = read_score(path, left_track="LEFT", right_track="1")
    assert set(score.pitch.tolist()) == {50, 70} and left_pitches(score) == {50}
    assert left_pitches(read_score(path, left_track=2)) == {50}
    assert left_pitches(read_score(path, right_track="right")) == {50, 80}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"left_track": 3}, "'3' is not in the score.*1 'right'.*2 'left'"),
        ({"left_track": 0}, "'0' is not in the score"),
        ({"left_track": "²"}, "'²' is not in the score"),
        ({"right_track": "lefty"}, "'lefty' is not in the score"),
        ({"left_track": 1, "right_track": "right"}, "both name part 1"),
        ({"left_track": 1, "split_pitch": 60}, "not both"),
        ({"split_pitch": 128}, r"0\.\.127"),
        ({"split_pitch": -1}, r"0\.\.127"),
    ],
)
def test_choices_that_cannot_be(tmp_path: Path, options: dict[str, int | str], message: str) -> None:
    path = midi(tmp_path / "a.mid", right=70, left=50)
    with pytest.raises(InputError, match=message):
        read_score(path, **options)  # type: ignore[arg-type]


def test_a_name_that_two_parts_have_is_no_choice(tmp_path: Path) -> None:
    path = midi(tmp_path / "a.mid", Piano=70, piano=50)
    with pytest.raises(InputError, match="several parts"):
        read_score(path, left_track="PIANO")


def test_a_split_pitch_overrides_the_names(tmp_path: Path) -> None:
    score = read_score(midi(tmp_path / "a.MID", right=60, left=59, other=80), split_pitch=60)
    assert left_pitches(score) == {59} and set(score.pitch[score.hand == RIGHT].tolist()) == {60, 80}
    with pytest.warns(TerzettoWarning, match="no notes for the left hand"):
        read_score(midi(tmp_path / "b.mid", right=60), split_pitch=0)


def test_a_table_with_one_hand_is_allowed_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Start;Duration;Pitch;Velocity;Instrument\n0;1;60;0.5;rh\n")
    with pytest.warns(TerzettoWarning, match="no notes for the left hand"):
        assert read_score(str(tmp_path / "a.csv")).has_hands
    # instruments with other names are parts like any others
    text = "Start;Duration;Pitch;Velocity;Instrument\n0;1;70;0.5;Oboe\n0;1;60;0.5;Fagott\n"
    (tmp_path / "b.csv").write_text(text)
    with pytest.warns(TerzettoWarning, match="'Fagott'"):
        assert left_pitches(read_score(tmp_path / "b.csv")) == {60}


def test_files_that_are_no_scores(tmp_path: Path) -> None:
    for name in ("a.mid", "a.csv", "a.musicxml", "a.krn"):
        with pytest.raises(InputError, match="no such score"):
            read_score(tmp_path / name)
    for name in ("a.pdf", "noending"):
        with pytest.raises(InputError, match=r"\.mid, \.midi, \.csv"):
            read_score(tmp_path / name)
    (tmp_path / "folder.mid").mkdir()
    with pytest.raises(InputError, match="not a readable MIDI file"):
        read_score(tmp_path / "folder.mid")
    for content in (b"", b"RIFF....WAVE", b"MThd"):
        (tmp_path / "b.mid").write_bytes(content)
        with pytest.raises(InputError, match=r"b\.mid"):
            read_score(tmp_path / "b.mid")
