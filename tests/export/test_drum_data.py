"""Loaders: published layouts in small, folders with broken files, and the real data sets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from terzetto.drums.beat import Beat, Meter
from terzetto.drums.midi import write_beat
from terzetto.errors import InputError
from terzetto.score.midi import write_midi
from terzetto.score.notes import Score
from terzetto_export.conv_wta.drum_sections import read_split
from terzetto_export.drum_data.bars import check_enough, in_split, read_bars
from terzetto_export.drum_data.files import midi_files, split_groups
from terzetto_export.drum_data.folder import read_folder
from terzetto_export.drum_data.groove import check_drummer, read_groove
from terzetto_export.drum_data.mma import read_mma
from terzetto_export.drum_data.piano import read_maestro, read_performances

COLUMNS = "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split\n"


def write(path: Path, *hits: tuple[float, int], bars: int = 0, meter: Meter | None = None) -> None:
    onset, note = zip(*hits, strict=True)
    beat = Beat.of(onset, note, 0.7, bars=bars)
    if meter is not None:
        beat = replace(beat, meters=(meter,), length=meter.bar)
    write_beat(path, beat)


@pytest.fixture
def groove(tmp_path: Path) -> Path:
    """Six files in Groove's layout: two beats alike in their first bar, a fill, a waltz, one missing, one broken."""
    folder = tmp_path / "groove"
    rows = [
        ("drummer1", "funk/groove1", "beat", "4-4", "drummer1/s/1.mid", "train"),
        ("drummer2", "rock", "beat", "4-4", "drummer2/s/2.mid", "validation"),
        ("drummer1", "funk", "fill", "4-4", "drummer1/s/3.mid", "train"),
        ("drummer2", "jazz", "beat", "3-4", "drummer2/s/4.mid", "test"),
        ("drummer3", "jazz", "beat", "4-4", "drummer3/s/5.mid", "test"),
        ("drummer3", "jazz", "beat", "4-4", "drummer3/s/6.mid", "test"),
    ]
    write(folder / rows[0][4], (0, 36), (1, 38), (9, 42), bars=4)  # bars: two hits, none, one hit, none
    write(folder / rows[1][4], (0, 36), (1, 38))
    write(folder / rows[2][4], (0, 43))
    write(folder / rows[3][4], (0, 51), meter=Meter(0.0, 3, 4))
    (folder / "drummer3" / "s").mkdir(parents=True)
    (folder / rows[4][4]).write_bytes(b"MThd broken")
    lines = [f"{d},{d}/s,x,{style},100,{kind},{ts},{path},,1.0,{split}\n" for d, style, kind, ts, path, split in rows]
    (folder / "info.csv").write_text(COLUMNS + "".join(lines))
    return folder


def test_a_drummer_who_is_not_there_is_refused_before_anything_is_read(groove: Path) -> None:
    told: list[str] = []
    with pytest.raises(InputError, match="no drummer 'ringo'; there are: drummer1, drummer2, drummer3"):
        read_split(groove, "ringo", told.append)
    assert not told
    check_drummer(groove, "drummer3")


def test_too_little_for_a_dictionary_is_refused_with_the_minimum(tmp_path: Path) -> None:
    for number in range(12):
        write(tmp_path / f"{number}.mid", (0, 36), (4, 38), (8, 36), (12, 38), bars=4)
    (tmp_path / "broken.mid").write_bytes(b"MThd broken")
    told: list[str] = []
    with pytest.raises(InputError, match=r"are too little; at least 64 to train on are needed, and files for each"):
        read_split(tmp_path, tell=told.append)
    assert any("broken.mid: skipped: " in line for line in told)


def test_groove_is_read_with_its_split_and_what_cannot_be_read_is_named(groove: Path) -> None:
    told: list[str] = []
    reading = read_groove(groove, told.append)
    assert [(file.style, file.drummer, file.split, file.fill) for file in reading.files] == [
        ("funk", "drummer1", "train", False),
        ("rock", "drummer2", "validation", False),
        ("funk", "drummer1", "train", True),
        ("jazz", "drummer2", "test", False),
    ]
    assert reading.unreadable == 2 and len(told) == 2
    assert told[0].startswith(f"{groove / 'drummer3/s/5.mid'}: skipped: ") and "no such MIDI file" in told[1]


