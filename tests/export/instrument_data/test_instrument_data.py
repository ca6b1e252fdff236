from __future__ import annotations

import doctest
import json
import shutil
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from terzetto.errors import InputError, TerzettoWarning
from terzetto.evaluate.pitch_tracks import TRACKERS
from terzetto_export.instrument_data import names
from terzetto_export.instrument_data.medley_solos import read_medley_solos
from terzetto_export.instrument_data.names import INSTRUMENTS, pitch_of_name
from terzetto_export.instrument_data.nsynth import read_nsynth
from terzetto_export.instrument_data.own import read_own, warn_of_faults, with_held_out_end
from terzetto_export.instrument_data.philharmonia import read_philharmonia
from terzetto_export.instrument_data.recordings import in_split
from terzetto_export.instrument_data.sms_tools import read_sms_tools
from terzetto_export.instrument_data.sound_font_notes import Note, read_sound_font, render_notes
from terzetto_export.transcription.sound_fonts import TIM


def tone(path: Path, hertz: float = 440.0, seconds: float = 0.3, rate: int = 16_000, level: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate), rate)
    return path


def quiet(line: str) -> None:
    pass


def test_doctests() -> None:
    assert doctest.testmod(names).failed == 0


def test_philharmonia_by_name(tmp_path: Path) -> None:
    for pitch in ("A3", "As3", "B3", "C4", "Cs4", "D4"):
        for dynamic in ("forte", "piano"):
            tone(tmp_path / "french_horn" / f"french-horn_{pitch}_05_{dynamic}_normal.mp3")
    tone(tmp_path / "oboe" / "oboe_A4_1_forte_normal.mp3")
    tone(tmp_path / "stranger.mp3")
    tone(tmp_path / "oboe" / "oboe_B4_1_forte_normal.mp3", level=0.0)
    told: list[str] = []
    recordings = read_philharmonia(told.append, folder=tmp_path, sample_rate=22_050)
    assert len(recordings) == 13 and {r.instrument for r in recordings} == {"french_horn", "oboe"}
    assert sum("stranger.mp3" in line for line in told) == 1 and sum("silent" in line for line in told) == 1
    sharp = next(r for r in recordings if r.path.name == "french-horn_As3_05_forte_normal.mp3")
    assert (sharp.pitch, sharp.dynamic, sharp.sample_rate) == (58, "forte", 22_050)
    assert abs(sharp.seconds - 0.3) < 0.1
    # A pitch is in one split whatever its dynamic, and each split has some.
    splits = {r.pitch: {s.split for s in recordings if s.pitch == r.pitch} for r in recordings}
    assert all(len(each) == 1 for each in splits.values())
    assert {r.split for r in recordings if r.instrument == "french_horn"} == {"train", "validation", "test"}
    assert [r.instrument for r in read_philharmonia(quiet, folder=tmp_path, instruments=["oboe"])] == ["oboe"]


@pytest.mark.parametrize(
    ("name", "sounds"),
    [
        ("trombone_A4_1_forte_normal", 57),
        ("trombone_A4_1_piano_normal", 69),
        ("trombone_F2_1_forte_normal", 41),
        ("clarinet_Cs5_1_fortissimo_normal", 72),
        ("clarinet_C5_1_fortissimo_normal", 72),
        ("bassoon_F3_1_forte_normal", 41),
        ("flute_F5_05_piano_normal", 90),
    ],
)
def test_philharmonia_notes_are_what_sounds(tmp_path: Path, name: str, sounds: int) -> None:
    tone(tmp_path / f"{name}.mp3")
    (recording,) = read_philharmonia(quiet, folder=tmp_path, sample_rate=22_050)
    assert recording.pitch == sounds and recording.unit.endswith(f"/{sounds}")


def test_medley_solos_keep_their_splits(tmp_path: Path) -> None:
    for split in ("training", "validation", "test"):
        tone(tmp_path / f"Medley-solos-DB_{split}-5_0a8d62bd-4d37.flac")
    tone(tmp_path / "Medley-solos-DB_training-9_0a8d62bd-4d37.flac")
    told: list[str] = []
    recordings = read_medley_solos(told.append, folder=tmp_path)
    assert sorted(r.split for r in recordings) == ["test", "train", "validation"]
    assert {r.instrument for r in recordings} == {"saxophone"} and len(told) == 1
    assert read_medley_solos(quiet, folder=tmp_path, instruments=["violin"]) == []


