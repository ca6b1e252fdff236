"""Batches past one machine: a real dask scheduler and workers as processes of their own, one killed, one refused."""

from __future__ import annotations

import collections
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from terzetto.cli import main
from terzetto.errors import TerzettoError
from terzetto.jobs import Item, run_job
from terzetto_host.batch.cluster import ClusterCrew
from tests.host.batch_files import Trouble, free_port, manifest, start, write_chain, write_takes
from tests.host.conftest import runs, until
from tests.host.test_batch_isolation import arguments

ROOT = Path(__file__).parents[2]
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start dask's own programs; all of them are ended afterwards."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made: list[subprocess.Popen[bytes]] = []

    def begin(kind: str, *options: str, path: str | None = None) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": path or str(ROOT),
            "DASK_TEMPORARY_DIRECTORY": str(tmp_path / "dask"),
        }
        command = [sys.executable, "-m", "dask", kind, "--no-dashboard", *options]
        log = (tmp_path / f"{kind}-{len(made)}.log").open("wb")
        with log:
            made.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))
        return made[-1]

    yield begin
    for process in made:
        process.kill()
        process.wait()


@pytest.fixture
def scheduler(dask: Start, tmp_path: Path) -> str:
    file = tmp_path / "scheduler.json"
    dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    import json

    def address() -> str | None:
        try:
            return str(json.loads(file.read_text())["address"])
        except (OSError, ValueError):
            return None

    return str(until(address, "the scheduler")).replace("tcp://", "dask://")


