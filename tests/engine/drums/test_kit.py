from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import SOUNDS, VOICE_OF_SOUND, Kit, Voice, sound_of_note, sounds_of_voice
from terzetto.drums.kit_file import kit_of_table, kit_table, kit_text, read_kit, shipped_kit, write_kit
from terzetto.drums.sound_sources import Morph, OneShot, Point, Sample, Source
from terzetto.drums.table_places import Place, line_of
from terzetto.errors import InputError, OutputError

SOURCES: list[Source] = [
    Point(pad=(0.25, 1.0)), Point(latent=(0.5, -1e-9, 3.0), sound_class="tom", model="mine"),
    Point(seed=7, spread=0.25),
    Morph(OneShot("kick"), Point(seed=1), 0.25, "mix"),
    Morph(Morph(OneShot("kick"), Point(seed=1)), Point(pad=(0.0, 0.0)), 1.0, "latent", "tom"),
]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "hits").mkdir()
    soundfile.write(tmp_path / "hits" / "a.wav", np.ones(100), 44100)
    return tmp_path


def test_eleven_sounds_are_eight_voices() -> None:
    named = {note: SOUNDS[sound_of_note(note)] for note in (36, 38, 39, 42, 43, 46, 49, 51, 56)}
    assert named == {36: "kick", 38: "snare", 39: "clap", 42: "closed hat", 43: "low tom", 46: "open hat",
                     49: "crash", 51: "ride", 56: "other"}  # fmt: skip
    assert [SOUNDS[index] for index in sounds_of_voice("tom")] == ["low tom", "mid tom", "high tom"]
    assert {CLASSES[voice] for voice in VOICE_OF_SOUND} == set(CLASSES)


def test_the_shipped_kit_plays_one_shots_and_its_hats_cut_each_other_off() -> None:
    kit = shipped_kit()
    assert list(kit.voices) == list(CLASSES)
    assert all(voice.source == OneShot(name) for name, voice in kit.voices.items())
    assert [name for name, voice in kit.voices.items() if voice.choke == "hat"] == ["open hat", "closed hat"]


def test_a_kit_is_read_as_it_was_written(place: Path) -> None:
    kit = shipped_kit()
    sources = [*SOURCES, Sample(place / "hits" / "a.wav"), Point(encoded=place / "hits" / "a.wav"), OneShot("clap")]
    for name, source in zip(CLASSES, sources, strict=True):
        kit = kit.with_voice(name, source=source, pan=-0.5, decay=0.25)
    kit = Kit(kit.voices, kit.drums, -3.0, 'a "kit" \\ with\x7fsigns é')
    write_kit(place / "kit.toml", kit)
    assert read_kit(place / "kit.toml") == kit == read_kit(place)
    assert '"hits/a.wav"' in (place / "kit.toml").read_text(), "the folder may be moved"
    assert pickle.loads(pickle.dumps(kit)) == kit
    table = json.loads(json.dumps(kit_table(kit)))
    assert kit_of_table(table, Path("/elsewhere"), Place("the state")) == kit


def test_a_model_s_file_is_told_from_the_kit_s_folder(place: Path) -> None:
    model = place / "models" / "mine.onnx"
    kit = shipped_kit().with_voice("snare", source=Point(seed=7, model=str(model)))
    write_kit(place / "kit.toml", kit)
    assert 'model = "models/mine.onnx"' in (place / "kit.toml").read_text()
    assert read_kit(place) == kit


