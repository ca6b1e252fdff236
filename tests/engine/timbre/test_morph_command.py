"""``terzetto morph``: real recordings in another timbre, and what is refused."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake, read_audio
from terzetto.audio.metadata import read_metadata
from terzetto.cli import main
from terzetto.demo.run import EXCERPT, excerpt
from terzetto.models import identity, shipped_folder
from terzetto.timbre.conversion import Controls
from terzetto.timbre.methods import open_conversion
from terzetto.timbre.morph import Morph
from terzetto.timbre.naming import method_for, sibling, split_instrument
from terzetto.timbre.repeated import Repeated
from terzetto.timbre.stream import render
from tests.engine.audio.wave_bytes import bext, chunk

Float = NDArray[np.float32]
RATE = 44100


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A moment of a piano's right hand (``source``, stereo) and left hand (``target``, ``target48``)."""
    folder = tmp_path_factory.mktemp("sounds")
    with excerpt() as shipped:
        right, _ = read_audio(shipped / f"{EXCERPT}.rh.flac")
        left, _ = read_audio(shipped / f"{EXCERPT}.lh.flac")
    right, left = right.mean(axis=0)[2 * RATE : 7 * RATE // 2], left.mean(axis=0)[2 * RATE : 3 * RATE]
    soundfile.write(folder / "source.wav", np.stack([right, 0.5 * right], axis=1), RATE, subtype="FLOAT")
    soundfile.write(folder / "target.wav", left, RATE, subtype="FLOAT")
    soundfile.write(folder / "target48.wav", left, 48000, subtype="FLOAT")
    return folder


def morph(sounds: Path, out: Path, *options: str, to: str = "target.wav") -> int:
    return main(["morph", str(sounds / "source.wav"), "--to", str(sounds / to), "-o", str(out), *options])


def option(*texts: str) -> list[str]:
    return [each for text in texts for each in ("--option", text)]


def told(sounds: Path, out: Path, capsys: pytest.CaptureFixture[str], *options: str, **more: str) -> dict[str, Any]:
    assert morph(sounds, out, "--json", *options, **more) == 0
    (result,) = json.loads(capsys.readouterr().out)["done"]
    return dict(result)


def live(sounds: Path, method: str, controls: Controls | None = None, **options: Any) -> Float:
    source, rate = read_audio(sounds / "source.wav")
    conversion = open_conversion(method, str(sounds / "target.wav"), sample_rate=rate, channels=2, **options)
    return np.concatenate(list(render(ArrayTake(source, rate), conversion, controls)), axis=1)


@pytest.mark.parametrize("method", ["envelope", "mosaic"])
def test_what_is_written_is_what_is_heard_live(
    method: str, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, _ = read_audio(sounds / "source.wav")
    result = told(sounds, tmp_path / "out.wav", capsys, "--method", method)
    assert (result["kind"], result["method"], result["out"]) == ("hybrid", method, str(tmp_path / "out.wav"))
    made, rate = read_audio(tmp_path / "out.wav")
    assert rate == RATE and made.shape == source.shape and soundfile.info(tmp_path / "out.wav").subtype == "FLOAT"
    np.testing.assert_array_equal(made, live(sounds, method))
    # Another sound, as loud as the one that went in, and where that was.
    assert np.corrcoef(made[0], source[0])[0, 1] < 0.9
    assert np.std(made[0]) == pytest.approx(np.std(source[0]), rel=0.5)
    assert np.std(made[0]) == pytest.approx(2 * np.std(made[1]), rel=0.1)
    assert abs(made.mean()) < 0.1 * np.std(made) and np.isfinite(made).all()
    half = told(sounds, tmp_path / "half.wav", capsys, "--method", method, "--amount", "0.5", "--follow", "0.3")
    assert half["kind"] == "morph" and half["amount"] == 0.5
    np.testing.assert_array_equal(
        read_audio(tmp_path / "half.wav")[0], live(sounds, method, Controls(amount=0.5, follow=0.3))
    )


def test_let_it_bee(sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = told(sounds, tmp_path / "out.wav", capsys, "--let-it-bee", *option("polyphony=5"))
    assert (result["kind"], result["method"]) == ("hybrid", "bee")
    made, _ = read_audio(tmp_path / "out.wav")
    source, _ = read_audio(sounds / "source.wav")
    np.testing.assert_array_equal(made, live(sounds, "bee", polyphony=5))
    assert made.shape == source.shape and np.std(made[0]) == pytest.approx(np.std(source[0]), rel=0.5)


def test_options_of_the_methods_are_theirs(sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(sounds, tmp_path / "a.wav", capsys, "--flatten", "source", *option("lifter=0.002", "true_envelope=true"))
    expected = live(sounds, "envelope", flatten="source", lifter=0.002, true_envelope=True)
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav")[0], expected)
    told(sounds, tmp_path / "b.wav", capsys, "--method", "mosaic", *option("neighbours=1", "continuity=0"))
    expected = live(sounds, "mosaic", neighbours=1, continuity=0.0)
    np.testing.assert_array_equal(read_audio(tmp_path / "b.wav")[0], expected)
    told(sounds, tmp_path / "c.wav", capsys, "--low-latency")
    np.testing.assert_array_equal(read_audio(tmp_path / "c.wav")[0], live(sounds, "envelope", low_latency=True))
    assert morph(sounds, tmp_path / "d.wav", "--method", "mosaic", *option("lifter=0.002")) == 2
    assert "method 'mosaic' has no option 'lifter'; valid: neighbours, continuity" in capsys.readouterr().err
    assert not (tmp_path / "d.wav").exists()


def test_amount_zero_is_the_source(sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(sounds, tmp_path / "out.wav", capsys, "--amount", "0")["kind"] == "source"
    np.testing.assert_allclose(read_audio(tmp_path / "out.wav")[0], read_audio(sounds / "source.wav")[0], atol=1e-6)


def test_between_two_timbres(sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = [told(sounds, tmp_path / "a.wav", capsys), told(sounds, tmp_path / "b.wav", capsys, to="target48.wav")]
    assert [end["kind"] for end in ends] == ["hybrid", "hybrid"]
    a, b = (read_audio(tmp_path / f"{name}.wav")[0] for name in "ab")
    for balance, kind in ((0.0, "hybrid"), (0.5, "morph"), (1.0, "hybrid")):
        options = ("--to", str(sounds / "target48.wav"), "--balance", str(balance))
        assert told(sounds, tmp_path / "m.wav", capsys, *options)["kind"] == kind
        made = read_audio(tmp_path / "m.wav")[0]
        np.testing.assert_allclose(made, (1 - balance) * a + balance * b, atol=1e-5)


def test_a_target_of_another_rate_is_converted_and_that_is_said(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert morph(sounds, tmp_path / "out.wav", to="target48.wav") == 0
    captured = capsys.readouterr()
    assert "target48.wav: resampled from 48000 Hz to the source's 44100 Hz" in captured.err
    assert "hybrid with target48.wav (envelope), 1.50 s" in captured.out


def test_the_other_is_repeated_if_the_result_is_as_long_as_the_longest(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The slides' outcome: here the target is the shorter one, then the longer.
    assert told(sounds, tmp_path / "a.wav", capsys, "--length", "longest")["seconds"] == pytest.approx(1.5)
    short = tmp_path / "short.wav"
    source, _ = read_audio(sounds / "source.wav")
    soundfile.write(short, source[:, : RATE // 2].T, RATE, subtype="FLOAT")
    command = ["morph", str(short), "--to", str(sounds / "target.wav"), "--length", "longest", "--amount", "0"]
    assert main([*command, "-o", str(tmp_path / "b.wav")]) == 0
    made, _ = read_audio(tmp_path / "b.wav")
    np.testing.assert_allclose(made, np.tile(source[:, : RATE // 2], 2), atol=1e-6)
    take = Repeated(ArrayTake(np.arange(5, dtype=np.float32), RATE), 12)
    assert take.read(-1, 14)[0].tolist() == [0, *(i % 5 for i in range(12)), 0, 0]
    capsys.readouterr()
    assert morph(sounds, tmp_path / "c.wav", "--length", "longest", to="no_model") == 2
    assert "--length longest is for recordings" in capsys.readouterr().err


def test_silence_gives_silence_and_a_warning(sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "nothing.wav", np.zeros((RATE, 2)), RATE)
    recording = str(sounds / "target.wav")
    for method, to in (("envelope", recording), ("mosaic", recording), ("xsynth", "timbre_instruments:oboe")):
        command = ["morph", str(tmp_path / "nothing.wav"), "--to", to, "--method", method]
        assert main([*command, "-o", str(tmp_path / "out.wav")]) == 0
        captured = capsys.readouterr()
        assert "nothing.wav: is silent, and so is the result" in captured.err and captured.out.endswith(" s, silence\n")
        assert np.abs(read_audio(tmp_path / "out.wav")[0]).max() < 1e-7  # -140 dBFS


def test_what_is_too_short_for_a_loudness_is_no_silence(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "moment.wav"
    soundfile.write(source, read_audio(sounds / "source.wav")[0][0, :9600], RATE)
    assert main(["morph", str(source), "--to", str(sounds / "target.wav"), "-o", str(tmp_path / "out.wav")]) == 0
    said = capsys.readouterr().out
    assert said.endswith(" dBTP\n")


def test_a_target_that_is_not_used_whole_is_told(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terzetto.timbre.target.LONGEST", 0.25)
    target = shutil.copy(sounds / "target.wav", tmp_path)  # one that no other test has opened
    source = tmp_path / "source.wav"  # of the format that the target is looked at in beforehand
    soundfile.write(source, read_audio(sounds / "source.wav")[0][0, :9600], 48000)
    assert main(["morph", str(source), "--to", str(target), "-o", str(tmp_path / "out.wav")]) == 0
    assert capsys.readouterr().err.count("the first 0 s are used") == 1


def test_formats_and_what_a_file_says_beside_its_sound(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marked = tmp_path / "marked.wav"
    content = (sounds / "source.wav").read_bytes() + chunk(b"bext", bext(version=1))
    marked.write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    assert main(["morph", str(marked), "--to", str(sounds / "target.wav"), "-o", str(tmp_path / "out.wav")]) == 0
    kept = read_metadata(tmp_path / "out.wav")
    assert (b"bext", bext(version=1)) in kept.before + kept.after
    assert morph(sounds, tmp_path / "out.flac") == 0 and soundfile.info(tmp_path / "out.flac").subtype == "PCM_24"
    assert morph(sounds, tmp_path / "int.wav", "--int24") == 0
    assert soundfile.info(tmp_path / "int.wav").subtype == "PCM_24"
    assert morph(sounds, tmp_path / "{odd}.wav") == 0 and (tmp_path / "{odd}.wav").is_file()
    capsys.readouterr()
    for name, options, reason in (
        ("out.mp3", (), "ends in .wav or .flac; .mp3 is not written"),
        ("out.flac", ("--int24",), "--int24 is written to a file that ends in .wav"),
    ):
        assert morph(sounds, tmp_path / "new" / name, *options) == 2
        assert reason in capsys.readouterr().err and not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--amount", "1.5"], "amount must be from 0 to 1; given 1.5"),
        (["--follow", "-1"], "follow must be from 0 to 1"),
        (["--pad", "0.5", "2"], "pad takes x and y from 0 to 1"),
        (["--pad", "0.5", "0.5"], "--pad is for a model of several instruments; "),
        (["--to", "a:cello", "--pad", "0", "0"], "give either MODEL:INSTRUMENT or --pad"),
        (["--method", "xsynth"], "target.wav is a recording: choose envelope or mosaic, or learn a model from it by "),
        (
            ["--to", "timbre_instruments"],
            "envelope takes a recording, and timbre_instruments is a model: choose xsynth",
        ),
        (["--balance", "0.5"], "--balance lies between two timbres: give --to twice"),
        (["--to", "b.wav", "--to", "c.wav"], "--to is given once, or twice with --balance between; given 3 times"),
        (["--method", "magic"], "method 'magic' is not installed; valid: "),
        (["--option", "lifter=3"], "lifter must be from 0.0002 to"),
        (["--option", "lifter=long"], "option lifter of method 'envelope' is a number; given long"),
        (["--option", "true_envelope=1"], "is true or false; given 1"),
        (["--method", "mosaic", "--option", "neighbours"], "is a whole number; given nothing"),
        (["--method", "mosaic", "--flatten", "source"], "method 'mosaic' has no option 'flatten'"),
        (
            ["--method", "envelope", "--let-it-bee"],
            "--let-it-bee makes a mosaic; it does not go with --method envelope",
        ),
        (["--clip-mode", "none", "--filename", "{stem}.wav"], "unknown field {stem}; valid: {ext}, {track}"),
        (["--filename", "{track}.aiff"], "must end in .{ext} or .wav"),
    ],
)
def test_what_makes_no_sense_is_told(
    options: list[str], reason: str, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert morph(sounds, tmp_path / "out", *options) == 2
    captured = capsys.readouterr()
    assert reason in captured.err and captured.err.count("\n") == 1 and not (tmp_path / "out").exists()


def test_targets_that_cannot_be_used(sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "short.wav", np.ones(100), RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    (tmp_path / "text.wav").write_text("no sound")
    for name, reason in {
        "short.wav": "too short to take a timbre from",
        "silent.wav": "is silent: there is no timbre in it",
        "text.wav": "text.wav",
        "missing.wav": "missing.wav: cannot be read (No such file or directory)",
    }.items():
        assert morph(sounds, tmp_path / "out.wav", to=str(tmp_path / name)) == 2, name
        captured = capsys.readouterr()
        assert reason in captured.err and "Traceback" not in captured.err, name
    assert not (tmp_path / "out.wav").exists()


def test_a_model_plays_what_it_hears(sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, _ = read_audio(sounds / "source.wav")
    command = ["morph", str(sounds / "source.wav"), "--to", "timbre_instruments:cello"]
    assert main([*command, "-o", str(tmp_path / "out.wav"), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["done"]
    assert (result["kind"], result["method"]) == ("hybrid", "xsynth")
    assert result["models"] == {"timbre_instruments": identity("timbre_instruments")}
    made, _ = read_audio(tmp_path / "out.wav")
    conversion = open_conversion("xsynth", "timbre_instruments:cello", sample_rate=RATE, channels=2)
    expected = np.concatenate(list(render(ArrayTake(source, RATE), conversion)), axis=1)
    np.testing.assert_array_equal(made, expected)
    assert np.corrcoef(made[0], source[0])[0, 1] < 0.98 and np.std(made[0]) == pytest.approx(np.std(source[0]), rel=0.5)
    # Elsewhere on the pad it is another sound, and a morph of the model's instruments.
    command[3] = "timbre_instruments"
    pad = ["--pad", "0.1", "0.9", "-o", str(tmp_path / "pad.wav")]
    assert main([*command, *pad]) == 0 and "morph with timbre_instruments at 0.1, 0.9" in capsys.readouterr().out
    assert not np.array_equal(read_audio(tmp_path / "pad.wav")[0], made)
    assert main([*command, "-o", str(tmp_path / "first.wav")]) == 0
    assert "timbre_instruments knows several instruments: this is its first, " in capsys.readouterr().err


def test_with_low_latency_it_is_the_models_sibling(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["morph", str(sounds / "source.wav"), "--to", "timbre_instruments:oboe", "--low-latency", "--json"]
    assert main([*command, "-o", str(tmp_path / "out.wav")]) == 0
    (result,) = json.loads(capsys.readouterr().out)["done"]
    assert result["models"] == {"timbre_instruments_low": identity("timbre_instruments_low")}
    morphs = [Morph("xsynth", ("timbre_instruments:oboe",), low_latency=low) for low in (False, True)]
    names = ("timbre_instruments", "timbre_instruments_low")
    assert [morph.identity()["content"] for morph in morphs] == [[identity(name)] for name in names]
    assert sibling("a", True) == sibling("a_low", True) == "a_low" and sibling("a.onnx", True) == "a_low.onnx"


def test_models_of_other_tasks_are_refused_by_name(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noise.onnx").write_bytes(b"no model")
    newer = onnx.load(shipped_folder() / "timbre_instruments.onnx")
    onnx.helper.set_model_props(newer, {"task": "timbre", "version": "99"})
    onnx.save(newer, tmp_path / "newer.onnx")
    for name, reason in {
        "drum_sounds": "this is a model for 'drum-sounds'; needed is one for 'timbre'",
        "drum_sounds:kick": "this is a model for 'drum-sounds'; needed is one for 'timbre'",
        "no_such_model": "there is no model 'no_such_model'; installed: ",
        "noise.onnx": "noise.onnx: not a usable ONNX model",
        "newer.onnx": "newer.onnx: is of version 99 of the models for 'timbre', and this Terzetto reads version",
        "timbre_instruments:kazoo": "timbre_instruments has no instrument 'kazoo'; it has: ",
    }.items():
        source = str(sounds / "source.wav")
        to = str(tmp_path / name) if name.endswith(".onnx") else name
        assert main(["morph", source, "--to", to, "-o", str(tmp_path / "out.wav")]) == 2
        assert reason in capsys.readouterr().err
    assert not (tmp_path / "out.wav").exists()


def test_names() -> None:
    assert method_for("sax.wav") == method_for("SAX.FLAC") == "envelope"
    assert method_for("sax.onnx") == method_for("timbre_instruments:cello") == "xsynth"
    assert split_instrument("a:french horn") == ("a", "french horn")
    assert split_instrument("C:\\models\\a.onnx") == ("C:\\models\\a.onnx", "")
    assert split_instrument("a.onnx:oboe") == ("a.onnx", "oboe")
    assert split_instrument("a") == ("a", "")
