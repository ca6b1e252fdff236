"""Drum beats in MIDI files: real ones, odd ones, broken ones."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terzetto.drums.beat import Beat, Meter, Tempo
from terzetto.drums.grid import ActivationMatrix, Hvo, hvo_to_beat
from terzetto.drums.midi import read_beat, to_midi, write_beat
from terzetto.errors import InputError, OutputError, TerzettoWarning

Message = mido.Message | mido.MetaMessage


def note(time: int, number: int = 36, channel: int = 9, velocity: int = 100) -> Message:
    return mido.Message("note_on", time=time, note=number, channel=channel, velocity=velocity)


def meter(time: int, numerator: int, denominator: int) -> Message:
    return mido.MetaMessage("time_signature", time=time, numerator=numerator, denominator=denominator)


def tempo(time: int, bpm: float) -> Message:
    return mido.MetaMessage("set_tempo", time=time, tempo=mido.bpm2tempo(bpm))


def end(time: int) -> Message:
    return mido.MetaMessage("end_of_track", time=time)


def save(path: Path, *tracks: Sequence[Message], kind: int = 1, ticks: int = 480) -> Path:
    midi = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    midi.tracks += [mido.MidiTrack(track) for track in tracks]
    midi.save(path)
    return path


def assert_same(one: Beat, other: Beat) -> None:
    for name in ("onset", "note", "velocity"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.tempi, one.meters, one.length) == (other.tempi, other.meters, other.length)


hits = st.lists(st.tuples(st.integers(0, 15_000), st.integers(0, 127), st.integers(1, 127)), min_size=1, max_size=40)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(hits, st.integers(1, 4), st.integers(4_000, 2_000_000))
def test_a_written_beat_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, hits: list[tuple[int, int, int]], bars: int, microseconds: int
) -> None:
    ticks, notes, velocities = np.array(hits).T
    beat = Beat.of(ticks / 960, notes, velocities / 127, tempo=60e6 / microseconds, bars=max(bars, 4))
    path = tmp_path_factory.mktemp("beat") / "beat.mid"
    write_beat(path, beat)
    assert_same(read_beat(path), beat)


def test_velocity_and_timing_of_a_grid_survive_the_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    bars = [
        Hvo(random.random(Hvo.SHAPE) < 0.3, random.uniform(0.05, 1, Hvo.SHAPE), random.uniform(-0.45, 0.45, Hvo.SHAPE))
        for _ in range(4)
    ]
    write_beat(tmp_path / "beat.mid", hvo_to_beat(bars, tempo=93.0))
    back = read_beat(tmp_path / "beat.mid")
    assert back.tempo == pytest.approx(93.0, abs=1e-3)
    for number, (before, after) in enumerate(zip(bars, Hvo.bars_of(back), strict=True)):
        np.testing.assert_array_equal(after.hits, before.hits)
        np.testing.assert_allclose(after.velocities, before.velocities, atol=0.5 / 127 + 1e-6)
        late = slice(1 if number == 0 else 0, None)  # nothing sounds before a file begins
        np.testing.assert_allclose(after.offsets[:, late], before.offsets[:, late], atol=0.5 / 240 + 1e-6)


def test_a_file_loops_on_its_bars_and_every_note_ends(tmp_path: Path) -> None:
    midi = to_midi(Beat.of([0.0, 0.0, 0.1, 3.99], [36, 36, 36, 38], [1.0, 0.5, 1.0, 1.0], bars=2))
    (track,) = midi.tracks
    assert sum(message.time for message in track) == 2 * 4 * 960
    sounding: dict[int, int] = {}
    for message in track:
        if message.type == "note_on":
            sounding[message.note] = sounding.get(message.note, 0) + 1
        elif message.type == "note_off":
            sounding[message.note] -= 1
            assert sounding[message.note] >= 0
    assert set(sounding.values()) == {0}


def test_drums_of_all_tracks_are_read_and_other_instruments_left_out_with_a_word(tmp_path: Path) -> None:
    path = save(
        tmp_path / "song.mid",
        [tempo(0, 100.0)],
        [note(0, 60, 0), note(480, 62, 0), note(0, 64, 1)],
        [note(0), note(960, 38)],
        [note(480, 42), note(480, 42, velocity=0)],
    )
    with pytest.warns(TerzettoWarning, match=r"song\.mid: 3 notes on other channels than 10 were left out"):
        beat = read_beat(path)
    np.testing.assert_array_equal(beat.onset, [0, 1, 2])
    np.testing.assert_array_equal(beat.note, [36, 42, 38])
    assert beat.tempo == pytest.approx(100.0) and beat.length == 4.0


def test_drums_on_another_channel_are_found_when_it_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "loop.mid", [note(0, channel=0), note(480, 38, channel=1)])
    with pytest.raises(InputError, match=r"no drums: no notes on channel 10, but 1 on channel 1, 1 on channel 2"):
        read_beat(path)
    with pytest.warns(TerzettoWarning, match="1 notes on other channels than 1 "):
        assert list(read_beat(path, channel=1).note) == [36]
    assert list(read_beat(path, channel="all").note) == [36, 38]
    with pytest.raises(InputError, match="17 is no MIDI channel; give 1 to 16"):
        read_beat(path, channel=17)


def test_tempo_changes_leave_the_grid_alone_and_are_kept(tmp_path: Path) -> None:
    steady = save(tmp_path / "steady.mid", [note(0), note(960, 38), note(960), end(0)], kind=0)
    moving = save(
        tmp_path / "moving.mid",
        [tempo(0, 80.0), note(0), tempo(480, 160.0), note(480, 38), tempo(0, 160.0), note(960), end(0)],
        kind=0,
    )
    beat = read_beat(moving)
    assert [change.quarter for change in beat.tempi] == [0.0, 1.0]
    assert [change.bpm for change in beat.tempi] == pytest.approx([80.0, 160.0])
    assert Hvo.bars_of(beat) == Hvo.bars_of(read_beat(steady))
    write_beat(tmp_path / "again.mid", beat)
    assert_same(read_beat(tmp_path / "again.mid"), beat)
    assert beat.at_tempo(90.0).tempi == (Tempo(0.0, 90.0),)


def test_time_signatures_and_their_changes_are_kept(tmp_path: Path) -> None:
    path = save(
        tmp_path / "meters.mid",
        [meter(0, 3, 4), note(0), meter(1440, 3, 4), note(0, 38), meter(1440, 4, 4), note(0), note(1900), end(30)],
    )
    beat = read_beat(path)
    assert beat.meters == (Meter(0.0, 3, 4), Meter(6.0, 4, 4))
    assert beat.bars() == [(0.0, 3.0), (3.0, 3.0), (6.0, 4.0), (10.0, 4.0)]
    assert len(Hvo.bars_of(beat, skip_other_meters=True)) == 2
    write_beat(tmp_path / "again.mid", beat)
    assert_same(read_beat(tmp_path / "again.mid"), beat)
    six = read_beat(save(tmp_path / "six.mid", [meter(0, 6, 8), note(0), note(1440)]))
    assert str(six.meters[0]) == "6/8" and six.bars() == [(0.0, 3.0), (3.0, 3.0)]


@pytest.mark.parametrize(
    ("messages", "bars"),
    [
        ([note(0), end(0)], 1),
        ([note(0), note(1900), end(20)], 1),  # ends on the bar line: that hit is late, not early
        ([note(0), note(1900), end(100)], 2),  # just ahead of the second bar
        ([note(0), note(1000), end(1100)], 1),
        ([note(0), end(4 * 1920)], 4),  # silence that the file counts
        ([note(0), end(1920 + 700)], 1),
        ([note(0), end(1920 + 1300)], 2),
    ],
)
def test_how_many_bars_a_file_has(tmp_path: Path, messages: list[Message], bars: int) -> None:
    beat = read_beat(save(tmp_path / "file.mid", messages))
    assert beat.length == 4 * bars and len(Hvo.bars_of(beat)) == len(ActivationMatrix.bars_of(beat)) == bars


def test_broken_and_foreign_files_are_refused_with_the_reason(tmp_path: Path) -> None:
    good = save(tmp_path / "good.mid", [note(0), note(480), end(0)])
    content = good.read_bytes()

    def refuse(name: str, data: bytes | None, message: str) -> None:
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(InputError, match=message) as caught:
            read_beat(path)
        assert str(caught.value).startswith(f"{path}: ")

    refuse("none.mid", None, "no such MIDI file")
    refuse("text.mid", b"this is text " * 10, "not a readable MIDI file")
    refuse("empty.mid", b"", "MIDI file")
    refuse("cut.mid", content[:-9], "damaged or cut short")
    refuse("smpte.mid", content[:12] + b"\xe7\x28" + content[14:], "SMPTE time division is not supported")
    refuse("type2.mid", content[:9] + b"\x02" + content[10:], "type 2")
    save(tmp_path / "piano.mid", [note(0, 60, 0), note(480, 64, 0)])
    refuse("piano.mid", None, "no drums: no notes on channel 10, but 2 on channel 1; if these are the drums")
    save(tmp_path / "silent.mid", [tempo(0, 100.0)])
    refuse("silent.mid", None, "no drums: the MIDI file has no notes")
    save(tmp_path / "long.mid", [note(0), *[note(0x0FFFFFFF)] * 2], ticks=1)
    refuse("long.mid", None, "at most 10000 bars are read")
    (tmp_path / "folder.mid").mkdir()
    refuse("folder.mid", None, "not a readable MIDI file")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    beat = Beat.of([0.0], [36], 1.0)
    target = tmp_path / "new" / "folder" / "beat.mid"
    write_beat(target, beat)
    before = target.read_bytes()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="could not be written"):
        write_beat(tmp_path / "file" / "beat.mid", beat)
    with pytest.raises(OutputError, match="it is a folder"):
        write_beat(tmp_path / "new", beat)
    assert target.read_bytes() == before and [path.name for path in target.parent.iterdir()] == ["beat.mid"]


@pytest.mark.data
def test_real_files_come_back_from_both_forms_and_from_disk(data: Path, tmp_path: Path) -> None:
    groove = sorted((data / "drums" / "groove").rglob("*_4-4.mid"))[::90]
    mma = sorted((data / "drums" / "mma" / "stdlib").rglob("*.mid"))[::90]
    assert len(groove) > 9 and len(mma) > 9
    on_grid = 0
    for path in groove + mma:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            beat = read_beat(path)
        write_beat(tmp_path / "copy.mid", beat)
        assert_same(read_beat(tmp_path / "copy.mid"), beat)
        if beat.meters[0].bar != 4.0:
            with pytest.raises(InputError, match="the grid holds bars of 4 quarter notes"):
                Hvo.bars_of(beat)
            continue
        on_grid += 1
        bars = Hvo.bars_of(beat)
        # Of each drum and step the loudest hit stays; nothing else is lost.
        cells = {
            (drum, int(np.floor(4 * at + 0.5))) for drum, at in zip(beat.drum, beat.onset, strict=True) if drum >= 0
        }
        assert sum(int(bar.hits.sum()) for bar in bars) == len(cells)
        write_beat(tmp_path / "grid.mid", hvo_to_beat(bars, tempo=beat.tempo))
        again = Hvo.bars_of(read_beat(tmp_path / "grid.mid"))
        for before, after in zip(bars, again, strict=True):
            np.testing.assert_array_equal(after.hits, before.hits)
            np.testing.assert_allclose(after.velocities, before.velocities, atol=1e-6)
    assert on_grid > 15
