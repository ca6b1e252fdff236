"""Batches on one machine: trees, resuming, what is done once, what is left alone, what a batch says."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from terzetto.audio.files import read_audio
from terzetto.cli import main
from tests.host.batch_files import manifest, start, write_chain, write_takes
from tests.host.conftest import runs, until


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_keeps_its_tree_and_any_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["one.wav", "a/one.wav", "a/Prélude ♭ {x}.wav", "a/b/with.dots and spaces.wav"]
    takes = write_takes(tmp_path / "in", names)
    (tmp_path / "in" / "notes.txt").write_text("no audio")
    write_takes(tmp_path / "in" / ".hidden", ["x.wav"])
    out = tmp_path / "in" / "out"  # below the inputs: results are no inputs the next time
    command = ["process", str(write_chain(tmp_path)), str(tmp_path / "in"), "-o", str(out), "-j", "2"]
    assert main(command) == 0
    assert tree(out) == sorted([*names, "manifest.jsonl", "summary.csv"])
    for take, name in zip(takes, names, strict=True):
        np.testing.assert_allclose(read_audio(out / name)[0], read_audio(take)[0] * 10 ** (-6 / 20), atol=1e-6)
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(command) == 0
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == "terzetto: 4 of 4 files were done before\n"
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["output"] for row in rows] == ["one.wav", "a/Prélude ♭ {x}.wav", "a/one.wav", names[3]]
    assert {(row["status"], row["duration_s"]) for row in rows} == {("done", "0.5")}


def test_patterns_and_names_that_are_no_unicode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = os.fsdecode(b"\xff.wav")
    write_takes(tmp_path, ["in/a/1.wav", "in/b/1.wav", "in/b/2.flac.wav", f"in/{odd}", "in/[x].wav"])
    monkeypatch.chdir(tmp_path)
    chain = str(write_chain(tmp_path))
    assert main(["process", chain, "in/*/1.wav", "in/[[]x].wav", f"in/{odd}", "-o", "out"]) == 0
    assert [name for name in tree(tmp_path / "out") if name.endswith(".wav")] == ["[x].wav", "a/1.wav", "b/1.wav", odd]
    assert main(["process", chain, "in/[x].wav", "-o", "alone"]) == 0  # a file that is there is no pattern
    assert tree(tmp_path / "alone") == ["[x].wav"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in/a/1.wav", "in/b/1.wav"], "in/a/1.wav and in/b/1.wav would both be written to out/1.wav"),
        (["in", "--filename", "all.{ext}"], "in/b/1.wav and in/b/2.wav would both be written to out/b/all.wav"),
        (["in/a", "-o", "in/a"], "in/a/1.wav: would replace the take in/a/1.wav"),
        (["in/a", "in/b", "-o", "in", "--filename", "b/{track}.{ext}"], "in/b/1.wav: would replace the take"),
        (["nothing*.wav"], "nothing*.wav: no file is called so"),
        (["empty"], "empty: the folder holds no audio files"),
        (["in", "-j", "-2"], "-j is 0"),
        (["in", "--timeout", "0"], "--timeout is a number of seconds above 0"),
        (["in", "--cluster", "somewhere"], "--cluster is dask://HOST:PORT or local:N"),
        (["in", "-o", "readonly"], "readonly/manifest.jsonl: cannot be written"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_takes(tmp_path, ["in/a/1.wav", "in/b/1.wav", "in/b/2.wav"])
    (tmp_path / "empty").mkdir()
    (tmp_path / "readonly").mkdir()
    (tmp_path / "readonly" / "manifest.jsonl").mkdir()  # as good as a folder that may not be written, for any user
    write_chain(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = tree(tmp_path)
    options = [] if "-o" in arguments else ["-o", "out"]
    assert main(["process", "chain.toml", *arguments, *options]) == 2
    assert message in capsys.readouterr().err and tree(tmp_path) == before


def test_only_what_changed_is_done_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    takes = write_takes(tmp_path / "in", 4)
    chain, out = write_chain(tmp_path), tmp_path / "out"
    command = ["process", str(chain), str(tmp_path / "in"), "-o", str(out), "-j", "1"]

    def done_now() -> list[str]:
        capsys.readouterr()
        assert main(command) == 0
        return [Path(line.split(" → ")[0]).name for line in capsys.readouterr().out.splitlines()]

    assert len(done_now()) == 4 and done_now() == []
    write_takes(tmp_path / "in", ["0001.wav"], frames=4001)
    assert done_now() == ["0001.wav"]
    content = takes[2].read_bytes()
    takes[2].write_bytes(content)  # written again, but the same
    assert done_now() == []
    takes[2].write_bytes(content[:-4] + b"\0\0\0\0")  # as long as before, and set back to its old time
    os.utime(takes[2], ns=(0, manifest(out)[2]["input"]["mtime_ns"]))
    assert done_now() == ["0002.wav"]
    (out / "0003.wav").unlink()
    assert done_now() == ["0003.wav"]
    chain.write_text(chain.read_text().replace("-6.0", "-7.0"))
    assert len(done_now()) == 4
    command.append("--redo")
    assert len(done_now()) == 4
    command[-1] = "--int24"
    assert len(done_now()) == 4


def test_another_version_does_everything_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_takes(tmp_path / "in", 2)
    command = ["process", str(write_chain(tmp_path)), str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    assert main(command) == 0
    lines = (tmp_path / "out" / "manifest.jsonl").read_text()
    assert lines.count('"terzetto": "0.') == 2
    monkeypatch.setattr("terzetto_host.batch.fingerprint.__version__", "99.0")
    assert main(command) == 0
    assert len(manifest(tmp_path / "out")) == 4


def test_a_batch_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    write_takes(tmp_path / "in", 60, frames=40_000)
    out = tmp_path / "out"
    chain = write_chain(tmp_path, "[[stage]]\nplugin = 'Reverb'\n" * 3)
    command = ["process", chain, tmp_path / "in", "-o", out, "-j", "2"]
    process = start(*command)
    until(lambda: (out / "manifest.jsonl").exists() and len(manifest_lines(out)) >= 5, "some results")
    children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    until(lambda: not any(runs(pid) for pid in children), "the workers' end")
    done = manifest_lines(out)
    assert 5 <= len(done) < 60
    with (out / "manifest.jsonl").open("a") as file:
        file.write(done[0][:50])  # as if it had been killed while writing
    killed = out / f".terzetto-{os.uname().nodename}-{process.pid}-left"
    killed.mkdir()
    before = {name: (out / name).stat().st_mtime_ns for name in names_done(done)}
    finished = subprocess.run([sys.executable, "-m", "terzetto", *map(str, command)], capture_output=True, text=True)
    assert finished.returncode == 0 and f"{len(before)} of 60 files were done before" in finished.stderr
    assert before == {name: (out / name).stat().st_mtime_ns for name in before}
    assert tree(out) == sorted([*(f"{n:04d}.wav" for n in range(60)), "manifest.jsonl", "summary.csv"])
    assert not killed.exists() and not [path for path in out.iterdir() if path.is_dir()]
    assert sorted(names_done(manifest_lines(out))) == [f"{n:04d}.wav" for n in range(60)]  # each once


def manifest_lines(out: Path) -> list[str]:
    return (out / "manifest.jsonl").read_text().splitlines()


def names_done(lines: list[str]) -> list[str]:
    found = []
    for line in lines:
        with suppress(ValueError):
            found.append(json.loads(line)["key"])
    return found


def test_interrupted_it_ends_in_order(tmp_path: Path) -> None:
    write_takes(tmp_path / "in", 40, frames=40_000)
    out = tmp_path / "out"
    chain = write_chain(tmp_path, "[[stage]]\nplugin = 'Reverb'\n" * 3)
    process = start("process", chain, tmp_path / "in", "-o", out, "-j", "2")
    until(lambda: (out / "manifest.jsonl").exists() and len(manifest_lines(out)) >= 3, "some results")
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130 and errors == "terzetto: interrupted\n"
    assert not [path for path in out.iterdir() if path.is_dir()]
    names = [path.name for path in out.glob("*.wav")]
    assert set(names_done(manifest_lines(out))) <= set(names) and len(names) < 40


def test_two_batches_do_not_share_a_folder(tmp_path: Path) -> None:
    write_takes(tmp_path / "in", 30, frames=80_000)
    chain = write_chain(tmp_path, "[[stage]]\nplugin = 'Reverb'\n" * 4)
    command = ["process", chain, tmp_path / "in", "-o", tmp_path / "out", "-j", "1"]
    process = start(*command)
    until(lambda: (tmp_path / "out" / "manifest.jsonl").exists(), "the manifest")
    other = subprocess.run([sys.executable, "-m", "terzetto", *map(str, command)], capture_output=True, text=True)
    process.terminate()
    process.communicate()
    assert other.returncode == 2 and "another batch is at work there" in other.stderr
    assert process.returncode == 143


def test_progress_and_results_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_takes(tmp_path / "in", 3)
    (tmp_path / "in" / "bad.wav").write_text("no sound")
    command = ["process", str(write_chain(tmp_path)), str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    assert main([*command, "--json", "--progress", "json"]) == 1
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert len(result["done"]) == 3 and "bad.wav" in result["failed"][0]["error"]
    lines = [json.loads(line) for line in captured.err.splitlines() if line.startswith("{")]
    fractions = [line["fraction"] for line in lines]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and lines[-1]["files"] == lines[-1]["of"] == 4
    assert {"take", "stage", "left"} < set(lines[0])
    assert main([*command, "--progress", "bar"]) == 1  # what failed is tried again, what is done is not
    captured = capsys.readouterr()
    assert "4 files" in captured.err and captured.out == ""


def test_a_dry_run_tells_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_takes(tmp_path / "in", 5)
    command = ["process", str(write_chain(tmp_path)), str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--dry-run"]
    assert main([*command, "--json", "-j", "2"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["files"] == 5 and about["workers"] == 2 and about["unreadable"] == []
    assert about["audio_hours"] == pytest.approx(2.5 / 3600, abs=1e-3)
    (tmp_path / "in" / "empty.wav").touch()
    assert main(command) == 1
    captured = capsys.readouterr()
    assert "empty.wav: the file is empty" in captured.err and "5 files" not in captured.out
    assert "times real time" in captured.out and not (tmp_path / "out").exists()
