"""Whatever is wrong with what `terzetto separate` is given: one line that says so, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from terzetto.cli import main
from terzetto.score.midi import write_midi

if TYPE_CHECKING:
    from conftest import PianoTake

HEADER = "Start;Duration;Pitch;Velocity;Instrument\n"
NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, (30_000, 2))


@pytest.fixture
def place(tmp_path: Path, make_piano: Callable[..., PianoTake]) -> Path:
    """A folder with good and bad files of every kind."""
    take = make_piano(1.5)

    def write(name: str, audio: np.ndarray, rate: int = 22050, subtype: str | None = "FLOAT") -> Path:
        soundfile.write(str(tmp_path / name), audio, rate, subtype=subtype)
        return tmp_path / name

    write("good.wav", take.mix)
    write_midi(take.score, tmp_path / "good.mid")
    write("three.wav", NOISE[:, [0, 1, 0]])
    write("slow.wav", NOISE, 2000)
    write("noise.wav", np.tile(NOISE, (6, 1)))
    write("nothing.wav", NOISE[:0])
    for name, value in (("nan.wav", np.nan), ("inf.wav", np.inf)):
        write(name, np.where(np.arange(30_000) == 29_000, value, NOISE[:, 0]))
    for name in ("cut.flac", "cut.mp3", "cut.aiff", "cut.wav"):
        path = write(name, NOISE, subtype=None)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("text " * 1000)
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "good.wav").write_bytes((tmp_path / "good.wav").read_bytes())
    (tmp_path / "late.csv").write_text(HEADER + "100;1;60;.5;lh\n101;1;70;.5;rh\n")
    (tmp_path / "none.csv").write_text(HEADER)
    (tmp_path / "trio.csv").write_text(HEADER + "0;1;60;.5;vl\n0;1;70;.5;vc\n0;1;70;.5;fl\n")
    (tmp_path / "row.csv").write_text(HEADER + "0;1;60;.5;lh\n0;one;60;.5;lh\n")
    (tmp_path / "cut.mid").write_bytes((tmp_path / "good.mid").read_bytes()[:40])
    return tmp_path


GOOD = ["good.wav", "--score", "good.mid"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.wav", "--score", "good.mid"], "missing.wav: no such file"),
        (["empty.wav", "--score", "good.mid"], "empty.wav: the file is empty"),
        (["folder.wav", "--score", "good.mid"], "folder.wav: the folder holds no audio"),
        (["text.wav", "--score", "good.mid"], "text.wav: not an audio file"),
        (["good.mid", "--score", "good.mid"], "good.mid: not an audio file"),
        (["nothing.wav", "--score", "good.mid"], "nothing.wav: has no samples"),
        (["three.wav", "--score", "good.mid"], "three.wav: has 3 channels"),
        (["slow.wav", "--score", "good.mid"], "slow.wav: has a sample rate of 2000"),
        (["nan.wav", "--score", "good.mid"], "nan.wav: sample 29000 (1.315 s)"),
        (["inf.wav", "--score", "good.mid"], "inf.wav: sample 29000 (1.315 s)"),
        (["cut.wav", "--score", "good.mid"], "cut.wav: the file is cut short"),
        (["cut.flac", "--score", "good.mid"], "cut.flac: the file is cut short"),
        (["cut.aiff", "--score", "good.mid"], "cut.aiff: the file is cut short"),
        (["cut.mp3", "--score", "good.mid"], "cut.mp3: the file is cut short"),
        (["good.wav", "--left-track", "1"], "--left-track is about a score; give the score with --score"),
        (["noise.wav"], "no piano notes are heard in this take"),
        (["good.wav", "--score", "missing.mid"], "missing.mid: no such score"),
        (["good.wav", "--score", "good.wav"], "a score must be one of .mid, .midi, .csv"),
        (["good.wav", "--score", "cut.mid"], "cut.mid: the MIDI file is damaged"),
        (["good.wav", "--score", "late.csv"], "does not overlap the audio"),
        (["good.wav", "--score", "none.csv"], "none.csv: the CSV score has no notes"),
        (["good.wav", "--score", "row.csv"], "row.csv: line 3 is not a note"),
        (["good.wav", "--score", "trio.csv", "--left-track", "va"], "1 'fl' (1 notes), 2 'vc' (1 notes), 3 'vl'"),
        (["good.wav", "--score", "{take}.mid"], "unknown field {take}; valid: {stem}, {track}"),
        ([*GOOD, "--left-track", "7"], "'7' is not in the score"),
        ([*GOOD, "--left-track", "left", "--split-pitch", "60"], "not both"),
        ([*GOOD, "--split-pitch", "200"], "0..127"),
        ([*GOOD, "--method", "magic"], "'magic' is not installed; valid: nae, nmf"),
        ([*GOOD, "--by", "note", "--mask", "coherent", "--stereo-stage"], "--by hand only"),
        ([*GOOD, "--iterations", "0"], "iterations must be"),
        ([*GOOD, "--eps", "nan"], "eps must be"),
        ([*GOOD, "-j", "-1"], "-j is 0"),
        ([*GOOD, "--filename", "{track}.{ext}"], "needs {stem}"),
        ([*GOOD, "--filename", "{{stem}}.{ext}"], "needs {stem}"),
        ([*GOOD, "--filename", "{stem}_{take}.wav"], "unknown field {take}; valid: {ext}, {stem}, {track}"),
        ([*GOOD, "--filename", "{stem"], "is not a pattern"),
        ([*GOOD, "--filename", "{stem:d}.{ext}"], "is not a pattern"),
        ([*GOOD, "--filename", "{stem!x}.{ext}"], "is not a pattern"),
        ([*GOOD, "--filename", "{stem.name}.{ext}"], "unknown field"),
        ([*GOOD, "--filename", "{}{stem}.{ext}"], "unknown field"),
        ([*GOOD, "--filename", "{stem}"], "must end in .{ext} or .wav"),
        ([*GOOD, "--filename", "{stem}.wav", "--flac"], "must end in .{ext} or .flac"),
        ([*GOOD, "-o", "good.mid"], "is a file, not a folder"),
        ([*GOOD, "-o", "good.mid/deeper"], "is a file, not a folder"),
        ([*GOOD, "-o", "other", "--filename", "../../{stem}/x.{ext}", "--score", "late.csv"], "does not overlap"),
        (["good.wav", "nan.wav", "--score", "good.mid"], "several takes need a score each"),
        (["good.wav", "nan.wav", "--score", "{{track}}.mid"], "several takes need a score each"),
        (["good.wav", "nan.wav", "--score", "{track}.mid", "--filename", "{stem}.{ext}"], "would both be written to"),
        (["good.wav", "nan.wav", "--score", "{track}.mid"], "1 of 2 takes have no score by --score"),
        (["good.wav", "other/good.wav", "--score", "{track}.mid"], "written to separated/good/left_hand.wav"),
    ],
)  # fmt: skip
def test_one_line_says_what_is_wrong_and_nothing_is_written(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    assert main(["separate", *arguments]) == 2
    captured = capfd.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("terzetto: error: ") and message in line
    assert captured.out == "" and sorted(place.rglob("*")) == before


def test_the_files_used_above_are_good(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    assert main(["separate", *GOOD]) == 0
