"""``terzetto morph`` over folders: what is done stays done, until the target or a setting is another one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from terzetto.audio.files import read_audio
from terzetto.cli import main
from tests.host.batch_files import RATE, manifest, write_takes

NAMES = ["a.wav", "phrases/a.wav", "phrases/b.wav"]


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """A folder of noises (one is no sound at all), and a target of two tones."""
    write_takes(tmp_path / "in", NAMES)
    (tmp_path / "in" / "bad.wav").write_text("no sound")
    write_target(tmp_path / "target.wav", 220.0)
    folders = [str(tmp_path / "in"), "--to", str(tmp_path / "target.wav"), "-o", str(tmp_path / "out")]
    return ["morph", *folders, "--method", "mosaic", "-j", "1"]


def write_target(path: Path, frequency: float) -> None:
    time = np.arange(RATE) / RATE
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * frequency * time) * np.exp(-time), RATE, "FLOAT")


def test_a_folder_is_morphed_once_and_bad_files_are_named(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--json"]) == 1
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert len(result["done"]) == 3 and [each["kind"] for each in result["done"]] == ["hybrid"] * 3
    assert "bad.wav: not an audio file" in captured.err and captured.err.count("terzetto: error") == 1
    for name in NAMES:
        made, rate = read_audio(tmp_path / "out" / name)
        assert (rate, made.shape) == (RATE, (1, 4000)) and made.std() > 0.01
    # Each by itself gives the same.
    alone = ["morph", str(tmp_path / "in" / NAMES[2]), *command[2:4], "--method", "mosaic"]
    assert main([*alone, "-o", str(tmp_path / "alone.wav")]) == 0
    np.testing.assert_array_equal(read_audio(tmp_path / "alone.wav")[0], made)
    capsys.readouterr()
    assert main(command) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and "3 of 4 files were done before" in captured.err


def test_another_target_or_setting_is_another_result(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in" / "bad.wav").unlink()
    assert main(command) == 0
    first, _ = read_audio(tmp_path / "out" / "a.wav")
    assert main([*command, "--amount", "0.5"]) == 0
    assert "done before" not in capsys.readouterr().err
    write_target(tmp_path / "target.wav", 330.0)  # the same name, another sound
    assert main(command) == 0
    assert "done before" not in capsys.readouterr().err
    assert not np.array_equal(read_audio(tmp_path / "out" / "a.wav")[0], first)
    assert {record["status"] for record in manifest(tmp_path / "out")} == {"done"}
    assert main([*command, "--dry-run"]) == 0
    assert "3 files" in capsys.readouterr().out


def test_what_is_wrong_with_the_target_is_said_once(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "target.wav").write_text("no sound")
    assert main(command) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "target.wav: not an audio file" in captured.err
    assert not (tmp_path / "out").exists()
    assert main([*command[:5], str(tmp_path / "out.wav"), *command[6:]]) == 2
    assert "several sources go into a folder" in capsys.readouterr().err
