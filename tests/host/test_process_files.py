"""Engineers' stems through ``terzetto process``: formats, surround, metadata, tails, stages that need whole files."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest
import soundfile

from terzetto.audio.chunks import content, read_chunks
from terzetto.audio.files import FileTake, read_audio
from terzetto.audio.loudness import Meter
from terzetto.audio.tails import parse_tail
from terzetto.cli import main
from terzetto.errors import InputError
from terzetto_host.file_chain import FileChain
from terzetto_host.plugins import bundled
from terzetto_host.presets import class_id, plugin_state, vst3_preset
from tests.engine.audio.wave_bytes import AFTER, BEFORE, Wave, steps
from tests.host.conftest import Float, noise

IDENTITY = "[[stage]]\nplugin = 'Invert'\n[[stage]]\nplugin = 'Invert'\n"


def process(
    folder: Path, chain: str, *arguments: str | Path, status: int = 0, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """Process files with a chain and return what was done with the last one; the error if it failed."""
    (folder / "chain.toml").write_text(chain)
    command = ["process", str(folder / "chain.toml"), *map(str, arguments), "-o", str(folder / "out"), "--json"]
    assert main(command) == status
    captured = capsys.readouterr()
    return json.loads(captured.out)["done"][-1] if status == 0 else {"error": captured.err}


def surround(path: Path) -> Float:
    with FileTake(path, most_channels=8) as take:
        return take.read(0, take.frames)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
@pytest.mark.parametrize("bits", [16, 24])
def test_a_stem_comes_back_as_it_was(
    tmp_path: Path, channels: int, bits: int, capsys: pytest.CaptureFixture[str]
) -> None:
    values, mask = steps(20_001, channels, bits), {6: 0x60F}.get(channels)
    (tmp_path / "Stem.WAV").write_bytes(Wave(values, 48000, bits, mask).riff())
    done = process(tmp_path, IDENTITY, tmp_path / "Stem.WAV", capsys=capsys)
    assert done["out"].endswith("out/Stem.WAV") and done["format"] == f"{bits}-bit WAV" and not done["said"]
    assert (done["channels"], done["seconds"], done["gain_db"], done["clamped"]) == (channels, 0.417, 0.0, 0)
    read, rate = soundfile.read(done["out"], dtype="int32", always_2d=True)
    assert rate == 48000 and np.array_equal(read >> 32 - bits, values)
    found = read_chunks(Path(done["out"]))
    assert found is not None
    kept = {each.name: content(Path(done["out"]), each, each.size) for each in found.chunks}
    assert all(kept[name] == data for name, data in [BEFORE[1], *AFTER] if name != b"LIST")
    assert kept[b"bext"][338:346] == (172_800_000).to_bytes(8, "little")  # the time code
    with FileTake(done["out"], most_channels=8) as take:
        assert take.mask == (mask if channels == 6 else None if channels < 3 else 0x63F)


@pytest.mark.parametrize(
    ("name", "container", "subtype", "expected"),
    [
        ("a.aif", "AIFF", "PCM_16", "16-bit AIFF"),
        ("a.aiff", "AIFF", "FLOAT", "32-bit float AIFF"),
        ("a.w64", "W64", "PCM_24", "24-bit W64"),
        ("a.wav", "RF64", "PCM_24", "24-bit RF64"),
        ("a.flac", "FLAC", "PCM_16", "16-bit FLAC"),
        ("a.wav", "WAV", "DOUBLE", "64-bit float WAV"),
        ("a.wav", "WAV", "PCM_U8", "8-bit WAV"),
    ],
)
def test_formats_are_kept_or_asked_for(
    tmp_path: Path, name: str, container: str, subtype: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / name, noise(2, 5000, 0).T, 44100, subtype, format=container)
    done = process(tmp_path, IDENTITY, tmp_path / name, capsys=capsys)
    assert done["format"] == expected and Path(done["out"]).name == name
    before, after = soundfile.info(tmp_path / name), soundfile.info(done["out"])
    assert (after.format, after.subtype, after.frames) == (before.format, before.subtype, before.frames)
    assert np.array_equal(soundfile.read(tmp_path / name)[0].astype("f4"), soundfile.read(done["out"])[0].astype("f4"))
    done = process(tmp_path, IDENTITY, tmp_path / name, "--int24", capsys=capsys)
    assert soundfile.info(done["out"]).subtype == "PCM_24" and done["out"].endswith("a.wav")


def test_what_is_coded_with_loss_becomes_float(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "a.mp3", noise(1, 44100, 0).T, 44100)
    soundfile.write(tmp_path / "b.wav", noise(1, 44100, 0).T, 44100, "IMA_ADPCM")
    done = process(tmp_path, IDENTITY, tmp_path / "a.mp3", capsys=capsys)
    assert done["said"] == ["MP3 is not written: the result is 32-bit float WAV"] and done["out"].endswith("a.wav")
    done = process(tmp_path, IDENTITY, tmp_path / "b.wav", capsys=capsys)
    assert done["said"] == ["IMA_ADPCM is not written: the result is 32-bit float WAV"]


def test_a_file_without_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.wav").write_bytes(Wave(steps(0, 2, 24)).riff())
    for chain in (IDENTITY, "[[stage]]\nplugin = 'PitchShift'\n", "[[stage]]\nplugin = 'BrickwallLimiter'\n"):
        done = process(tmp_path, chain, tmp_path / "a.wav", capsys=capsys)
        assert done["seconds"] == 0 and done["loudness"] == {"out": {"lufs": None, "true_peak_dbtp": None}}
        assert soundfile.info(done["out"]).frames == 0


def test_a_wav_that_outgrows_itself_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("terzetto.audio.writers.LARGEST_RIFF", 50_000)  # in place of 4 GiB
    for tail, said in (("0", []), ("1", ["more than a WAV holds: written as RF64"])):
        (tmp_path / "a.wav").write_bytes(Wave(steps(15_000, 1, 24)).riff())
        done = process(tmp_path, IDENTITY, tmp_path / "a.wav", "--tail", tail, capsys=capsys)
        assert done["said"] == said and done["format"] == "24-bit WAV"
        assert soundfile.info(done["out"]).format == ("RF64" if said else "WAV")


def test_surround_goes_through_what_treats_channels_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = noise(6, 30_000, 0)
    soundfile.write(tmp_path / "a.wav", sound.T, 48000, "FLOAT")
    chain = (
        "[[stage]]\nplugin = 'Compressor'\nthreshold_db = -30.0\nratio = 4.0\n[[stage]]\nplugin = 'BrickwallLimiter'\n"
    )
    heard = surround(Path(process(tmp_path, chain, tmp_path / "a.wav", capsys=capsys)["out"]))
    for channel in range(6):
        soundfile.write(tmp_path / "b.wav", sound[channel], 48000, "FLOAT")
        alone = read_audio(process(tmp_path, chain, tmp_path / "b.wav", capsys=capsys)["out"])[0][0]
        assert channel > 0 or np.abs(alone - sound[0]).max() > 0.01
        assert np.allclose(heard[channel], alone, atol=1e-6)
    for stage, message in (
        ("Reverb", r"chain\.toml:1: Reverb takes mono and stereo; given 6 channels\. Any number take: Bitcrush"),
        ("MP3Compressor", r"chain\.toml:1: MP3Compressor takes mono and stereo"),
        ("GSMFullRateCompressor", r"chain\.toml:1: GSMFullRateCompressor takes mono and stereo"),
        ("hands", r"chain\.toml:1: Terzetto Hands takes mono and stereo; given 6 channels"),
    ):
        chain = f"[[stage]]\nplugin = '{stage}'\n"
        error = process(tmp_path, chain, tmp_path / "a.wav", status=2, capsys=capsys)["error"]
        assert re.search(message, error), error
    (tmp_path / "c.wav").write_bytes(Wave(steps(100, 9, 16), bits=16).riff())
    error = process(tmp_path, IDENTITY, tmp_path / "c.wav", status=2, capsys=capsys)["error"]
    assert "9 channels; at most 8" in error


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("frames", [1, 50, 60_001])
def test_stages_that_cannot_stream_get_the_whole_file(
    tmp_path: Path, channels: int, frames: int, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = noise(channels, frames, 0)
    soundfile.write(tmp_path / "a.wav", sound.T, 44100, "FLOAT")
    chain = (
        "[[stage]]\nplugin = 'Gain'\ngain_db = -6.0\n[[stage]]\nplugin = 'PitchShift'\nsemitones = 3\n"
        "[[stage]]\nplugin = 'Resample'\ntarget_sample_rate = 22050.0\n"
    )
    done = process(tmp_path, chain, tmp_path / "a.wav", capsys=capsys)
    assert done["stages"] == ["gain", "pitch_shift", "resample"] and done["latency"] > 0
    heard = surround(Path(done["out"]))
    board = pedalboard.Pedalboard([pedalboard.Gain(-6.0), pedalboard.PitchShift(3), pedalboard.Resample(22050.0)])
    padded = np.pad(sound, ((0, 0), (0, max(64 - frames, 0))))
    assert heard.shape == sound.shape
    if frames > 64:
        expected = board(padded, 44100)[:, :frames]
        np.testing.assert_allclose(heard[:, :-2000], expected[:, : frames - 2000], atol=1e-5)


def test_whole_file_stages_have_limits_and_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "a.wav", noise(1, 5000, 0).T, 44100, "FLOAT")
    monkeypatch.setattr("terzetto_host.whole_file._LARGEST", 10_000)
    error = process(tmp_path, "[[stage]]\nplugin = 'PitchShift'\n", tmp_path / "a.wav", status=2, capsys=capsys)
    assert "chain.toml:1: PitchShift works on the whole recording at once" in error["error"]
    assert not (tmp_path / "out").exists()
    chain = "[[stage]]\nplugin = 'PitchShift'\nsemitone = 3\n"
    error = process(tmp_path, chain, tmp_path / "a.wav", status=2, capsys=capsys)
    assert "chain.toml:3: PitchShift has no parameter 'semitone'; valid: semitones" in error["error"]
    (tmp_path / "chain.toml").write_text("[[stage]]\nplugin = 'PitchShift'\n")
    assert main(["chain", "show", str(tmp_path / "chain.toml")]) == 0
    assert "pitch_shift: PitchShift, whole files only" in capsys.readouterr().out
    chain = "[[stage]]\nplugin = 'Nonsense'\n"
    error = process(tmp_path, chain, tmp_path / "a.wav", status=2, capsys=capsys)
    assert "chain.toml:2: there is no plugin 'Nonsense'" in error["error"] and "PitchShift" in error["error"]


REVERB = "[[stage]]\nplugin = 'Reverb'\nroom_size = 0.7\n"
ECHO = "[[stage]]\nplugin = 'Delay'\ndelay_seconds = 1.5\nfeedback = 0.3\nmix = 0.5\n"


@pytest.mark.parametrize("chain", [REVERB, ECHO, "[[stage]]\nplugin = 'PitchShift'\n" + ECHO])
def test_tails_are_cut_appended_or_followed_until_they_are_silent(
    tmp_path: Path, chain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rate, frames = 22050, 22_001
    soundfile.write(tmp_path / "a.wav", noise(2, frames, 0).T, rate, "FLOAT")
    done = {
        tail: process(
            tmp_path, chain, tmp_path / "a.wav", "--tail", tail, "--filename", f"{tail}.{{ext}}", capsys=capsys
        )
        for tail in ("0", "1.5", "auto", "16")
    }
    sound = {tail: read_audio(each["out"])[0] for tail, each in done.items()}
    assert sound["0"].shape == (2, frames) and sound["1.5"].shape == (2, frames + 33_075)
    length = sound["auto"].shape[1]
    assert frames + 33_075 < length < frames + 16 * rate
    for tail, other in (("0", "1.5"), ("1.5", "16"), ("auto", "16")):
        same = sound[tail].shape[1] if "PitchShift" not in chain else frames - 5000
        np.testing.assert_allclose(sound[tail][:, :same], sound[other][:, :same], atol=1e-6)
    assert np.abs(sound["16"][:, length:]).max() < 10 ** (-90 / 20) <= np.abs(sound["auto"][:, -512:]).max()
    assert done["auto"]["seconds"] == round(length / rate, 3)


def test_a_tail_of_nothing_is_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for frames in (0, 700, 22_050):
        soundfile.write(tmp_path / "a.wav", noise(1, frames, 0).T, 22050, "FLOAT")
        done = process(tmp_path, IDENTITY, tmp_path / "a.wav", "--tail", "auto", capsys=capsys)
        assert soundfile.info(done["out"]).frames == frames
    for text in ("-1", "long", "nan", "1e9"):
        with pytest.raises(InputError, match="'auto' or seconds from 0 to 3600"):
            parse_tail(text)


@pytest.mark.parametrize("mode", ["rescale", "clamp", "none"])
def test_what_is_too_loud_for_the_format(tmp_path: Path, mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    sound = np.sin(2 * np.pi * 997 / 48000 * np.arange(48000))
    soundfile.write(tmp_path / "a.wav", 0.9 * sound, 48000, "PCM_16")
    chain, options = "[[stage]]\nplugin = 'Gain'\ngain_db = 6.0\n", [tmp_path / "a.wav", "--clip-mode", mode]
    if mode == "none":
        error = process(tmp_path, chain, *options, status=2, capsys=capsys)["error"]
        assert "peaks at +5.09 dBFS, too much for 16-bit WAV; choose --clip-mode" in error
        assert not (tmp_path / "out").exists()
        options.append("--float32")
    done = process(tmp_path, chain, *options, capsys=capsys)
    heard, rate = read_audio(done["out"])
    meter = Meter(rate, 1)
    meter.add(heard)
    assert done["loudness"]["out"]["lufs"] == pytest.approx(meter.lufs, abs=0.02)
    assert done["loudness"]["out"]["true_peak_dbtp"] == pytest.approx(meter.true_peak_db, abs=0.02)
    assert (done["gain_db"] < -5, done["clamped"] > 1000) == (mode == "rescale", mode == "clamp")
    assert np.abs(heard).max() > 1.7 if mode == "none" else 0.99 < np.abs(heard).max() <= 1.0


def test_the_table_of_a_batch_has_what_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, level in (("a", 0.5), ("b", 0.0)):
        soundfile.write(tmp_path / f"{name}.wav", np.clip(level * noise(2, 48000, 0).T, -1, 1), 48000, "PCM_24")
    process(tmp_path, IDENTITY, tmp_path / "a.wav", tmp_path / "b.wav", "-j", "1", capsys=capsys)
    with (tmp_path / "out" / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["output"] for row in rows] == ["a.wav", "b.wav"]
    assert -40 < float(rows[0]["lufs"]) < 0 and rows[1]["lufs"] == rows[1]["true_peak_dbtp"] == ""


BUNDLE = bundled() / "Terzetto Hands.vst3"


@pytest.mark.skipif(not BUNDLE.exists(), reason="this installation was built without the plugins")
def test_a_vst3_takes_a_preset_then_parameters(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    state = plugin_state("hands", {"left_gain": -12.0, "right_gain": -18.0})
    (places / "my.vstpreset").write_bytes(vst3_preset(class_id("hands"), state))
    stage = f'[[stage]]\nvst3 = "{BUNDLE}"\npreset = "{{}}"\nright_gain_db = -6.0\n'
    chain = places / "chain.toml"
    chain.write_text(stage.format("my.vstpreset"))
    (values,) = (each["parameters"] for each in FileChain.from_file(chain).description()["stages"])
    assert [round(value) for name, value in values.items() if name.endswith("_gain_db")][:2] == [-12, -6]
    chain.write_text(stage.format("none.vstpreset"))
    with pytest.raises(InputError, match=r"chain\.toml:3: preset is the path of a \.vstpreset file that is there"):
        FileChain.from_file(chain)
    (places / "my.vstpreset").write_bytes(b"no preset at all")
    chain.write_text(stage.format("my.vstpreset"))
    with pytest.raises(InputError, match=r"chain\.toml:3: .*my\.vstpreset.*give a preset of Terzetto Hands\.vst3"):
        FileChain.from_file(chain)