def test_what_a_kit_does_not_name_is_as_shipped(place: Path) -> None:
    (place / "kit.toml").write_text('[voice."closed hat"]\nsource = { sample = "hits/a.wav" }\n[drum.ride]\ntune = -1')
    kit, shipped = read_kit(place), shipped_kit()
    assert kit.voices["closed hat"] == replace(shipped.voices["closed hat"], source=Sample(place / "hits" / "a.wav"))
    assert kit.drums["ride"].tune == -1.0 and kit.drums["ride"].gain_db == shipped.drums["ride"].gain_db
    assert kit.voices["kick"] == shipped.voices["kick"] and kit.gain_db == shipped.gain_db


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("voice = 3", 1, "voice: give a table"),
        ("name = 'x'\n\n[voice.cowbell]\npan = 0", 3, "there is no 'cowbell' here; valid: snare, kick"),
        ("[voice.kick]\ngain_db = 3.0\npan = 3", 3, "voice kick pan: pan 3: give -1 to 1 (left to right)"),
        ("[voice.kick]\ntune = 'low'", 2, "tune 'low': give -36 to 36 semitones"),
        ("[voice.kick]\ndecay = nan", 2, "decay nan: give 0.01 to 60 seconds"),
        ("[voice.kick]\nloud = 1", 2, "there is no 'loud' here; valid: source, gain_db, pan"),
        ('[voice."open hat"]\nchoke = 1', 2, "give a text in quotes; given 1"),
        ("[voice.snare]\nsource = 'a.wav'", 2, "give a table; given 'a.wav'"),
        ("[voice.snare]\nsource = { }", 2, "a source has one of one_shot, sample, pad, latent, seed, encoded, morph"),
        ("[voice.snare]\nsource = { seed = 1, pad = [0, 1] }", 2, "given pad and seed"),
        ("[voice.snare]\nsource = { one_shot = 'gong' }", 2, "one_shot 'gong': give one of snare, kick"),
        ("[voice.snare]\nsource = { pad = [0.5] }", 2, "pad [0.5]: give two numbers from 0 to 1"),
        ("[voice.snare]\nsource = { pad = [0.5, 1.5] }", 2, "give two numbers from 0 to 1, across and up"),
        ("[voice.snare]\nsource = { seed = -1 }", 2, "seed -1: give a whole number from 0"),
        ("[voice.snare]\nsource = { seed = 1.5 }", 2, "give a whole number; given 1.5"),
        ("[voice.snare]\nsource = { seed = 1, clas = 'kick' }", 2, "no 'clas' here; valid: seed, class, model"),
        ("[voice.snare]\nsource = { seed = 1, spread = 1.5 }", 2, "spread 1.5: give 0 (the most typical"),
        ("[voice.snare]\nsource = { pad = [0, 1], spread = 0.5 }", 2, "no 'spread' here; valid: pad, class, model"),
        ("[voice.snare]\nsource = { seed = 1, class = 'gong' }", 2, "class 'gong': give one of"),
        ("[voice.snare]\nsource = { morph = [{ seed = 1 }] }", 2, "a morph has two sources; given 1"),
        ("[voice.snare]\nsource = { morph = [{ seed = 1 }, { seed = 2 }], amount = 2 }", 2, "amount 2: give 0"),
        ("[voice.snare]\nsource = { morph = [{ seed = 1 }, { seed = 2 }], by = 'x' }", 2, "one of latent, mix"),
        ("[voice.snare]\nsource = { sample = 'no.wav' }", 2, "no.wav: no such file"),
        ("[drum.kick]\ntune = 1", 1, "there is no 'kick' here; valid: low tom"),
        ("[drum.ride]\ntune = 99", 2, "tune 99: give -36"),
        ("gain_db = -99", 1, "gain_db: gain_db -99: give -60 to 24 dB"),
        ("[voice.kick", None, "the kit is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_kit_is_said_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    (tmp_path / "kit.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_kit(tmp_path / "kit.toml")
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'kit.toml'}{f', line {line}: ' if line else ': '}")


def test_a_kit_that_is_not_there_or_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(No such file.*terzetto drums kit -o FILE"):
        read_kit(tmp_path / "none.toml")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="could not be written"):
        write_kit(tmp_path / "file" / "kit.toml", shipped_kit())
    with pytest.raises(InputError, match="there is no voice 'gong'"):
        shipped_kit().with_voice("gong", pan=0.0)
    with pytest.raises(InputError, match="other missing"):
        Kit({name: Voice(OneShot(name)) for name in CLASSES[:-1]})
    with pytest.raises(InputError, match="a point is told by one of"):
        Point()


def test_a_key_is_found_in_toml_however_it_is_written() -> None:
    text = kit_text(shipped_kit())
    numbered = text.splitlines()
    line = line_of(text, ["voice", "open hat", "choke"])
    assert line and numbered[line - 1] == 'choke = "hat"' and '[voice."open hat"]' in numbered[line - 6 : line]
    odd = "voice.kick.pan = 1\n[voice]\n'open hat' . tune = 2\n# [drum.ride]\ntom = { pan = 1 }"
    assert line_of(odd, ["voice", "kick", "pan"]) == 1
    assert line_of(odd, ["voice", "open hat", "tune"]) == 3
    assert line_of(odd, ["voice", "tom", "pan"]) == 5
    assert line_of(odd, ["drum", "ride"]) is None
