"""``terzetto align`` and ``terzetto separate --align``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from terzetto.cli import main
from terzetto.score.midi import write_midi
from terzetto.score.notes import Score
from terzetto.score.read import read_score
from tests.engine.score.pieces import RATE, Float, compose, performed, play


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("align")
    sheet = compose(24, seed=5)
    write_midi(sheet, folder / "sheet.mid")
    write_midi(compose(24, seed=9), folder / "other.mid")
    soundfile.write(str(folder / "take.wav"), play(played(sheet)), RATE)
    return folder


def played(sheet: Score) -> Score:
    def slower(seconds: Float) -> Float:
        return np.asarray(0.5 + 1.2 * seconds)

    return performed(sheet, slower)


def test_the_sheet_comes_out_in_the_takes_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "new" / "take.mid"
    assert (
        main(["align", str(folder / "take.wav"), "--score", str(folder / "sheet.mid"), "-o", str(out), "--json"]) == 0
    )
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert captured.err == "" and result["midi"] == str(out) and 0 < result["cost"] < result["threshold"]
    true, found = played(read_score(folder / "sheet.mid")), read_score(out)
    assert len(found) == len(true) == result["notes"]
    assert np.median(np.abs(np.sort(found.onset) - np.sort(true.onset))) < 0.015
    assert [each.name for each in out.parent.iterdir()] == ["take.mid"]


def test_separate_writes_the_aligned_score_beside_the_stems(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "stems"
    command = ["separate", str(folder / "take.wav"), "--score", str(folder / "sheet.mid"), "--align", "-o", str(out)]
    assert main([*command, "--json"]) == 0
    (done,) = json.loads(capsys.readouterr().out)["done"]
    assert done["alignment"]["findings"] == [] and done["alignment"]["confidence"] > 0.7
    assert done["score_made"] == str(out / "take" / "score.mid")
    assert len(read_score(out / "take" / "score.mid")) == done["notes"]


def test_another_pieces_score_leaves_nothing_behind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "wrong"
    take, score = str(folder / "take.wav"), str(folder / "other.mid")
    assert main(["align", take, "--score", score, "-o", str(out / "a.mid")]) == 2
    assert main(["separate", take, "--score", score, "--align", "-o", str(out)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("the take does not play this score") == 2
    assert not list(out.rglob("*.mid")) and not list(out.rglob("*.wav"))
    assert main(["align", take, "--score", score, "-o", score]) == 2
    assert "would replace what it is made from" in capsys.readouterr().err


def test_separate_says_when_a_score_is_not_where_the_take_plays_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take = str(folder / "take.wav")
    assert main(["separate", take, "--score", str(folder / "sheet.mid"), "-o", str(tmp_path / "a"), "--json"]) == 0
    said = capsys.readouterr()
    assert "sheet.mid where the score has them" in said.err and "add --align" in said.err
    assert json.loads(said.out)["done"][0]["fit"] < 0.5
    assert main(["align", take, "--score", str(folder / "sheet.mid"), "-o", str(tmp_path / "in_time.mid")]) == 0
    capsys.readouterr()
    score = str(tmp_path / "in_time.mid")
    assert main(["separate", take, "--score", score, "-o", str(tmp_path / "b"), "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == "" and json.loads(said.out)["done"][0]["fit"] > 0.8


def test_what_aligns_is_loaded_only_where_it_is_used(folder: Path) -> None:
    code = (
        "import sys\nfrom terzetto.cli import main\nimport terzetto.hands.takes, terzetto.score.alignment\n"
        "print(sorted({'synctoolbox', 'music21', 'numba', 'pandas'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
