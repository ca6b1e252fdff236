"""``terzetto drums render``, ``generate --render`` and ``kit``: what a user types, and what lies there afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from terzetto.cli import main
from terzetto.drums.beat import Beat
from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit_changes import kit_beat, morphed
from terzetto.drums.kit_file import read_kit, shipped_kit
from terzetto.drums.midi import read_beat, write_beat
from terzetto.drums.render_job import RenderJob, RenderSettings
from terzetto.drums.rendering import render_beat
from terzetto.drums.sound_sources import Morph, OneShot, Point, Sample
from terzetto.errors import InputError
from terzetto.jobs import Item
from terzetto.models import find_model

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A beat, a sample in stereo at a rate of its own, one that is silent, and a kit that plays the first."""
    monkeypatch.chdir(tmp_path)
    hits = [(0.0, 36), (1.0, 38), (2.0, 36), (3.0, 38), (0.5, 42), (1.5, 46), (1.75, 42), (3.5, 49)]
    onset, note = zip(*hits, strict=True)
    write_beat(tmp_path / "beat.mid", Beat.of(onset, note, 0.8, tempo=96.0))
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (3200, 2)) * np.linspace(1, 0, 3200)[:, None]
    soundfile.write(tmp_path / "hit.wav", noise, 32000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(100), 32000)
    (tmp_path / "mine.toml").write_text('name = "mine"\n[voice.snare]\nsource = { sample = "hit.wav" }\n')
    return tmp_path


def result_of(capture: Capture, *command: str) -> dict[str, Any]:
    assert main(["drums", *command, "--json"]) == 0
    captured = capture.readouterr()
    assert captured.err == ""
    return dict(json.loads(captured.out))


def refusal(capture: Capture, *command: str) -> str:
    assert main(["drums", *command]) == 2
    captured = capture.readouterr()
    assert captured.out == ""
    return captured.err


def test_a_beat_is_rendered_with_its_stems(folder: Path, capsys: Capture) -> None:
    command = ("render", "beat.mid", "--kit", "mine.toml", "--stems", "--sample-rate", "48000", "-o", "out/funk.wav")
    (result,) = result_of(capsys, *command)["done"]
    mix, rate = soundfile.read("out/funk.wav", dtype="float32")
    assert rate == 48000 and soundfile.info("out/funk.wav").subtype == "FLOAT"
    assert np.array_equal(mix.T, render_beat(read_beat("beat.mid"), 48000, read_kit("mine.toml")))
    names = [f"{name.replace(' ', '_')}.wav" for name in CLASSES]
    assert sorted(path.name for path in Path("out/funk").iterdir()) == sorted(names)
    total = np.zeros_like(mix)
    for name in names:
        total += soundfile.read(f"out/funk/{name}", dtype="float32")[0]
    assert np.array_equal(total, mix), "stems sum to the mix to the last bit"
    assert result["seconds"] == round(len(mix) / 48000, 3) and result["hits"] == 8 and result["kit"] == "mine"
    measured = result["loudness"]["mix"]
    assert 20 * np.log10(np.abs(mix).max()) <= measured["true_peak_dbtp"] + 0.01 < 0.1 and -35 < measured["lufs"] < -10


def test_formats_follow_the_name_and_the_flags(folder: Path, capsys: Capture) -> None:
    for name, flags, subtype in (
        ("a.flac", [], "PCM_24"), ("b.wav", ["--int24"], "PCM_24"), ("c.WAV", ["--float32", "--mono"], "FLOAT"),
    ):  # fmt: skip
        result_of(capsys, "render", "beat.mid", "-o", name, *flags)
        about = soundfile.info(name)
        assert about.subtype == subtype and about.channels == 2 - ("--mono" in flags)
    loud = '[voice.kick]\ngain_db = 24.0\n[voice.snare]\nsource = { sample = "hit.wav" }'
    (folder / "loud.toml").write_text(loud)
    (result,) = result_of(capsys, "render", "beat.mid", "--kit", "loud.toml", "--stems", "-o", "d.flac")["done"]
    mix, total = soundfile.read("d.flac")[0], 0.0
    for stem in result["stems"].values():
        total = total + soundfile.read(stem)[0]
    assert result["gain_db"] < -6 and np.abs(mix).max() == pytest.approx(0.999, abs=1e-4)
    assert np.allclose(total, mix, atol=1e-6), "all are turned down alike"
    assert "peaks at" in refusal(
        capsys, "render", "beat.mid", "--kit", "loud.toml", "--clip-mode", "none", "-o", "e.flac"
    )
    assert not (folder / "e.flac").exists()


