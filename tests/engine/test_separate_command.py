"""``terzetto separate`` on synthetic takes whose hands are known."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from terzetto.audio.files import read_audio
from terzetto.audio.loudness import Meter
from terzetto.audio.metadata import read_metadata
from terzetto.cli import main
from terzetto.demo.run import EXCERPT, excerpt
from terzetto.errors import InputError
from terzetto.evaluate.separation import si_sdr
from terzetto.hands.score_source import ScoreSource
from terzetto.hands.settings import Settings
from terzetto.hands.takes import Job
from terzetto.jobs import Item
from terzetto.models import shipped_folder
from terzetto.score.midi import write_midi
from terzetto.score.read import read_score
from tests.engine.audio.wave_bytes import bext, chunk, cue

if TYPE_CHECKING:
    from conftest import PianoTake

Float = NDArray[np.float32]
STEMS = ("left_hand", "right_hand", "residual")


def write(folder: Path, take: PianoTake, name: str = "take", *, gain: float = 1.0, stereo: bool = False) -> Path:
    """Write a take with its score; in stereo the hands lie somewhat apart."""
    audio = take.mix[None]
    if stereo:
        audio = np.stack([0.8 * take.left + 0.4 * take.right, 0.3 * take.left + 0.7 * take.right])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.wav"
    soundfile.write(str(path), gain * audio.T, take.sample_rate, subtype="FLOAT")
    write_midi(take.score, folder / f"{name}.mid")
    return path


def separate(take: Path, out: Path, *options: str) -> int:
    """Run the command in this process with the score beside the take."""
    return main(["separate", str(take), "--score", str(take.with_suffix(".mid")), "-o", str(out), *options])


def test_a_take_alone_becomes_two_hands_and_the_score_that_was_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with excerpt() as folder:
        take = folder / f"{EXCERPT}.flac"
        assert main(["separate", str(take), "-o", str(tmp_path), "--json"]) == 0
        truth = {hand: read_audio(folder / f"{EXCERPT}.{hand}.flac")[0].mean(axis=0) for hand in ("lh", "rh")}
        mix = read_audio(take)[0]
    (result,) = json.loads(capsys.readouterr().out)["done"]
    made = Path(result["score_made"])
    assert result["score"] is None and made == tmp_path / EXCERPT / "score.mid"
    assert len(read_score(made)) == result["notes"] > 50
    found = {path.stem: read_audio(path)[0] for path in made.parent.glob("*.wav")}
    assert np.abs(sum(found.values()) - mix).max() < 1e-5
    for hand, name in (("lh", "left_hand"), ("rh", "right_hand")):
        assert si_sdr(truth[hand], found[name].mean(axis=0)) > si_sdr(truth[hand], mix.mean(axis=0)) + 2


def stems(folder: Path) -> dict[str, Float]:
    return {path.stem: read_audio(path)[0] for path in sorted(folder.iterdir())}


def test_both_hands_come_out_far_cleaner_than_the_mix(
    tmp_path: Path, piano: PianoTake, capsys: pytest.CaptureFixture[str]
) -> None:
    assert separate(write(tmp_path, piano), tmp_path / "out") == 0
    captured = capsys.readouterr()
    assert captured.err == "" and captured.out.startswith(f"{tmp_path / 'take.wav'} → ")
    found = stems(tmp_path / "out" / "take")
    assert sorted(found) == sorted(STEMS)
    for name, truth in (("left_hand", piano.left), ("right_hand", piano.right)):
        assert si_sdr(truth, found[name][0]) > si_sdr(truth, piano.mix) + 12.0
    np.testing.assert_allclose(sum(found.values())[0], piano.mix, atol=1e-6)


@pytest.mark.parametrize(
    "options", [["--method", "nae"], ["--mask", "wiener"], ["--mask", "ratio", "--loss", "euclidean"]]
)
def test_every_method_separates(tmp_path: Path, make_piano: Callable[..., PianoTake], options: list[str]) -> None:
    take = make_piano(4.0)
    assert separate(write(tmp_path, take), tmp_path / "out", *options) == 0
    found = stems(tmp_path / "out" / "take")
    for name, truth in (("left_hand", take.left), ("right_hand", take.right)):
        assert si_sdr(truth, found[name][0]) > si_sdr(truth, take.mix) + 6.0


@pytest.mark.parametrize("form", ["float32", "int24", "flac"])
@pytest.mark.parametrize("by", ["hand", "pitch", "note", "track"])
def test_stems_sum_to_the_take(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str], by: str, form: str
) -> None:
    take = make_piano(2.5)
    loud = 0.9 / float(np.abs(take.mix).max()) * (1 if form == "float32" else 2.5)
    path = write(tmp_path, take, gain=loud, stereo=True)
    assert separate(path, tmp_path / "out", "--by", by, f"--{form}", "--json") == 0
    result = json.loads(capsys.readouterr().out)["done"][0]
    found = stems(tmp_path / "out" / "take")
    assert set(found) == set(result["stems"]) and "residual" in found
    counts = {"hand": 3, "pitch": len(np.unique(take.score.pitch)) + 1, "note": len(take.score) + 1, "track": 3}
    assert len(found) == counts[by]
    gain = 10 ** (result["gain_db"] / 20)
    # a single note is soft enough as it is
    assert (gain < 1) == (form != "float32" and by in ("hand", "track"))
    audio, _ = read_audio(path)
    np.testing.assert_allclose(sum(found.values()), gain * audio, atol=1e-5)


def test_stereo_keeps_its_channels(tmp_path: Path, piano: PianoTake) -> None:
    assert separate(write(tmp_path, piano, stereo=True), tmp_path / "out") == 0
    found = stems(tmp_path / "out" / "take")
    for name, truth, places in (("left_hand", piano.left, (0.8, 0.3)), ("right_hand", piano.right, (0.4, 0.7))):
        for channel, place in enumerate(places):
            assert si_sdr(truth, found[name][channel]) > 12.0
            assert np.dot(found[name][channel], truth) / np.dot(truth, truth) == pytest.approx(place, rel=0.1)


def test_the_stage_has_the_left_hand_on_the_left(
    tmp_path: Path, piano: PianoTake, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--stereo-stage", "--flac", "--json")
    assert separate(write(tmp_path, piano, gain=4.0), tmp_path / "out", *options) == 0
    result = json.loads(capsys.readouterr().out)["done"][0]
    assert result["gain_db"] < 0
    found = stems(tmp_path / "out" / "take")
    assert sorted(found) == sorted((*STEMS, "stage"))
    np.testing.assert_allclose(found["stage"][0], found["left_hand"][0], atol=1e-6)
    np.testing.assert_allclose(found["stage"][1], found["right_hand"][0], atol=1e-6)


def test_pictures_come_with_the_stems(tmp_path: Path, make_piano: Callable[..., PianoTake]) -> None:
    path = write(tmp_path, make_piano(2.0))
    assert separate(path, tmp_path / "out", "--plots") == 0
    names = [path.name for path in (tmp_path / "out" / "take").iterdir()]
    assert [name for name in names if name.endswith(".png")] and sum(name.endswith(".wav") for name in names) == 3


def test_json_is_one_object_and_progress_is_lines(tmp_path: Path, make_piano: Callable[..., PianoTake]) -> None:
    path = write(tmp_path, make_piano(2.0))
    command = [sys.executable, "-m", "terzetto", "separate", str(path), "--score", str(path.with_suffix(".mid"))]
    command += ["-o", str(tmp_path / "out"), "--json", "--progress"]
    done = subprocess.run([*command, "json"], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert (
        result["failed"] == [] and [Path(path).is_file() for path in result["done"][0]["stems"].values()] == [True] * 3
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    fractions = [line["fraction"] for line in lines]
    assert all(set(line) == {"take", "stage", "fraction"} and line["take"] == "take.wav" for line in lines)
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and len(fractions) > 5
    # in a pipe nobody asked for progress
    done = subprocess.run([*command, "auto"], capture_output=True, text=True, check=True)
    assert done.stderr == "" and json.loads(done.stdout)


def test_a_bar_is_drawn_and_wiped_when_asked_for(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capfd: pytest.CaptureFixture[str]
) -> None:
    assert separate(write(tmp_path, make_piano(2.0)), tmp_path / "out", "--progress", "bar") == 0
    captured = capfd.readouterr()
    assert "take.wav" in captured.err and "left" in captured.err and "take.wav" in captured.out
    assert captured.err.count("\n") == 0


def test_one_bad_take_of_several_does_not_stop_the_rest(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str]
) -> None:
    take = make_piano(2.0)
    paths = [write(tmp_path / "takes", take, name) for name in ("one", "two", "three")]
    paths[1].write_bytes(b"no sound")
    scores, out = str(tmp_path / "takes" / "{track}.mid"), tmp_path / "out"
    command = ["separate", *map(str, paths), "--score", scores, "-o", str(out)]
    assert main(command) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert captured.err.startswith("terzetto: error: ") and "two.wav" in captured.err and captured.err.count("\n") == 1
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["one", "three"]
    assert main([*command, "--json"]) == 1
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert len(result["done"]) == 2 and result["failed"][0]["take"] == str(paths[1])
    for path in paths:
        path.write_bytes(b"no sound")
    assert main(command) == 2
    assert capsys.readouterr().err.count("\n") == 3


def test_the_stems_of_a_batch_are_measured(tmp_path: Path, make_piano: Callable[..., PianoTake]) -> None:
    take = make_piano(2.0)
    paths = [
        write(tmp_path / "takes", take, name, gain=gain)
        for name, gain in (("one", 1.0), ("two", 3 / np.abs(take.mix).max()))
    ]
    scores, out = str(tmp_path / "takes" / "{track}.mid"), tmp_path / "out"
    command = ["separate", *map(str, paths), "--score", scores, "-o", str(out), "--filename", "{stem}/{track}.{ext}"]
    assert main([*command, "--int24"]) == 0
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["output"] for row in rows) == sorted(
        f"{stem}/{name}.wav" for stem in STEMS for name in ("one", "two")
    )
    assert {float(row["gain_db"]) < 0 for row in rows if row["output"].endswith("two.wav")} == {True}, "it was too loud"
    for row in rows:
        audio, rate = read_audio(out / row["output"])
        meter = Meter(rate, len(audio))
        meter.add(audio)
        for column, value in (("lufs", meter.lufs), ("true_peak_dbtp", meter.true_peak_db)):
            assert float(row[column] or -np.inf) == pytest.approx(value, abs=0.02)
    assert not any(row["lufs"] == "" for row in rows if "hand" in row["output"])


def test_silence_gives_silent_stems_and_a_warning_for_each_take(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [write(tmp_path, make_piano(2.0), name, gain=0.0) for name in ("one", "two")]
    scores, out = str(tmp_path / "{track}.mid"), tmp_path / "out"
    assert main(["separate", *map(str, paths), "--score", scores, "-o", str(out)]) == 0
    lines = sorted(capsys.readouterr().err.splitlines())
    assert [line.startswith("terzetto: warning: ") and "silent" in line for line in lines] == [True, True]
    assert "one.wav" in lines[0] and "two.wav" in lines[1]
    for name in ("one", "two"):
        found = stems(out / name)
        assert sorted(found) == sorted(STEMS) and not any(audio.any() for audio in found.values())


@pytest.mark.parametrize("samples", [1, 2, 3, 700])
def test_takes_of_a_few_samples(
    tmp_path: Path, make_piano: Callable[..., PianoTake], samples: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, make_piano(2.0))
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (samples, 2))
    soundfile.write(str(path), audio, 44100, subtype="FLOAT")
    (tmp_path / "take.csv").write_text("Start;Duration;Pitch;Velocity;Instrument\n0;1;60;.5;lh\n0;1;72;.5;rh\n")
    score = str(tmp_path / "take.csv")
    assert main(["separate", str(path), "--score", score, "-o", str(tmp_path / "out"), "--int24"]) == 0
    np.testing.assert_allclose(sum(stems(tmp_path / "out" / "take").values()), audio.T, atol=1e-6)
    assert capsys.readouterr().err == ""


def test_any_name_and_any_place(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str]
) -> None:
    take = make_piano(2.0)
    for name in ("Prélude ♭ {x}", "with.dots and spaces", os.fsdecode(b"not unicode \xff")):
        path = write(tmp_path, take)
        path = path.rename(path.with_name(f"{name}.wav"))
        score = str(tmp_path / "take.mid")
        pattern = "{stem}/of {track}/{stem}.{ext}"
        command = ["separate", str(path), "--score", score, "-o", str(tmp_path / "out"), "--filename", pattern]
        assert main([*command, "--flac"]) == 0
        for stem in STEMS:
            assert (tmp_path / "out" / stem / f"of {name}" / f"{stem}.flac").is_file()
    assert capsys.readouterr().err == ""


def test_a_score_without_hands_will_do_for_stems_by_note(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, make_piano(2.0))
    (tmp_path / "take.csv").write_text("Start;Duration;Pitch\n0.1;0.9;48\n0.1;0.9;55\n0.6;1;64\n")
    command = ["separate", str(path), "--score", str(tmp_path / "take.csv"), "-o", str(tmp_path / "out")]
    assert main(command) == 0
    assert "told by the notes; --left-track and --right-track, or --split-pitch, say it" in capsys.readouterr().err
    assert set(stems(tmp_path / "out" / "take")) == set(STEMS)
    shutil.rmtree(tmp_path / "out")
    assert main([*command, "--by", "note"]) == 0
    assert capsys.readouterr().err == ""
    assert len(stems(tmp_path / "out" / "take")) == 4


def test_a_stem_never_replaces_its_take(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, make_piano(2.0), "left_hand")
    before = path.read_bytes()
    os.link(path, tmp_path / "right_hand.wav")  # by another name
    for out, pattern in ((tmp_path, "{stem}.{ext}"), (tmp_path / "x" / "..", "{stem}.{ext}")):
        out.mkdir(exist_ok=True, parents=True)
        assert separate(path, out, "--filename", pattern) == 2
        assert "would replace the take" in capsys.readouterr().err
    assert path.read_bytes() == before and not (tmp_path / "residual.wav").exists()


def test_a_warning_when_many_notes_lie_beyond_the_end(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, make_piano(3.0))
    audio, rate = soundfile.read(str(path))
    soundfile.write(str(path), audio[: len(audio) // 2], rate, subtype="FLOAT")
    assert separate(path, tmp_path / "out") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("terzetto: warning: ") and "after the end of the audio" in line


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("stage", "number", "status"),
    [("factorising", signal.SIGINT, 130), ("rebuilding", signal.SIGINT, 130), ("rebuilding", signal.SIGTERM, 143)],
)
def test_interrupted_in_the_middle_nothing_is_left(
    tmp_path: Path, make_piano: Callable[..., PianoTake], stage: str, number: int, status: int
) -> None:
    take = make_piano(20.0)
    again = [np.tile(hand, 12) for hand in (take.left, take.right)]  # four minutes
    path = write(tmp_path, replace(take, left=again[0], right=again[1]))
    out = tmp_path / "out"
    (out / "take").mkdir(parents=True)
    (out / "take" / "left_hand.wav").write_bytes(b"older stem")
    command = [sys.executable, "-m", "terzetto", "separate", str(path), "--score", str(path.with_suffix(".mid"))]
    command += ["-o", str(out), "--progress", "json", "--by", "pitch", "-j", "1"]
    # its own group, as a shell's foreground job has: an ignored signal must not be inherited
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    for line in process.stderr:
        found: dict[str, Any] = json.loads(line)
        if found["stage"] == stage and found["fraction"] < 0.9:
            process.send_signal(number)
            break
    rest = process.stderr.read().splitlines()
    assert process.wait() == status and process.stdout.read() == ""
    process.stdout.close()
    process.stderr.close()
    assert [line for line in rest if not line.startswith("{")] == (["terzetto: interrupted"] if status == 130 else [])
    assert [path.name for path in out.rglob("*")] == ["take", "left_hand.wav"]
    assert (out / "take" / "left_hand.wav").read_bytes() == b"older stem"


def test_the_same_in_python(piano: PianoTake, tmp_path: Path) -> None:
    import terzetto

    write(tmp_path, piano)
    found = terzetto.separate_hands(piano.mix, piano.sample_rate, tmp_path / "take.mid")
    assert list(found) == list(STEMS) and all(stem.shape == piano.mix.shape for stem in found.values())
    assert separate(tmp_path / "take.wav", tmp_path / "out") == 0
    # the file knows no more of the score than MIDI's 7 bits of velocity
    for name, stem in stems(tmp_path / "out" / "take").items():
        np.testing.assert_allclose(stem[0], found[name], atol=1e-6)
    with pytest.raises(InputError, match="no such score"):
        terzetto.separate_hands(piano.mix, piano.sample_rate, tmp_path / "missing.mid")


@pytest.mark.parametrize("mode", ["rescale", "clamp", "none"])
def test_stems_lie_where_the_take_lay_and_fit_their_format(
    tmp_path: Path, make_piano: Callable[..., PianoTake], mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    piano = make_piano(2.0)
    path = write(tmp_path, piano)
    loud = piano.mix * (1.5 / np.abs(piano.mix).max())
    soundfile.write(path, loud, piano.sample_rate, "FLOAT")
    whole = path.read_bytes()
    added = chunk(b"bext", bext(version=1)) + chunk(b"cue ", cue(100, 2000))
    path.write_bytes(whole[:4] + (len(whole) - 8 + len(added)).to_bytes(4, "little") + whole[8:] + added)
    command = ["separate", str(path), "--score", str(tmp_path / "take.mid"), "-o", str(tmp_path / "out"), "--json"]
    status = main([*command, "--int24", "--clip-mode", mode])
    captured = capsys.readouterr()
    if mode == "none":
        assert status == 2 and "too much for 24-bit WAV; choose --clip-mode" in captured.err
        assert not (tmp_path / "out").exists()
        return
    (done,) = json.loads(captured.out)["done"]
    assert (done["gain_db"] < 0, done["clamped"] > 0) == (mode == "rescale", mode == "clamp")
    for stem in done["stems"].values():
        kept = read_metadata(Path(stem))
        assert (kept.before + kept.after) == [(b"bext", bext(version=1)), (b"cue ", cue(100, 2000))]


def test_a_heard_take_is_known_by_the_models_too(
    tmp_path: Path, piano: PianoTake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another model makes other results: a batch that is resumed must notice. The score that is made is a target."""
    soundfile.write(str(tmp_path / "take.wav"), piano.mix, piano.sample_rate)
    item = Item("take.wav", tmp_path / "take.wav")
    heard, given = Job(ScoreSource(""), Settings()), Job(ScoreSource("take.mid"), Settings())
    assert "take/score.mid" in heard.targets(item) and "take/score.mid" not in given.targets(item)
    assert "take/score.mid" not in heard.targets(replace(item, score="take.mid")), "paired with a score"
    before = heard.identity()
    assert before == heard.identity() and set(before["models"]) == {"hand_labels", "transcription"}
    assert set(given.identity()["models"]) == {"hand_labels"}
    (tmp_path / "models").mkdir()
    shipped = (shipped_folder() / "transcription.onnx").read_bytes()
    (tmp_path / "models" / "transcription.onnx").write_bytes(shipped + b"another")
    monkeypatch.setenv("TERZETTO_MODELS", str(tmp_path / "models"))
    assert heard.identity() != before and given.identity() == Job(ScoreSource("take.mid"), Settings()).identity()