def test_bars_are_counted_as_they_are_left_out(groove: Path) -> None:
    reading, told = read_groove(groove, lambda line: None), list[str]()
    bars, counts = read_bars(reading, tell=told.append)
    assert [(bar.file.path.name, bar.number) for bar in bars] == [("1.mid", 0), ("1.mid", 2), ("2.mid", 0)]
    assert (counts.files, counts.unreadable, counts.fills, counts.other_meters) == (4, 2, 1, 1)
    assert (counts.bars, counts.empty, counts.duplicates, counts.kept) == (5, 2, 0, 3)
    assert told == [
        "4 files (2 more unreadable), 1 fills left out, 1 without a 4/4 bar left out; 5 bars, 2 empty and 0 duplicates "
        "removed: 3 kept"
    ]
    for distinct in ("activations", "hits"):
        bars, counts = read_bars(reading, distinct=distinct, first_only=True, tell=told.append)
        assert [bar.file.path.name for bar in bars] == ["1.mid"] and counts.duplicates == 1 and counts.bars == 2
    bars, counts = read_bars(reading, fills=True, tell=told.append)
    assert "3.mid" in {bar.file.path.name for bar in bars} and counts.fills == 0
    assert [bar.file.path.name for bar in in_split(bars, "validation")] == ["2.mid"]
    with pytest.raises(InputError, match="distinct is activations or hits or None"):
        read_bars(reading, distinct="all")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("beat_type", "kind"), "no column beat_type; it has"),
        (lambda text: text.replace("validation", "dev"), "a split 'dev'; there are train, validation, test"),
        (lambda text: "", "no column"),
    ],
)
def test_another_table_is_refused(groove: Path, change: object, message: str) -> None:
    info = groove / "info.csv"
    info.write_text(change(info.read_text()))  # type: ignore[operator]
    with pytest.raises(InputError, match=message):
        read_groove(groove, lambda line: None)


