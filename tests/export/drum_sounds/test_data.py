from __future__ import annotations

import csv
import doctest
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from terzetto.drums.drum_map import CLASSES, NONE
from terzetto.errors import InputError
from terzetto_export.drum_data.files import SPLITS
from terzetto_export.drum_sounds import data as data_module
from terzetto_export.drum_sounds.data import read_collection, read_data, read_folder
from terzetto_export.drum_sounds.one_shots import SAMPLE_RATE, OneShot, read_one_shot

FOLDERS = {"Kicks": "kick", "Open Hats": "open hat", "SD": "snare", "Perc": "other"}


def quiet(line: str) -> None:
    pass


def burst(seconds: float = 0.2, rate: int = SAMPLE_RATE, seed: int = 0) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return 0.5 * np.exp(-30 * time) * (np.sin(2 * np.pi * 1000 * time) + 0.1 * noise)


def write_pack(folder: Path, number: int = 5, kits: tuple[str, ...] = ("A", "B", "C", "D")) -> None:
    for kit in kits:
        for name in FOLDERS:
            for i in range(number):
                path = folder / kit / name / f"{i}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, burst(seed=i), SAMPLE_RATE)


@pytest.mark.parametrize(("rate", "channels", "ending"), [(22_050, 1, "wav"), (96_000, 2, "flac"), (44_100, 2, "aiff")])
def test_any_rate_and_channels_become_mono_at_44100(tmp_path: Path, rate: int, channels: int, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, np.stack([burst(rate=rate)] * channels, axis=1), rate)
    audio = read_one_shot(path)
    assert audio.dtype == np.float32 and abs(len(audio) - 0.2 * SAMPLE_RATE) <= 1
    spectrum = np.abs(np.fft.rfft(audio))
    assert abs(np.argmax(spectrum) * SAMPLE_RATE / len(audio) - 1000) < 10


def test_what_is_no_one_shot_is_named_and_skipped(tmp_path: Path) -> None:
    write_pack(tmp_path)
    bad = {
        "silent.wav": np.zeros(4410),
        "short.wav": burst(0.003),
        "long.wav": burst(7.0),
        "cancelled.wav": np.stack([burst(), -burst()], axis=1),
        "many.wav": np.stack([burst()] * 3, axis=1),
    }
    for name, audio in bad.items():
        soundfile.write(tmp_path / "A" / "Kicks" / name, audio, SAMPLE_RATE)
    (tmp_path / "A" / "Kicks" / "broken.wav").write_bytes(b"RIFF and no more")
    (tmp_path / "A" / "Kicks" / "._0.wav").write_bytes(b"what macOS leaves")
    nan = tmp_path / "A" / "Kicks" / "nan.wav"
    soundfile.write(nan, np.full(4410, np.nan, np.float32), SAMPLE_RATE, subtype="FLOAT")
    told: list[str] = []
    assert len(read_folder(tmp_path, told.append)) == 80
    assert len(told) == len(bad) + 2
    for name in (*bad, "broken.wav", "nan.wav"):
        assert sum(f"{name}: skipped" in line for line in told) == 1, name


def test_a_folder_s_classes_and_kits(tmp_path: Path) -> None:
    write_pack(tmp_path)
    (tmp_path / "Loose").mkdir()
    for name in ("My Clap.wav", "x1.wav"):
        soundfile.write(tmp_path / "Loose" / name, burst(), SAMPLE_RATE)
    sounds = read_folder(tmp_path, quiet)
    for sound in sounds:
        kit, folder = sound.path.relative_to(tmp_path).parts[:2]
        if kit == "Loose":
            assert sound.sound_class == (CLASSES.index("clap") if "Clap" in folder else NONE)
        else:
            assert CLASSES[sound.sound_class] == FOLDERS[folder]
        assert sound.kit == f"{tmp_path.name}/{kit}"


def test_kits_stay_whole_and_every_class_is_in_every_split(tmp_path: Path) -> None:
    write_pack(tmp_path, kits=("A", "B", "C", "D", "E", "F"))
    told: list[str] = []
    sounds = read_data([tmp_path], told.append)
    split_of_kit = {(sound.kit, sound.split) for sound in sounds}
    assert len(split_of_kit) == 6
    for split in SPLITS:
        assert {CLASSES[s.sound_class] for s in sounds if s.split == split} == set(FOLDERS.values())
        assert any(line.startswith(f"{split}: ") for line in told)
    again = read_data([tmp_path], quiet)
    assert [s.split for s in again] == [s.split for s in sounds]
    assert any([s.split for s in read_data([tmp_path], quiet, seed=n)] != [s.split for s in sounds] for n in (1, 2, 3))


