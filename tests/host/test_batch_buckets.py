"""Batches from bucket to bucket: real clients of S3 and Google Cloud Storage, servers in processes of their own."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from terzetto.cli import main
from terzetto.score.midi import write_midi
from tests.host.batch_files import free_port, manifest, start, write_chain, write_takes
from tests.host.conftest import until

if TYPE_CHECKING:
    from conftest import PianoTake

GAIN = 10 ** (-6 / 20)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start a server of each kind; where it is, by protocol."""
    folder = tmp_path_factory.mktemp("servers")
    programs = {
        "s3": "import sys; from moto.server import main; main(['-H', '127.0.0.1', '-p', sys.argv[1]])",
        "gs": (
            "import sys; from gcp_storage_emulator.server import create_server; "
            "create_server('127.0.0.1', int(sys.argv[1]), in_memory=True).run()"
        ),
    }
    with ExitStack() as stack:
        found = {}
        for protocol, program in programs.items():
            port = free_port()
            with (folder / f"{protocol}.log").open("wb") as log:
                command = [sys.executable, "-c", program, str(port)]
                process = subprocess.Popen(command, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
            found[protocol] = f"http://127.0.0.1:{port}"
        for address in found.values():
            until(lambda address=address: answers(address), f"a server at {address}", 300)
        yield found


def answers(address: str) -> bool:
    host, port = address.removeprefix("http://").split(":")
    try:
        with socket.create_connection((host, int(port)), 1.0):
            return True
    except OSError:
        return False


@pytest.fixture
def client(servers: dict[str, str], monkeypatch: pytest.MonkeyPatch, places: Path) -> Callable[[str], Any]:
    """Give this process and those it starts their way to the servers; return what opens a fresh client."""
    import fsspec

    for name, value in {
        "AWS_ENDPOINT_URL": servers["s3"],
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "STORAGE_EMULATOR_HOST": servers["gs"],
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
    }.items():
        monkeypatch.setenv(name, value)

    def fresh(protocol: str) -> Any:
        return fsspec.filesystem(protocol, skip_instance_cache=True, use_listings_cache=False)

    fsspec.filesystem("s3").clear_instance_cache()
    fsspec.filesystem("gs").clear_instance_cache()
    return fresh


def fill(filesystem: Any, bucket: str, folder: Path, names: list[str] | int, frames: int = 4000) -> dict[str, Path]:
    """Make a bucket with takes in it; return the files they were made of by their names."""
    filesystem.mkdir(bucket)
    paths = {path.relative_to(folder).as_posix(): path for path in write_takes(folder, names, frames)}
    for name, path in paths.items():
        filesystem.pipe_file(f"{bucket}/takes/{name}", path.read_bytes())
    return paths


def samples(content: bytes) -> np.ndarray:
    return np.asarray(soundfile.read(io.BytesIO(content), dtype="float32")[0])


@pytest.mark.parametrize("protocol", ["s3", "gs"])
def test_from_bucket_to_bucket_and_nothing_twice(
    client: Callable[[str], Any], protocol: str, tmp_path: Path, places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = client(protocol)
    takes = fill(there, "tz-flow", tmp_path / "in", ["one.wav", "a/two.wav", "a/é ♭.wav"])
    there.pipe_file("tz-flow/takes/a/readme.txt", b"no audio")
    there.pipe_file("tz-flow/takes/a/bad.wav", b"no sound")
    source, out = f"{protocol}://tz-flow/takes", f"{protocol}://tz-flow/takes/wet"  # results below the inputs
    command = ["process", str(write_chain(tmp_path)), source, "-o", out, "-j", "1"]

    def done_now(status: int) -> tuple[list[str], str]:
        assert main(command) == status
        captured = capsys.readouterr()
        return sorted(line.split(" → ")[1].removeprefix(f"{out}/") for line in captured.out.splitlines()), captured.err

    done, errors = done_now(1)
    assert done == sorted(takes) and f"{source}/a/bad.wav: not an audio file" in errors
    found = {name.removeprefix("tz-flow/takes/wet/") for name in there.find("tz-flow/takes/wet")}
    assert found == {*takes, "manifest.jsonl", "summary.csv"}
    for name, path in takes.items():
        content = there.cat_file(f"tz-flow/takes/wet/{name}")
        np.testing.assert_allclose(samples(content), samples(path.read_bytes()) * GAIN, atol=1e-6)
    lines = [json.loads(line) for line in there.cat_file("tz-flow/takes/wet/manifest.jsonl").splitlines()]
    assert {line["key"]: line["status"] for line in lines} == {**dict.fromkeys(takes, "done"), "a/bad.wav": "failed"}
    there.pipe_file("tz-flow/takes/a/bad.wav", takes["one.wav"].read_bytes())
    assert done_now(0)[0] == ["a/bad.wav"]
    done, errors = done_now(0)
    assert done == [] and "4 of 4 files were done before" in errors

    content = takes["one.wav"].read_bytes()
    there.pipe_file("tz-flow/takes/one.wav", content[:-4] + b"\0\0\0\0")  # as long as before
    assert done_now(0)[0] == ["one.wav"]
    there.rm_file("tz-flow/takes/wet/a/two.wav")  # a result that is no more
    assert done_now(0)[0] == ["a/two.wav"]
    for kept in (places / "state").glob("batch-*"):  # another computer knows it from the bucket
        kept.unlink()
    assert done_now(0)[0] == []
    there.pipe_file("tz-flow/takes/late.wav", content)
    kept = next((places / "state").glob("batch-*"))
    before = kept.read_bytes()
    assert done_now(0)[0] == ["late.wav"]
    kept.write_bytes(before)  # the line about the late one was written elsewhere
    assert done_now(0)[0] == []
    assert main([*command[:3], "-o", source]) == 2
    assert "would replace the take" in capsys.readouterr().err


def test_killed_in_the_middle_it_goes_on_and_nothing_is_half_written(
    client: Callable[[str], Any], tmp_path: Path, places: Path
) -> None:
    there = client("s3")
    takes = fill(there, "tz-kill", tmp_path / "in", 24, frames=60_000)
    chain = write_chain(tmp_path, "[[stage]]\nplugin = 'Reverb'\n" * 3)
    command = ["process", chain, "s3://tz-kill/takes", "-o", "s3://tz-kill/out", "-j", "2"]
    process = start(*command)

    def lines() -> list[str]:
        return [line for path in (places / "state").glob("batch-*") for line in path.read_text().splitlines()]

    until(lambda: len(lines()) >= 3, "some results", 300)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = len(lines())
    assert before < 24
    sizes = {name: there.size(name) for name in there.find("tz-kill/out") if name.endswith(".wav")}
    assert len(sizes) >= before and len(set(sizes.values())) == 1  # each is there whole, or not at all
    again = start(*command[:-2], "--cluster", "local:2")  # and by workers of another kind
    shown, errors = again.communicate(timeout=600)
    assert again.returncode == 0 and f"{before} of 24 files were done before" in errors
    assert len(shown.splitlines()) == 24 - before
    keys = [json.loads(line)["key"] for line in there.cat_file("tz-kill/out/manifest.jsonl").splitlines()]
    assert sorted(keys) == sorted(takes)
    for name in ("0000.wav", "0023.wav"):
        assert len(samples(there.cat_file(f"tz-kill/out/{name}"))) == 60_000


def test_scores_are_paired_in_a_bucket(
    client: Callable[[str], Any],
    tmp_path: Path,
    make_piano: Callable[..., PianoTake],
    capsys: pytest.CaptureFixture[str],
) -> None:
    there, take = client("s3"), make_piano(1.0)
    fill(there, "tz-scores", tmp_path, ["a/one.wav", "two.wav"], frames=8000)
    write_midi(take.score, tmp_path / "score.mid")
    there.put_file(str(tmp_path / "score.mid"), "tz-scores/scores/a/one.mid")
    command = ["separate", "s3://tz-scores/takes", "--score", "s3://tz-scores/scores/{stem}.mid"]
    command += ["-o", "s3://tz-scores/out", "-j", "1"]
    assert main(command) == 2
    errors = capsys.readouterr().err
    assert "1 of 2 takes have no score" in errors and "s3://tz-scores/takes/two.wav" in errors
    assert there.find("tz-scores/out") == []
    there.put_file(str(tmp_path / "score.mid"), "tz-scores/scores/two.mid")
    assert main(command) == 0
    stems = {name for name in there.find("tz-scores/out") if name.endswith(".wav")}
    assert {"tz-scores/out/a/one/left_hand.wav", "tz-scores/out/two/residual.wav"} <= stems and len(stems) == 6
    assert main(command) == 0
    assert "2 of 2 files were done before" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "out", "environment", "message"),
    [
        ("s3://tz-none/takes", "s3://tz-errors/x", {}, "s3://tz-none/takes: there is no such file, folder or bucket"),
        ("s3://tz-errors/takes", "s3://tz-none/x", {}, "s3://tz-none/x: there is no such file, folder or bucket"),
        ("s3://tz-errors/nothing", "s3://tz-errors/x", {}, "there is no such file, folder or bucket"),
        ("gs://tz-none/takes", "s3://tz-errors/x", {}, "gs://tz-none/takes: there is no such file, folder or bucket"),
        ("s3://tz-errors/takes", "gs://tz-none/x", {}, "gs://tz-none/x"),
        ("s3://tz-errors/takes", "http://127.0.0.1:9/x", {}, "http://127.0.0.1:9/x: can only be read"),
        ("s3://tz-errors/takes", "s3://tz-errors/x", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "cannot be reached"),
        (
            "s3://tz-errors/takes",
            "s3://tz-errors/x",
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"},
            "Unable to locate credentials); check the address, the network and the credentials",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line_before_anything_is_done(
    client: Callable[[str], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    out: str,
    environment: dict[str, str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    there = client("s3")
    if not there.exists("tz-errors"):
        fill(there, "tz-errors", tmp_path, ["one.wav"])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["process", str(write_chain(tmp_path)), source, "-o", out, "-j", "1"]) == 2
    errors = capsys.readouterr().err
    assert message in errors and len(errors.splitlines()) == 1
    assert not client("s3").exists("tz-none") if not environment else True  # no bucket is made of a mistyped name


@pytest.mark.parametrize(("url", "package", "extra"), [("s3://b/in", "s3fs", "s3"), ("gs://b/in", "gcsfs", "gcs")])
def test_a_missing_package_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    package: str,
    extra: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from fsspec.registry import _registry

    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(_registry, url.partition(":")[0], raising=False)
    assert main(["process", str(write_chain(tmp_path)), url, "-o", str(tmp_path / "out")]) == 2
    said = f"{url}: needs a package that is not installed: pip install 'terzetto[{extra}]'"
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_takes_from_a_web_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_takes(tmp_path / "in", ["one.wav", "a/two.wav"])
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", tmp_path / "in"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: answers(f"http://127.0.0.1:{port}"), "the web server")
            chain, out = str(write_chain(tmp_path)), tmp_path / "out"
            run = ["process", chain, f"http://127.0.0.1:{port}/", "-o", str(out), "-j", "1"]
            assert main(run) == 0
            assert {line["key"] for line in manifest(out)} == {"one.wav", "a/two.wav"} and (out / "a/two.wav").exists()
            assert main(run) == 0
            assert "2 of 2 files were done before" in capsys.readouterr().err
            single = f"http://127.0.0.1:{port}/a/two.wav"
            assert main(["process", chain, single, "-o", str(tmp_path / "single"), "-j", "1"]) == 0
            assert (tmp_path / "single" / "two.wav").exists()
        finally:
            server.kill()