def test_a_loop_is_as_long_as_the_beat_and_a_folder_of_beats_a_folder_of_sounds(folder: Path, capsys: Capture) -> None:
    (folder / "loops" / "more").mkdir(parents=True)
    for place in ("loops/a.mid", "loops/more/b.mid"):
        (folder / place).write_bytes((folder / "beat.mid").read_bytes())
    (folder / "loops" / "text.mid").write_text("no MIDI")
    assert main(["drums", "render", "loops", "--loop", "-o", "rendered", "--flac", "-j", "1", "--json"]) == 1
    captured = capsys.readouterr()
    assert "text.mid" in captured.err
    done = json.loads(captured.out)["done"]
    assert [Path(each["mix"]) for each in done] == [Path("rendered/a.flac"), Path("rendered/more/b.flac")]
    frames = {soundfile.info(each["mix"]).frames for each in done}
    assert frames == {round(4 * 60 / 96 * 44100)}


def test_what_decides_on_a_rendering_is_in_its_identity(folder: Path) -> None:
    identity = RenderJob(RenderSettings(read_kit("mine.toml"))).identity()
    assert identity == RenderJob(RenderSettings(read_kit("mine.toml"))).identity()
    soundfile.write(folder / "hit.wav", np.ones(100), 32000)  # another sample under the same name
    changed = RenderJob(RenderSettings(read_kit("mine.toml"))).identity()
    shipped, drawn = RenderSettings(), RenderSettings(shipped_kit().with_voice("kick", source=Point(seed=1)))
    found = [identity, changed, shipped.identity(), drawn.identity(), RenderSettings(loop=True).identity()]
    assert len({json.dumps(each) for each in found}) == 5
    assert len(drawn.identity()["kit_content"]["model drum_sounds"]) == 64, "the model, by its hash"
    item = Item("a.mid", folder / "beat.mid", "sub")
    assert RenderJob(RenderSettings(stems=True)).targets(item)[:2] == ["sub/beat.wav", "sub/beat/snare.wav"]
    job = RenderJob()
    assert job.bytes_for(item) == (2.5, 2.5 * 44100 * 8) and job.speed(item) > 1


def test_a_generated_beat_is_heard_at_once(folder: Path, capsys: Capture) -> None:
    command = ("generate", "--style", "funk", "--bars", "2", "--tempo", "100", "--seed", "3")
    result = result_of(capsys, *command, "--render", "-o", "funk.wav")
    audio, rate = soundfile.read("funk.wav")
    assert rate == 44100 and len(audio) >= round(8 * 0.6 * 44100) and result["hits"] > 4
    measured = result["loudness"]["mix"]
    assert measured["true_peak_dbtp"] < -0.5 and -30 < measured["lufs"] < -12, "a level one can work with"
    assert not Path("funk.mid").exists()
    # Its notes, as a drummer would play them: the same beat, to MIDI's resolution.
    result_of(capsys, *command, "--humanise", "-o", "funk.mid")
    result_of(capsys, "render", "funk.mid", "-o", "again.wav")
    again = soundfile.read("again.wav")[0]
    envelopes = [np.abs(each[: 40 * 2205]).max(axis=1).reshape(40, -1).max(axis=1) for each in (audio, again)]
    assert np.corrcoef(*envelopes)[0, 1] > 0.99
    result_of(capsys, *command, "--render", "--kit", "mine.toml", "--loop", "-o", "mine.flac")
    assert soundfile.info("mine.flac").frames == round(8 * 0.6 * 44100)