def test_a_folder_without_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no info\.csv; give the folder of the Groove MIDI Dataset"):
        read_groove(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        read_folder(tmp_path / "none")
    with pytest.raises(InputError, match=r"no MIDI files \(\.mid, \.midi\)"):
        read_mma(tmp_path)
    with pytest.raises(InputError, match=r"no maestro-v3\.0\.0\.csv"):
        read_maestro(tmp_path)


def test_mma_styles_are_folders_and_variations_of_a_groove_stay_together(tmp_path: Path) -> None:
    for style in ("Salsa", "rock", "waltz"):
        for name in ("Main", "MainPlus", "FillAA", "Intro", "Ending"):
            write(tmp_path / "lib" / style / f"{style}{name}.mid", (0, 36))
    write(tmp_path / "zoom" / "ending" / "ENDING01.mid", (0, 36))
    files = read_mma(tmp_path, lambda line: None).files
    assert Counter(file.style for file in files) == {"salsa": 5, "rock": 5, "waltz": 5, "ending": 1}
    assert sorted(file.path.stem for file in files if not file.fill and file.style == "salsa") == [
        "SalsaMain",
        "SalsaMainPlus",
    ]
    assert all(file.fill for file in files if file.style == "ending")
    for group in {file.group for file in files}:
        assert len({file.split for file in files if file.group == group}) == 1


def test_any_folder_is_read_past_its_broken_files(tmp_path: Path) -> None:
    for number in range(20):
        write(tmp_path / "Breaks" / f"{number}.mid", (0, 36), (number / 8, 38))
    (tmp_path / "Breaks" / "broken.mid").write_text("text")
    (tmp_path / "Breaks" / "readme.txt").write_text("text")
    write_midi(Score.from_notes([(0, 1, 60, 0.5, "right")]), tmp_path / "piano.MID")
    told: list[str] = []
    reading = read_folder(tmp_path, told.append)
    assert len(reading.files) == 20 and reading.unreadable == 2
    assert {Path(line.split(": skipped: ")[0]).name for line in told} == {"broken.mid", "piano.MID"}
    assert any("no drums: no notes on channel 10" in line for line in told)
    assert {file.style for file in reading.files} == {"breaks"}
    assert Counter(file.split for file in reading.files) == {"train": 16, "validation": 2, "test": 2}
    bars, _ = read_bars(reading, distinct="hits", tell=told.append)
    with pytest.raises(InputError, match=r"11 files are too little to learn from; at least 64 from 8 files are needed"):
        check_enough(bars, str(tmp_path))
    check_enough(bars, str(tmp_path), fewest_bars=10)


def test_groups_are_parted_by_their_names_alone() -> None:
    groups = [f"group {number}" for number in range(50)]
    split = split_groups(groups)
    assert split == split_groups(reversed(groups)) and Counter(split.values()) == {
        "train": 40,
        "validation": 5,
        "test": 5,
    }
    assert set(split_groups(["one", "two"]).values()) == {"train"}


def test_maestro_is_listed_by_its_table(tmp_path: Path) -> None:
    header = "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration\n"
    rows = [
        'Franz Schubert,"Sonata, D. 664",train,2008,2008/a.midi,2008/a.wav,9.0\n',
        'Franz Schubert,"Sonata, D. 664",train,2009,2009/b.midi,2009/b.wav,9.0\n',
        "Joseph Haydn,Sonata in C,test,2009,2009/c.midi,2009/c.wav,9.0\n",
        "Joseph Haydn,Sonata in D,test,2009,2009/gone.midi,2009/gone.wav,9.0\n",
    ]
    (tmp_path / "maestro-v3.0.0.csv").write_text(header + "".join(rows))
    for name in ("2008/a", "2009/b", "2009/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_midi(Score.from_notes([(0, 1, 60, 0.5, "right"), (1, 2, 48, 0.5, "left")]), tmp_path / f"{name}.midi")
    told: list[str] = []
    found = read_maestro(tmp_path, told.append)
    assert [(each.composer, each.split) for each in found] == [
        ("Franz Schubert", "train"),
        ("Franz Schubert", "train"),
        ("Joseph Haydn", "test"),
    ]
    assert found[0].work == found[1].work != found[2].work and len(found[0].read()) == 2
    assert told == [f"{tmp_path / '2009/gone.midi'}: skipped: no such file"]
    (tmp_path / "maestro-v3.0.0.csv").write_text(header + rows[3])
    with pytest.raises(InputError, match="none of the 1 files"):
        read_maestro(tmp_path, told.append)


@pytest.mark.data
def test_the_performances_are_parted_by_work(data: Path) -> None:
    found = read_performances(data / "piano" / "performances")
    works = {split: {each.work for each in found if each.split == split} for split in ("train", "validation", "test")}
    assert len(found) > 200 and all(works.values())
    assert not works["train"] & (works["validation"] | works["test"]) and not works["validation"] & works["test"]
    assert {"Haydn", "Beethoven", "Chopin"} <= {each.composer for each in found}


@pytest.mark.data
def test_the_real_layouts_are_the_ones_that_are_read(data: Path, tmp_path: Path) -> None:
    info = (data / "drums" / "groove" / "info.csv").read_text().splitlines()
    some = info[1::60]
    for row in some:
        path = Path(row.split(",")[7])
        (tmp_path / path.parent).mkdir(parents=True, exist_ok=True)
        (tmp_path / path).symlink_to(data / "drums" / "groove" / path)
    (tmp_path / "info.csv").write_text("\n".join([info[0], *some]) + "\n")
    reading = read_groove(tmp_path)
    assert len(reading.files) == len(some) and reading.unreadable == 0
    assert {file.split for file in reading.files} == {"train", "validation", "test"}
    bars, counts = read_bars(reading, tell=lambda line: None)
    assert counts.kept > 100 and all(np.any(bar.hvo.hits) for bar in bars)
    assert len(midi_files(data / "drums" / "mma")) == 1821
    styles = read_mma(data / "drums" / "mma" / "yamaha", lambda line: None)
    assert styles.unreadable == 0 and any(file.fill for file in styles.files)
