"""``terzetto drums encode``, ``denoise`` and ``simplify`` over folders: the batch engine with MIDI files."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from terzetto.cli import main
from terzetto.drums.beat import Beat
from terzetto.drums.grid import Hvo
from terzetto.drums.midi import read_beat, write_beat
from tests.host.batch_files import manifest, start
from tests.host.conftest import until

NOTES = np.array([36, 38, 42, 46])


def write_loops(folder: Path, names: list[str]) -> None:
    """Write beats of two bars by chance, each another."""
    random = np.random.default_rng(0)
    for name in names:
        drum, step = np.nonzero(random.random((len(NOTES), 32)) < 0.3)
        write_beat(folder / name, Beat.of(step / 4, NOTES[drum], 0.7, tempo=120.0, bars=2))


def test_a_folder_is_encoded_once_and_bad_files_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_loops(tmp_path / "in", ["a.mid", "verse/a.MID", "verse/b.midi"])
    (tmp_path / "in" / "notes.txt").write_text("no beat")
    (tmp_path / "in" / "verse" / "text.mid").write_text("no MIDI file at all")
    command = ["drums", "encode", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-j", "1"]
    assert main(command) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 3
    assert "text.mid: not a readable MIDI file" in captured.err and captured.err.count("terzetto: error") == 1
    points = json.loads((tmp_path / "out" / "verse" / "b.json").read_text())
    assert len(points["bars"]) == 2 and len(points["bars"][0]["latent"]) == 32 and points["seconds"] == 4.0
    assert main(command) == 1  # only what failed is tried again
    captured = capsys.readouterr()
    assert captured.out == "" and "3 of 4 files were done before" in captured.err
    assert [line["status"] for line in manifest(tmp_path / "out")] == ["done", "done", "done", "failed", "failed"]


def test_a_batch_of_beats_that_was_killed_goes_on(tmp_path: Path) -> None:
    names = [f"{number:03d}.mid" for number in range(40)]
    write_loops(tmp_path / "in", names)
    out = tmp_path / "out"
    command = ["drums", "denoise", tmp_path / "in", "-o", out, "-j", "1"]
    process = start(*command)
    until(lambda: (out / "manifest.jsonl").exists() and len(manifest(out)) >= 3, "some results")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = len((out / "manifest.jsonl").read_bytes().splitlines())
    assert 3 <= done < 40
    again = start(*command)
    again.communicate()
    assert again.returncode == 0
    assert len(manifest(out)) == 40  # nothing twice
    assert sorted(path.name for path in out.glob("*.mid")) == names


def test_each_edit_keeps_tree_length_and_tempo_and_settings_decide(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    eighths = np.arange(16) / 2
    for name, note in (("a.mid", 42), ("b/a.mid", 51)):
        onset, notes = np.tile(eighths, 2), np.append(np.full(16, note), np.tile([36, 36, 38, 36], 4))
        write_beat(tmp_path / "in" / name, Beat.of(onset, notes, 0.8, tempo=120.0, bars=2))
    command = ["drums", "simplify", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-j", "1", "--json"]
    counts = []
    for keep in ("2", "99"):
        assert main([*command, "--keep", keep]) == 0  # another setting: all is done again
        done = json.loads(capsys.readouterr().out)["done"]
        counts.append(sum(each["hits"] for each in done))
        assert [len(Hvo.bars_of(read_beat(each["midi"]))) for each in done] == [2, 2]
    assert counts[0] < counts[1]
    assert read_beat(tmp_path / "out" / "b" / "a.mid").tempo == pytest.approx(120.0, abs=1e-3)
    assert main([*command, "--keep", "99", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 2