def test_a_kit_is_shown_written_and_heard(folder: Path, capsys: Capture) -> None:
    assert main(["drums", "kit", "mine.toml"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("mine, ") and len(shown) == 2 + 11
    (snare,) = [line for line in shown if line.startswith("snare ")]
    assert "hit.wav" in snare and " 0.10 " in snare
    result_of(capsys, "kit", "mine.toml", "--voice", "kick=hit.wav", "--voice", "tom=one_shot:snare", "-o", "two.toml")
    kit = read_kit("two.toml")
    assert kit.voices["kick"].source == Sample(folder / "hit.wav") == kit.voices["snare"].source
    assert kit.voices["tom"].source == OneShot("snare")
    result = result_of(capsys, "kit", "two.toml", "--render", "heard.wav", "--stems")
    assert result["rendered"]["hits"] == 33
    kicks = soundfile.read("heard/kick.wav")[0]
    onsets = [np.abs(kicks[frame : frame + 4410]).max() for frame in (0, 22050, 44100)]
    assert onsets[0] < onsets[1] < onsets[2] and not kicks[66150:].any()
    assert len(kit_beat()) == 33


def test_between_two_kits(folder: Path, capsys: Capture) -> None:
    (folder / "other.toml").write_text(
        'gain_db = -12.0\n[voice.snare]\npan = 1.0\ndecay = 0.5\nsource = { one_shot = "clap" }\n'
        "[voice.kick]\ntune = 12.0\n[drum.ride]\ntune = 7.0\n"
    )
    command = ("kit", "mine.toml", "--morph", "other.toml", "--amount", "0.25", "--by", "mix")
    result_of(capsys, *command, "-o", "between.toml")
    kit, ride = read_kit("between.toml"), shipped_kit().drums["ride"].tune
    snare = kit.voices["snare"]
    assert snare.source == Morph(Sample(folder / "hit.wav"), OneShot("clap"), 0.25, "mix")
    assert (snare.pan, snare.decay) == (0.25, 2.0), "rates lie between: none and two a second"
    assert kit.voices["kick"].source == OneShot("kick") and kit.voices["kick"].tune == 3.0
    assert kit.gain_db == -7.5 and kit.drums["ride"].tune == 0.75 * ride + 0.25 * 7.0
    result_of(capsys, *command, "--voices", "kick", "-o", "kick.toml")
    kick = read_kit("kick.toml")
    assert kick.voices["kick"].tune == 3.0 and kick.voices["snare"].source == Sample(folder / "hit.wav")
    assert kick.gain_db == -6.0
    with pytest.raises(InputError, match="no voice 'gong'"):
        morphed(kick, kit, 0.5, "mix", ["gong"])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("render none.mid -o a.wav", "none.mid: no such file"),
        ("render beat.mid -o a.wav --kit none.toml", "none.toml: the kit cannot be read"),
        ("render beat.mid -o a.wav --flac", "--flac is written to a file that ends in .flac"),
        ("render beat.mid beat.mid -o a.wav", "several beats go into a folder"),
        ("render beat.mid -o a.wav --sample-rate 100", "give 8000 to 384000 Hz"),
        ("render beat.mid -o beat.mid/a.wav", "beat.mid: is a file, not a folder"),
        ("render beat.mid -o a.wav --channel 3", "no notes on channel 3, but 8 on channel 10"),
        ("generate -o a.wav", "ends in .mid; for sound add --render"),
        ("generate --render -o a.mid", "with --render the name ends in .wav or .flac"),
        ("generate --stems -o a.mid", "are about sound: add --render"),
        ("kit -o beat.mid", "is already there"),
        ("kit --voice gong=hit.wav", "give VOICE=SOUND, with a voice of snare, kick"),
        ("kit --voice snare=none.wav", "'none.wav': no such file; a sound is FILE"),
        ("kit --voice snare=silent.wav -o a.toml", "voice snare: "),
        ("kit --voice snare=pad:0.5,2", "give two numbers from 0 to 1"),
        ("kit --voice snare=seed:many", "'many' cannot be read as numbers"),
        ("kit --voice snare=one_shot:gong", "give one of snare, kick"),
        ("kit --morph none.toml", "none.toml: the kit cannot be read"),
        ("kit --morph mine.toml --amount 2 --by mix", "amount 2: give 0"),
        ("render beat.mid -o a.mp3", "the name of a sound file ends in .wav or .flac; .mp3 is not written"),
        ("kit --amount 0.3", "--amount is about a morph: add --morph KIT.toml"),
        ("kit mine.toml --voices snare -o a.toml", "--voices is about a morph"),
        ("kit --by mix", "--by is about a morph"),
        ("kit --model none -o a.toml", "add --seed N, or --voice NAME=SOUND"),
        ("kit --spread 0.3 -o a.toml", "--spread is about what is drawn: add --seed N"),
        ("kit --seed 1 --spread 2 -o a.toml", "spread 2: give 0"),
        ("kit --render a.mp3", "the name of a sound file ends in .wav or .flac"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_and_nothing_is_written(
    folder: Path, capsys: Capture, command: str, message: str
) -> None:
    before = sorted(folder.rglob("*"))
    said = refusal(capsys, *command.split())
    assert message in said and said.count("\n") == 1 and said.startswith("terzetto: error: ")
    assert sorted(folder.rglob("*")) == before


def test_a_model_of_an_earlier_recipe_has_no_spread(folder: Path, capsys: Capture) -> None:
    shipped = find_model("drum-sounds", "drum_sounds").path.read_bytes()
    (folder / "mine.onnx").write_bytes(shipped.replace(b'"typical_first"', b'"unknown_thing"'))
    command = ("kit", "--seed", "7", "--model", "mine.onnx", "-o", "a.toml")
    said = refusal(capsys, *command, "--spread", "0.3")
    assert "the model mine, made by an earlier recipe, does not say what is typical" in said
    assert not Path("a.toml").exists()
    result_of(capsys, *command)


def test_notes_that_are_no_drums_are_left_out_and_told(folder: Path, capsys: Capture) -> None:
    (folder / "map.toml").write_text('[notes]\n49 = { class = "none", drum = "none" }')
    assert main(["drums", "render", "beat.mid", "--drum-map", "map.toml", "-o", "a.wav"]) == 0
    assert "notes that are no drums were left out: 49" in capsys.readouterr().err
    write_beat(folder / "crash.mid", Beat.of([0.0], [49], 0.8))
    said = refusal(capsys, "render", "crash.mid", "--drum-map", "map.toml", "-o", "b.wav")
    assert "crash.mid: none of its notes (49) is a drum" in said and not Path("b.wav").exists()


def test_points_travel_in_kits() -> None:
    kit = shipped_kit().with_voice("snare", source=Point(seed=3))
    between = morphed(kit, shipped_kit(), 0.5)
    assert between.voices["snare"].source == Morph(Point(seed=3), OneShot("snare"), 0.5)


def test_a_kit_out_of_the_sound_model(folder: Path, capsys: Capture) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        result_of(capsys, "kit", "--seed", str(seed), "-o", f"{name}.toml")
        result_of(capsys, "render", "beat.mid", "--kit", f"{name}.toml", "-o", f"{name}.wav")
    assert all(voice.source == Point(seed=7) for voice in read_kit("a.toml").voices.values())
    a, b, c = (Path(f"{name}.wav").read_bytes() for name in "abc")
    assert a == b != c, "the same seed, the same sounds"
    assert np.abs(soundfile.read("a.wav")[0]).max() < 1.0
    result_of(
        capsys, "kit", "a.toml", "--voice", "snare=encoded:hit.wav", "--voice", "kick=pad:0.2,0.9", "-o", "d.toml"
    )
    result = result_of(capsys, "kit", "d.toml", "--morph", "c.toml", "-o", "e.toml", "--render", "e.wav")
    assert result["voice"]["kick"]["source"]["by"] == "latent"
    assert result["voice"]["snare"]["source"]["morph"] == [{"encoded": str(folder / "hit.wav")}, {"seed": 8}]
    assert result["rendered"]["seconds"] >= 22.0
    (folder / "bad.toml").write_text('[voice.kick]\nsource = { seed = 1, model = "none of mine" }')
    said = refusal(capsys, "render", "beat.mid", "--kit", "bad.toml", "-o", "f.wav")
    assert "voice kick: " in said and "none of mine" in said and not Path("f.wav").exists()


def test_a_kit_finds_a_model_s_file_from_any_folder(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = find_model("drum-sounds", "drum_sounds").path
    (folder / "own.onnx").write_bytes(shipped.read_bytes())
    result_of(capsys, "kit", "--seed", "7", "--model", "own.onnx", "-o", "seven.toml")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert result_of(capsys, "kit", "../seven.toml")["voice"]["kick"]["source"]["seed"] == 7


def test_what_a_model_of_ones_own_lacks_is_not_drawn_and_told(folder: Path, capsys: Capture) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(find_model("drum-sounds", "drum_sounds").path)
    (constants,) = (each for each in model.metadata_props if each.key == "constants")
    classes = [name for name in CLASSES if name not in ("cymbal", "clap")]
    constants.value = json.dumps({**json.loads(constants.value), "classes": classes})
    onnx.save(model, folder / "own.onnx")
    assert main(["drums", "kit", "--seed", "7", "--model", "own.onnx", "-o", "seven.toml"]) == 0
    assert "the model own has no cymbal, clap: not drawn, as before" in capsys.readouterr().err
    voices = read_kit("seven.toml").voices
    assert [name for name, voice in voices.items() if voice.source == OneShot(name)] == ["cymbal", "clap"]
    assert voices["kick"].source == Point(seed=7, model=str(folder / "own.onnx"))