def test_sms_tools(tmp_path: Path) -> None:
    for name in ("sax-phrase", "sax-phrase-short", "trumpet-A4"):
        tone(tmp_path / f"{name}.wav")
    phrase, short, note = read_sms_tools(quiet, folder=tmp_path)
    assert phrase.unit == short.unit and phrase.instrument == "saxophone" and phrase.pitch is None
    assert (note.instrument, note.pitch) == ("trumpet", 69)


def write_nsynth(folder: Path, split: str, families: dict[str, int]) -> None:
    notes = {}
    for family, number in families.items():
        for pitch in range(60, 60 + number):
            name = f"{family}_acoustic_001-{pitch:03}-100"
            instrument = f"{family}_acoustic_{split}"
            notes[name] = {
                "instrument_family_str": family,
                "instrument_str": instrument,
                "pitch": pitch,
                "velocity": 100,
                "qualities_str": ["bright"],
            }
            tone(folder / f"nsynth-{split}" / "audio" / f"{name}.wav", 440 * 2 ** ((pitch - 69) / 12))
    (folder / f"nsynth-{split}" / "examples.json").write_text(json.dumps(notes))


def test_nsynth_in_its_published_layout(tmp_path: Path) -> None:
    write_nsynth(tmp_path, "train", {"flute": 4, "reed": 2})
    write_nsynth(tmp_path, "valid", {"flute": 1})
    recordings = read_nsynth(tmp_path, quiet, families=["flute"], most_of_each=3, sample_rate=16_000)
    assert [r.split for r in recordings] == ["train"] * 3 + ["validation"]
    assert recordings == sorted(recordings, key=lambda r: (r.split, r.pitch))
    for recording in recordings:
        spectrum = np.abs(np.fft.rfft(recording.audio))
        found = np.argmax(spectrum) * 16_000 / len(recording.audio)
        assert recording.pitch is not None and abs(found - librosa.midi_to_hz(recording.pitch)) < 4
    assert len(read_nsynth(tmp_path / "nsynth-train", quiet)) == 6
    assert {r.unit for r in recordings} == {"nsynth/flute_acoustic_train", "nsynth/flute_acoustic_valid"}


