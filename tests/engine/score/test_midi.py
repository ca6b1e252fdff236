"""MIDI files: what they may hold, what is refused, and that what is written reads back."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terzetto.errors import InputError, OutputError
from terzetto.score.midi import SHORTEST_NOTE, read_midi, write_midi
from terzetto.score.notes import UNKNOWN, Score


def note(kind: str, pitch: int, time: int = 0, velocity: int = 64, channel: int = 0) -> mido.Message:
    return mido.Message(kind, note=pitch, velocity=velocity, time=time, channel=channel)


def save(path: Path, *tracks: list[mido.Message | mido.MetaMessage], kind: int = 1, ticks: int = 480) -> Path:
    midi = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    midi.tracks.extend(mido.MidiTrack(track) for track in tracks)
    midi.save(path)
    return path


def test_each_track_with_notes_is_a_part_with_its_name(tmp_path: Path) -> None:
    named = [mido.MetaMessage("track_name", name="Piano right"), note("note_on", 72), note("note_off", 72, 480)]
    other = [note("note_on", 40), note("note_off", 40, 960)]
    score = read_midi(save(tmp_path / "a.mid", [mido.MetaMessage("set_tempo", tempo=500_000)], named, other))
    assert score.track_names == ("Piano right", "")
    assert score.pitch.tolist() == [40, 72] and score.track.tolist() == [1, 0]
    assert score.onset.tolist() == [0, 0] and score.offset.tolist() == [1.0, 0.5]
    assert (score.hand == UNKNOWN).all()


def test_in_a_file_of_one_track_each_channel_is_a_part(tmp_path: Path) -> None:
    track = [note("note_on", 72, channel=2), note("note_on", 40, channel=5), note("note_off", 72, 480, channel=2)]
    track.append(note("note_off", 40, 480, channel=5))
    score = read_midi(save(tmp_path / "a.mid", track, kind=0))
    assert score.track_names == ("channel 3", "channel 6")
    assert score.track[score.pitch == 72] == 0 and score.track[score.pitch == 40] == 1
    # a note on channel 5 is not ended by channel 2
    assert score.offset[score.pitch == 40] == 1.0


def test_tempo_changes_of_any_track_count_for_all(tmp_path: Path) -> None:
    tempi = [mido.MetaMessage("set_tempo", tempo=500_000), mido.MetaMessage("set_tempo", tempo=1_000_000, time=480)]
    track = [note("note_on", 60, 240), note("note_off", 60, 480), note("note_on", 60, 720), note("note_off", 60, 480)]
    score = read_midi(save(tmp_path / "a.mid", tempi, track))
    np.testing.assert_allclose(score.onset, [0.25, 2.5])
    np.testing.assert_allclose(score.offset, [1.0, 3.5])


def test_pedal_of_any_track_holds_the_notes_of_all(tmp_path: Path) -> None:
    def pedal(value: int, time: int) -> mido.Message:
        return mido.Message("control_change", control=64, value=value, time=time)

    first = [note("note_on", 60), pedal(127, 240), pedal(70, 10), note("note_off", 60, 230), pedal(63, 480)]
    first += [note("note_on", 62), note("note_off", 62, 480), pedal(0, 10), pedal(64, 470)]
    second = [note("note_on", 30), note("note_off", 30, 960)]
    score = read_midi(save(tmp_path / "a.mid", first, second))
    # the last pedal, never lifted, begins after the last note's end
    np.testing.assert_allclose(score.pedal, [[0.25, 1.0]])
    ends = dict(zip(score.pitch.tolist(), score.sounding_offset().tolist(), strict=True))
    assert ends == pytest.approx({60: 1.0, 30: 1.0, 62: 1.5})


def test_the_drum_channel_is_left_out_with_its_pedal(tmp_path: Path) -> None:
    drums = [note("note_on", 36, channel=9), mido.Message("control_change", control=64, value=127, channel=9)]
    drums.append(note("note_off", 36, 480, channel=9))
    piano = [note("note_on", 60), note("note_off", 60, 480)]
    score = read_midi(save(tmp_path / "a.mid", drums, piano))
    assert score.pitch.tolist() == [60] and len(score.track_names) == 1 and len(score.pedal) == 0
    with pytest.raises(InputError, match="no notes"):
        read_midi(save(tmp_path / "b.mid", drums))


def test_overlapping_notes_of_one_pitch_end_in_the_order_of_their_starts(tmp_path: Path) -> None:
    track = [note("note_on", 60, velocity=10), note("note_on", 60, 480, velocity=20)]
    track += [note("note_off", 60, 480), note("note_on", 60, 480, velocity=0)]
    score = read_midi(save(tmp_path / "a.mid", track))
    np.testing.assert_allclose(np.stack([score.onset, score.offset]), [[0, 0.5], [1.0, 1.5]])
    np.testing.assert_allclose(score.velocity * 127, [10, 20])


def test_notes_never_ended_last_to_the_end_of_their_track(tmp_path: Path) -> None:
    track = [note("note_on", 60), note("note_on", 64, 480), mido.MetaMessage("end_of_track", time=480)]
    score = read_midi(save(tmp_path / "a.mid", track))
    np.testing.assert_allclose(score.offset, [1.0, 1.0])
    score = read_midi(save(tmp_path / "b.mid", [note("note_on", 60), note("note_off", 60)]))
    assert score.offset[0] == SHORTEST_NOTE


def test_a_stray_note_end_is_neither_a_note_nor_a_part(tmp_path: Path) -> None:
    stray = [note("note_off", 61), note("note_on", 61, velocity=0)]
    one = [note("note_on", 60), note("note_off", 60, 480)]
    score = read_midi(save(tmp_path / "a.mid", stray, one, [*one, *stray]))
    assert score.pitch.tolist() == [60, 60] and len(score.track_names) == 2


def test_track_names_in_utf_8_and_latin_1_are_understood(tmp_path: Path) -> None:
    for stored, name in (("Große Hände".encode().decode("latin-1"), "Große Hände"), ("Große", "Große")):
        track = [mido.MetaMessage("track_name", name=stored), note("note_on", 60), note("note_off", 60, 480)]
        assert read_midi(save(tmp_path / "a.mid", track, track)).track_names == (name, name)


def test_type_2_and_smpte_are_refused(tmp_path: Path) -> None:
    track = [note("note_on", 60), note("note_off", 60, 480)]
    with pytest.raises(InputError, match="type 2"):
        read_midi(save(tmp_path / "two.mid", track, kind=2))
    content = bytearray(save(tmp_path / "smpte.mid", track).read_bytes())
    content[12:14] = bytes([256 - 25, 40])  # 25 frames a second
    (tmp_path / "smpte.mid").write_bytes(content)
    with pytest.raises(InputError, match="SMPTE"):
        read_midi(tmp_path / "smpte.mid")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(0, 300),
    places=st.lists(st.tuples(st.integers(0, 299), st.integers(0, 255)), max_size=6),
)
def test_a_damaged_file_gives_notes_or_one_clear_error(tmp_path: Path, cut: int, places: list[tuple[int, int]]) -> None:
    path = tmp_path / "damaged.mid"
    track = [
        mido.MetaMessage("track_name", name="x"),
        mido.MetaMessage("key_signature", key="C"),
        mido.MetaMessage("time_signature"),
        mido.MetaMessage("set_tempo", tempo=400_000),
        mido.Message("sysex", data=(1, 2, 3)),
    ]
    for pitch in range(50, 60):
        track += [note("note_on", pitch), note("note_off", pitch, 100)]
    content = bytearray(save(path, track, track).read_bytes())
    for place, value in places:
        if place < len(content):
            content[place] = value
    path.write_bytes(content[: len(content) - cut] if cut < len(content) else b"")
    try:
        score = read_midi(path)
    except InputError as error:
        assert "damaged.mid" in str(error)
    else:
        assert len(score) and (score.offset > score.onset).all()


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Scores as MIDI can hold them: whole ticks (1/960 s), no two notes of a key at once."""
    notes = []
    for hand in ("left", "right"):
        for pitch in draw(st.lists(st.integers(0, 127), unique=True, max_size=4)):
            tick = 0
            for gap, length, velocity in draw(
                st.lists(st.tuples(st.integers(0, 3000), st.integers(10, 3000), st.integers(1, 127)), max_size=4)
            ):
                start = tick + gap
                tick = start + length
                notes.append((start / 960, tick / 960, pitch, velocity / 127, hand))
    if not notes:
        notes = [(0.0, 1.0, 60, 64 / 127, "left")]
    pedal, tick = [], 0
    for gap, length in draw(st.lists(st.tuples(st.integers(1, 2000), st.integers(1, 2000)), max_size=4)):
        pedal.append(((tick + gap) / 960, (tick + gap + length) / 960))
        tick += gap + length
    return Score.from_notes(notes, pedal)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(score=scores())
