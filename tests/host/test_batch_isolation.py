"""What crashes, hangs or fails takes only its own file with it."""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from terzetto.cli import main
from terzetto.commands.batch import add_batch_flags, add_report_flags
from terzetto.errors import TerzettoError
from terzetto.jobs import Item, run_job
from terzetto_host.batch.crew import LocalCrew
from terzetto_host.batch.isolation import Worker
from terzetto_host.plugins import bundled
from tests.host.batch_files import Trouble, manifest, write_chain, write_takes
from tests.host.conftest import until


@pytest.fixture(autouse=True)
def reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes find the tests' own job."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def arguments(out: Path, *options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--out")
    parser.add_argument("--score")
    add_report_flags(parser.add_argument_group("output"))
    add_batch_flags(parser)
    return parser.parse_args(["-o", str(out), *options])


def batch(place: Path, names: list[str], *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Let a batch meet trouble; return its status and the manifest's lines by name."""
    if not (place / "in").exists():
        write_takes(place / "in", [f"{name}.wav" for name in names], frames=100)
    status = run_job(Trouble(), [str(place / "in")], arguments(place / "out", *options), lambda result: None)
    return status, {Path(line["key"]).stem: line for line in manifest(place / "out")}


def test_crashes_hangs_and_bugs_take_one_file_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a", "bad", "bug", "crash", "hang", "once", "z1", "z2"]
    status, found = batch(tmp_path, names, "-j", "2", "--timeout", "3")
    assert status == 1
    assert {name: line["status"] for name, line in found.items()} == {
        **dict.fromkeys(("a", "once", "z1", "z2"), "done"),
        **dict.fromkeys(("bug", "crash", "hang"), "quarantined"),
        "bad": "failed",
    }
    assert [found[name]["tries"] for name in ("a", "bad", "bug", "crash", "hang", "once")] == [1, 1, 3, 3, 3, 2]
    errors = capsys.readouterr().err
    assert "crash.wav: the process that worked on it crashed (SIGSEGV); given up after 3 tries" in errors
    assert "hang.wav: no progress for 3 s (--timeout); given up after 3 tries" in errors
    assert "bug.wav: ZeroDivisionError: a plugin's mistake" in errors
    began = time.monotonic()
    status, _ = batch(tmp_path, names, "-j", "2", "--timeout", "30")  # the quarantined ones are left alone
    assert status == 1 and time.monotonic() - began < 25
    errors = capsys.readouterr().err
    assert errors.count("left out (--redo tries again)") == 3 and "4 of 8 files were done before" in errors
    (tmp_path / "in" / "hang.wav").write_bytes((tmp_path / "in" / "crash.wav").read_bytes() + b"more")
    (tmp_path / "in" / "hang.wav").rename(tmp_path / "in" / "healed.wav")
    assert batch(tmp_path, names)[1]["healed"]["status"] == "done"


def test_nothing_of_the_folder_it_is_started_in_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('another json')")
    monkeypatch.chdir(tmp_path)
    assert batch(tmp_path, ["a"])[0] == 0


def test_a_worker_that_cannot_be_started_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(TerzettoError, match=r"no worker could be started .*no-python"):
        batch(tmp_path, ["a", "b"], "-j", "2")
    assert manifest(tmp_path / "out") == []


def test_a_full_disk_ends_the_batch_in_order_and_it_goes_on_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["a", "full", *(f"z{n}" for n in range(8))]
    status, found = batch(tmp_path, names, "-j", "1")
    assert status == 1 and list(found) == ["a"]
    errors = capsys.readouterr().err
    assert errors.count("error") == 1 and "stopped with 9 of 10 files to go: make room" in errors
    (tmp_path / "in" / "full.wav").rename(tmp_path / "in" / "room.wav")
    status, found = batch(tmp_path, names)
    assert status == 0 and len(found) == 10 and "1 of 10 files were done before" in capsys.readouterr().err


def test_a_disk_that_really_fills_up(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be made here (needs mount)")
    try:
        write_takes(tmp_path / "in", 12, frames=40_000)
        command = ["process", str(write_chain(tmp_path)), str(tmp_path / "in"), "-o", str(small / "out"), "-j", "2"]
        run = [sys.executable, "-m", "terzetto", *command]
        first = subprocess.run(run, capture_output=True, text=True, check=False)
        errors = [line for line in first.stderr.splitlines() if "error" in line]
        assert first.returncode == 1 and len(errors) == 1 and "is the disk full?" in errors[0]
        kept = sorted(path.name for path in (small / "out").iterdir() if path.suffix == ".wav")
        assert 3 <= len(kept) < 12 and not [path for path in (small / "out").iterdir() if path.is_dir()]
        subprocess.run(["mount", "-o", "remount,size=8m", str(small)], check=True)
        second = subprocess.run(run, capture_output=True, text=True, check=False)
        assert second.returncode == 0 and f"{len(kept)} of 12 files were done before" in second.stderr
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_what_a_worker_could_not_clear_away_is_cleared_when_it_is_ended(tmp_path: Path) -> None:
    (path,) = write_takes(tmp_path / "in", ["leave.wav"], frames=100)
    out = tmp_path / "out"
    worker = Worker(1, 60.0)
    item = Item(str(path), path)
    hand = threading.Thread(target=worker.do, args=(Trouble(), item, str(out), "hash", lambda *_: None))
    hand.start()
    until(lambda: out.exists() and any(out.iterdir()), "its workshop")
    worker.close()
    hand.join(30)
    assert not hand.is_alive() and not any(out.iterdir())


def test_workers_share_the_cores_and_start_again_when_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    takes = write_takes(tmp_path / "in", ["a.wav", "crash.wav", "b.wav"], frames=100)
    worker = Worker(1, 30.0)
    try:
        pids = []
        for path in takes:
            record = worker.do(Trouble(), Item(str(path), path), str(tmp_path / "out"), "hash", lambda *_: None)
            pids.append(record.result.get("pid"))
        assert pids[0] and pids[1] is None and pids[2] not in (None, pids[0])
        environment = Path(f"/proc/{worker.pid}/environ").read_bytes().split(b"\0")
        assert b"OMP_NUM_THREADS=1" in environment and b"TERZETTO_THREADS=1" in environment
    finally:
        worker.close()
    assert worker.pid is not None and not Path(f"/proc/{worker.pid}").exists()
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(12)))
    crew = LocalCrew(Trouble(), "", "", workers=5, threads=0, limit=1.0)
    assert [hand._threads for hand in crew._workers] == [2] * 5


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    """A few hundred files through one worker: neither it nor the batch keeps anything of them."""
    write_takes(tmp_path / "in", 300, frames=2000)
    chain = write_chain(tmp_path, "[[stage]]\nplugin = 'Compressor'\n[[stage]]\nplugin = 'Reverb'\n")
    worker, resident = watch_memory(chain, tmp_path)
    early, late = resident(50), resident(300)
    assert worker() == 0
    assert late["batch"] - early["batch"] < 8 and late["worker"] - early["worker"] < 8  # MiB