def test_damaged_nsynth_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nsynth-train"):
        read_nsynth(tmp_path, quiet)
    write_nsynth(tmp_path, "train", {"flute": 1})
    with pytest.raises(InputError, match="no family 'flut'"):
        read_nsynth(tmp_path, quiet, families=["flut"])
    (tmp_path / "nsynth-train" / "examples.json").write_text('{"a": {"pitch": 3}}')
    with pytest.raises(InputError, match="lacks 'instrument_family_str'"):
        read_nsynth(tmp_path, quiet)
    (tmp_path / "nsynth-train" / "examples.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        read_nsynth(tmp_path, quiet)


def test_own_files_and_folders(tmp_path: Path) -> None:
    tone(tmp_path / "my_sax.wav", seconds=2.0)
    tone(tmp_path / "band" / "Horn" / "take_A3_1.WAV")
    tone(tmp_path / "band" / "loose.flac")
    tone(tmp_path / "band" / ".hidden.wav")
    (tmp_path / "band" / "broken.wav").write_bytes(b"no sound")
    told: list[str] = []
    recordings = read_own([tmp_path / "my_sax.wav", tmp_path / "band"], told.append)
    assert [(r.instrument, r.pitch) for r in recordings] == [("my_sax", None), ("Horn", 57), ("band", None)]
    assert len(told) == 1 and "broken.wav" in told[0]
    first, last = with_held_out_end(recordings[:1])
    assert (first.split, last.split) == ("train", "validation")
    assert abs(first.seconds - 1.8) < 1e-3 and abs(last.seconds - 0.2) < 1e-3
    assert in_split([first, last], "validation") == [last]


def test_what_is_wrong_with_own_files_is_told(tmp_path: Path) -> None:
    time = np.arange(2 * 48000) / 48000
    clipped = np.clip(1.5 * np.sin(2 * np.pi * 220 * time), -1, 1)
    soundfile.write(tmp_path / "loud.wav", clipped, 48000, "FLOAT")
    chord = sum(np.sin(2 * np.pi * f * n * time) / n for f in (220.0, 277.2, 329.6) for n in range(1, 9))
    soundfile.write(tmp_path / "chord.wav", 0.1 * chord, 48000, "FLOAT")
    recordings = read_own([tmp_path / "loud.wav", tmp_path / "chord.wav"], quiet, sample_rate=44100)
    with pytest.warns(TerzettoWarning) as caught:
        warn_of_faults(recordings)
    told = [str(warning.message) for warning in caught]
    assert [text.split(":")[0] for text in told if "resampled from 48000 Hz to the model's 44100 Hz" in text] == [
        "loud.wav",
        "chord.wav",
    ]
    assert any(text.startswith("4 s of sound to learn from; 30 to 120 s are meant") for text in told)
    assert any(text.startswith("loud.wav: clips") for text in told)
    assert any(text.startswith("chord.wav: more than one note at a time") for text in told)
    assert len(told) == 5


def test_own_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        read_own([tmp_path / "none.wav"], quiet)
    with pytest.raises(InputError, match="nothing that can be used"):
        read_own([tone(tmp_path / "silent.wav", level=0.0)], quiet)


def font_is_there() -> bool:
    try:
        TIM.find()
    except InputError:
        return False
    return shutil.which("fluidsynth") is not None


@pytest.mark.skipif(not font_is_there(), reason="no fluidsynth or no TimGM6mb.sf2")
def test_sound_font_notes_have_their_pitch_and_bend() -> None:
    rising = Note(0.1, 1.0, 60, bend=((0.0, 0.0), (0.5, 400.0)))
    audio = render_notes([rising, Note(1.6, 0.5, 62)], TIM.find(), 73, sample_rate=16_000)
    for start, pitch in ((0.25, 60), (0.75, 64), (1.75, 62)):
        piece = audio[round(start * 16_000) : round((start + 0.25) * 16_000)]
        f0 = librosa.yin(piece, fmin=150, fmax=600, sr=16_000)
        assert abs(12 * np.log2(np.median(f0) / librosa.midi_to_hz(pitch))) < 0.5
    notes = read_sound_font(TIM, {"flute": 73}, {"flute": (60, 72)}, velocities=(60, 110), sample_rate=16_000)
    assert [(n.pitch, n.dynamic) for n in notes] == [(60, "60"), (60, "110"), (72, "60"), (72, "110")]
    assert np.abs(notes[1].audio).max() > np.abs(notes[0].audio).max()


@pytest.mark.data
def test_the_data_set_has_its_instruments(data: Path) -> None:
    notes = read_philharmonia(quiet, folder=data / "instruments" / "philharmonia", instruments=["oboe"])
    assert len(notes) == 200 and {note.split for note in notes} == {"train", "validation", "test"}
    assert all(note.instrument in INSTRUMENTS for note in notes) and pitch_of_name("As4") == 70


@pytest.mark.data
def test_what_sounds_is_what_a_tracker_hears(data: Path) -> None:
    folder = data / "instruments" / "philharmonia"
    names = ("trombone_A4_1_forte_normal", "trombone_C5_1_fortissimo_normal", "trombone_A4_1_piano_normal")
    found: set[str] = set()
    names += ("clarinet_Cs5_1_fortissimo_normal", "bassoon_F3_1_forte_normal", "cello_F3_1_mezzo-piano_arco-normal")
    for instrument in sorted({name.split("_")[0] for name in names}):
        notes = read_philharmonia(quiet, folder=folder / instrument, sample_rate=22_050)
        for note in notes:
            if note.path.stem in names:
                assert note.pitch is not None
                heard = TRACKERS["Praat"](note.audio, note.sample_rate).cents
                assert abs(np.nanmedian(heard) / 100.0 - note.pitch) < 0.5, note.path
                found.add(note.path.stem)
    assert len(found) >= 5