def test_one_kit_alone_is_split_by_sound_and_that_is_told(tmp_path: Path) -> None:
    write_pack(tmp_path, number=12, kits=("A",))
    told: list[str] = []
    sounds = read_data([tmp_path], told.append)
    assert any("split by sound" in line for line in told)
    number = Counter((s.sound_class, s.split) for s in sounds)
    assert len(number) == 3 * len(FOLDERS) and min(number.values()) >= 1
    assert len({s.kit for s in sounds}) == len(sounds)


def test_sounds_that_nothing_names_are_sorted_or_left_out(tmp_path: Path) -> None:
    write_pack(tmp_path)
    for i in range(3):
        soundfile.write(tmp_path / "A" / f"{i}.wav", burst(seed=i), SAMPLE_RATE)
    told: list[str] = []
    assert len(read_data([tmp_path], told.append)) == 80
    assert any(line.startswith("3 sounds are left out") for line in told)
    tom = CLASSES.index("tom")
    sounds = read_data([tmp_path], told.append, classify=lambda audio: tom)
    assert sum(sound.sound_class == tom for sound in sounds) == 3
    assert any("3 sounds were sorted by ear: tom 3" in line for line in told)


def test_a_class_that_is_heard_in_one_or_two_sounds_is_left_out(tmp_path: Path) -> None:
    write_pack(tmp_path)
    for i in range(4):
        soundfile.write(tmp_path / "A" / f"x{i}.wav", burst(seed=i) if i < 2 else 0.5 * burst(seed=i), SAMPLE_RATE)
    told: list[str] = []
    tom, kick = CLASSES.index("tom"), CLASSES.index("kick")
    sounds = read_data([tmp_path], told.append, classify=lambda audio: tom if np.abs(audio).max() > 0.4 else kick)
    number = Counter(sound.sound_class for sound in sounds)
    assert number[tom] == 0 and number[kick] == 22, "what somebody named stays, however few are heard of it"
    left = [line for line in told if "left out: heard as tom, of which there are too few (2)" in line]
    assert sorted(Path(line.split(":")[0]).name for line in left) == ["x0.wav", "x1.wav"]


def test_too_little_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_data([tmp_path / "none"], quiet)
    with pytest.raises(InputError, match="no audio files"):
        read_data([tmp_path], quiet)
    write_pack(tmp_path, number=1)
    with pytest.raises(InputError, match="16 usable one-shots; at least 40"):
        read_data([tmp_path], quiet)
    write_pack(tmp_path)
    (tmp_path / "A" / "Toms").mkdir()
    soundfile.write(tmp_path / "A" / "Toms" / "1.wav", burst(), SAMPLE_RATE)
    with pytest.raises(InputError, match="only 1 of the class 'tom'"):
        read_data([tmp_path], quiet)


def test_an_index_is_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_collection("licensed", quiet, tmp_path)
    with pytest.raises(InputError, match="no tier 'free'"):
        read_collection("free", quiet, tmp_path)
    (tmp_path / "index.csv").write_text("path,class\na.wav,kick\n")
    with pytest.raises(InputError, match="no column 'tier'"):
        read_collection("licensed", quiet, tmp_path)
    (tmp_path / "index.csv").write_text("path,class,tier,source,source_path\na.wav,gong,licensed,x,a.wav\n")
    with pytest.raises(InputError, match="no class 'gong'"):
        read_collection("licensed", quiet, tmp_path)


def test_examples_in_the_documentation() -> None:
    assert doctest.testmod(data_module).failed == 0


@pytest.mark.data
def test_the_collection(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERZETTO_DATA", str(data))
    sounds: list[OneShot] = read_data(None, quiet)
    with (data / "drums" / "one_shots" / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["tier"] == "licensed"]
    assert len(sounds) == len(rows) == 900
    for split in SPLITS:
        assert {s.sound_class for s in sounds if s.split == split} == set(range(len(CLASSES)))
    assert len({(s.kit, s.split) for s in sounds}) == len({s.kit for s in sounds}) == 21
    assert len({s.kit for s in sounds if s.split == "test"}) >= 5