def test_what_is_written_reads_back(tmp_path: Path, score: Score) -> None:
    write_midi(score, tmp_path / "a.mid")
    again = read_midi(tmp_path / "a.mid")

    def rows(of: Score, hand: np.ndarray) -> list[tuple[float, ...]]:
        table = np.stack([of.onset, of.pitch, hand, of.offset, of.velocity * 127], axis=1)
        return sorted(tuple(row) for row in table.round(6).tolist())

    names = again.track_names
    hand = np.array([0 if names[track] == "left" else 1 for track in again.track])
    np.testing.assert_allclose(rows(again, hand), rows(score, score.hand), atol=1e-5)
    np.testing.assert_allclose(again.pedal, score.pedal, atol=1e-9)


def test_notes_whose_hand_is_unknown_have_a_track_of_their_own(tmp_path: Path) -> None:
    score = Score.from_notes([(0.0, 1.0, 60, 0.5, "left"), (0.5, 1.0, 72, 0.5, "right"), (1.0, 2.0, 74, 0.5, "right")])
    write_midi(score.with_hands(np.array([0, 1, UNKNOWN])), tmp_path / "a.mid")
    again = read_midi(tmp_path / "a.mid")
    assert again.track_names == ("right", "left", "notes")
    assert [again.track_names[track] for track in again.track] == ["left", "right", "notes"]


def test_what_midi_cannot_hold_is_refused(tmp_path: Path) -> None:
    score = Score.from_notes([(-0.5, 1.0, 60, 0.5, "left")])
    with pytest.raises(InputError, match="starts at 0"):
        write_midi(score, tmp_path / "a.mid")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="could not be written"):
        write_midi(Score.from_notes([(0, 1.0, 60, 0.5, "left")]), tmp_path / "file" / "a.mid")


def test_a_file_that_cannot_be_written_whole_is_as_it_was(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")  # as on a full disk, where there are limits to set
    path = tmp_path / "a.mid"
    write_midi(Score.from_notes([(0, 1.0, 60, 0.5, "left")]), path)
    before = path.read_bytes()
    long = Score.from_notes([(at, at + 0.5, 60, 0.5, "left") for at in range(500)])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutputError, match="could not be written"):
            write_midi(long, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