def worker(dask: Start, scheduler: str, name: str, *options: str) -> subprocess.Popen[bytes]:
    address = scheduler.replace("dask://", "tcp://")
    return dask("worker", address, "--name", name, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", *options)


def test_a_worker_killed_in_the_middle_costs_nothing(dask: Start, scheduler: str, tmp_path: Path) -> None:
    write_takes(tmp_path / "in", 40, frames=100)
    first, _ = worker(dask, scheduler, "first"), worker(dask, scheduler, "second")
    out = tmp_path / "out"
    command = "from tests.host.test_batch_cluster import patient; import sys; sys.exit(patient(*sys.argv[1:]))"
    batch = subprocess.Popen(
        [sys.executable, "-c", command, str(tmp_path / "in"), str(out), scheduler], stderr=subprocess.PIPE, text=True
    )

    def done_by_first() -> bool:
        path = out / "manifest.jsonl"
        return path.exists() and path.read_text().count('"worker": "first"') >= 2

    until(done_by_first, "results of the first worker", 60)
    held = Path(f"/proc/{first.pid}/task").glob("*/children")
    children = [int(pid) for each in held for pid in each.read_text().split()]
    first.send_signal(signal.SIGKILL)
    _, errors = batch.communicate(timeout=120)
    assert batch.returncode == 0, errors
    lines = manifest(out)
    assert len(lines) == 40 and {line["status"] for line in lines} == {"done"}
    assert {line["result"]["worker"] for line in lines} == {"first", "second"}
    cores = len(os.sched_getaffinity(0))  # both workers are on this machine
    assert {line["result"]["threads"] for line in lines} == {str(max(cores // 2, 1))}
    until(lambda: not any(runs(pid) for pid in children), "the end of what the killed worker held")
    assert len([path for path in out.iterdir() if path.suffix == ".wav"]) == 40


def test_a_scheduler_that_is_lost_is_said_and_the_rest_is_done_later(
    dask: Start, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_takes(tmp_path / "in", 20, frames=100)
    address, out = f"dask://127.0.0.1:{(port := free_port())}", tmp_path / "out"
    process = dask("scheduler", "--host", "127.0.0.1", "--port", str(port))
    worker(dask, address, "only")

    def some_are_done() -> bool:
        return (out / "manifest.jsonl").exists() and bool(manifest(out))

    ender = threading.Thread(target=lambda: (until(some_are_done, "a result", 60), process.kill()))
    ender.start()
    job, options = Trouble(0.2), arguments(out, "--cluster", address)
    with pytest.raises(TerzettoError, match="the scheduler is gone; start it and give the same command again"):
        run_job(job, [str(tmp_path / "in")], options, lambda result: None)
    ender.join()
    before = manifest(out)
    assert len(before) < 20 and {line["status"] for line in before} <= {"done"}
    assert run_job(job, [str(tmp_path / "in")], arguments(out, "-j", "1"), lambda result: None) == 0
    assert len(manifest(out)) == 20 and f"{len(before)} of 20 files were done before" in capfd.readouterr().err


def test_a_result_that_is_lost_with_the_scheduler_is_no_fault_of_its_file(dask: Start, tmp_path: Path) -> None:
    from distributed import Client

    address = f"127.0.0.1:{(port := free_port())}"
    process = dask("scheduler", "--host", "127.0.0.1", "--port", str(port))
    worker(dask, f"dask://{address}", "only")
    take = write_takes(tmp_path, 1)[0]
    crew = ClusterCrew(Trouble(), str(tmp_path), "", arguments(tmp_path, "--cluster", f"dask://{address}"))
    with Client(f"tcp://{address}", timeout="10s", set_as_default=False) as client:
        future = client.submit(len, [1])
        assert future.result(timeout=60) == 1
        process.kill()
        until(lambda: future.status != "finished", "the loss of the scheduler", 60)
        with pytest.raises(TerzettoError, match="the scheduler is gone"):
            crew._outcome(future, Item(take.name, take), client)
        until(lambda: client.status == "closed", "the end of dask's patience", 60)
        with pytest.raises(TerzettoError, match="the scheduler is gone"):
            crew._hand_out(client, iter(()), collections.deque(), {})


def patient(source: str, out: str, scheduler: str) -> int:
    """Run a batch whose files take a while."""
    return run_job(Trouble(0.15), [source], arguments(Path(out), "--cluster", scheduler), lambda result: None)


def test_poison_is_quarantined_and_the_worker_lives(dask: Start, scheduler: str, tmp_path: Path) -> None:
    write_takes(tmp_path / "in", ["a.wav", "crash.wav", "once.wav", "z.wav"], frames=100)
    process = worker(dask, scheduler, "only")
    status = run_job(
        Trouble(), [str(tmp_path / "in")], arguments(tmp_path / "out", "--cluster", scheduler), lambda result: None
    )
    found = {Path(line["key"]).stem: (line["status"], line["tries"]) for line in manifest(tmp_path / "out")}
    assert status == 1 and process.poll() is None
    assert found == {"a": ("done", 1), "crash": ("quarantined", 3), "once": ("done", 2), "z": ("done", 1)}


def test_a_worker_of_another_version_is_refused(
    dask: Start, scheduler: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.py").write_text("import terzetto\nterzetto.__version__ = '99.0'\n")
    worker(dask, scheduler, "old", "--preload", str(tmp_path / "other.py"))
    write_takes(tmp_path / "in", 6)
    command = ["process", str(write_chain(tmp_path)), str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    command += ["--cluster", scheduler]

    def refused() -> bool:
        assert main(command) == 2
        return "it has terzetto 99.0, here is" in capfd.readouterr().err

    until(refused, "the worker of another version", 60)
    worker(dask, scheduler, "good")

    def accepted() -> bool:
        status = main(command)
        time.sleep(0.2)
        return status == 0

    until(accepted, "a worker of this version", 60)
    lines = manifest(tmp_path / "out")
    assert [line["result"]["worker"] for line in lines] == ["good"] * 6
    assert "is not used: it has terzetto 99.0, here is" in capfd.readouterr().err


def test_a_cluster_of_ones_own(tmp_path: Path) -> None:
    write_takes(tmp_path / "in", 8)
    process = start(
        "process", write_chain(tmp_path), tmp_path / "in", "-o", tmp_path / "out", "--cluster", "local:2", cwd=tmp_path
    )
    shown, errors = process.communicate(timeout=120)
    assert process.returncode == 0 and errors == "" and len(shown.splitlines()) == 8
    assert len(manifest(tmp_path / "out")) == 8


def test_nobody_answers(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_takes(tmp_path / "in", 2)
    command = ["process", str(write_chain(tmp_path)), str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    assert main([*command, "--cluster", "dask://127.0.0.1:9"]) == 2
    assert "dask://127.0.0.1:9: no dask scheduler answers there" in capfd.readouterr().err