def watch_memory(chain: Path, place: Path) -> tuple[Any, Any]:
    """Start a batch of one worker; return what waits for its status, and what tells MiB when so many files are done."""
    command = [sys.executable, "-m", "terzetto", "process", str(chain), str(place / "in"), "-o", str(place / "out")]
    process = subprocess.Popen([*command, "-j", "1"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines: Iterator[str] = iter(process.stdout)
    count = 0

    def resident(files: int) -> dict[str, float]:
        nonlocal count
        while count < files - 1:
            next(lines)
            count += 1
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        threads = [*Path(f"/proc/{process.pid}/task").glob("*/children")]
        pids = [pid for each in (children, *threads) for pid in each.read_text().split()]
        return {"batch": mebibytes(process.pid), "worker": mebibytes(int(pids[0]))}

    def status() -> int:
        with process:
            for _ in lines:
                pass
        return process.returncode

    return status, resident


def mebibytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.soak
def test_five_thousand_files(tmp_path: Path) -> None:
    write_takes(tmp_path / "in", 5000, frames=2000)
    chain = write_chain(tmp_path, "[[stage]]\nplugin = 'Compressor'\n[[stage]]\nplugin = 'Reverb'\n")
    worker, resident = watch_memory(chain, tmp_path)
    early, late = resident(200), resident(5000)
    print(early, late)
    assert worker() == 0
    assert late["batch"] - early["batch"] < 8 and late["worker"] - early["worker"] < 8  # MiB
    assert len(manifest(tmp_path / "out")) == 5000


def write_silence(path: Path, hours: float) -> None:
    """Write a WAV of 8 kHz, mono, 16 bits, whose samples take no room on the disk."""
    size = round(hours * 3600) * 8000 * 2
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    head = b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + struct.pack("<I", 16) + form
    path.write_bytes(head + b"data" + struct.pack("<I", size))
    os.truncate(path, 44 + size)


def test_a_file_of_a_day_is_told_beforehand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_silence(tmp_path / "day.wav", 24)
    command = ["process", str(write_chain(tmp_path)), str(tmp_path / "day.wav"), "-o", str(tmp_path / "out")]
    assert main([*command, "--dry-run", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["audio_hours"] == 24 and about["gigabytes"] == pytest.approx(1.382, abs=0.001)
    assert about["times_real_time_per_worker"] > 10 and not (tmp_path / "out").exists()


@pytest.mark.soak
def test_a_file_of_a_day(tmp_path: Path) -> None:
    """Its samples come out to the last one, and the worker needs no more memory for them than for an hour's."""
    peaks = {}
    for hours in (1, 24):
        folder = tmp_path / str(hours)
        folder.mkdir()
        write_silence(folder / "take.wav", hours)
        command = f"process {write_chain(folder)} {folder / 'take.wav'} -o {folder / 'out'} --flac"
        code = (
            "import resource, sys\nfrom terzetto.cli import main\n"
            f"status = main({command.split()!r})\n"
            "print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        status, peak = done.stdout.splitlines()[-1].split()
        assert status == "0"
        peaks[hours] = float(peak)
        assert soundfile.info(str(folder / "out" / "take.flac")).frames == hours * 3600 * 8000
    assert peaks[24] < peaks[1] + 16, f"MiB: {peaks}"


@pytest.mark.skipif(not (bundled() / "Terzetto Hands.vst3").exists(), reason="built without the plugins")
def test_a_single_file_with_a_foreign_plugin_is_worked_on_by_a_worker(
    tmp_path: Path, places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    write_takes(tmp_path, ["take.wav"], frames=20_000)
    chain = write_chain(tmp_path, f'[[stage]]\nvst3 = "{bundled() / "Terzetto Hands.vst3"}"\n')
    assert main(["process", str(chain), str(tmp_path / "take.wav"), "-o", str(tmp_path / "out")]) == 0
    (line,) = manifest(tmp_path / "out")
    assert line["status"] == "done" and "take.wav" in capsys.readouterr().out
