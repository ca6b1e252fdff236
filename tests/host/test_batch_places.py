"""Inputs and results behind URLs, and the scores that belong to takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from terzetto.cli import main
from terzetto.score.midi import write_midi
from tests.host.batch_files import write_chain, write_takes

if TYPE_CHECKING:
    from conftest import PianoTake


@pytest.fixture
def memory() -> Iterator[Any]:
    """fsspec's file system in memory, empty."""
    import fsspec

    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    yield filesystem
    filesystem.store.clear()


def test_from_url_to_url(memory: Any, tmp_path: Path, places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in write_takes(tmp_path, ["one.wav", "a/two.wav", "a/é.wav"]):
        memory.pipe(f"/in/{path.relative_to(tmp_path).as_posix()}", path.read_bytes())
    memory.pipe("/in/a/readme.txt", b"no audio")
    memory.pipe("/in/a/bad.wav", b"no sound")
    command = ["process", str(write_chain(tmp_path)), "memory://in", "-o", "memory://out/wet"]
    assert main(command) == 1
    captured = capsys.readouterr()
    found = sorted(name for name in memory.find("/out"))
    assert found == [
        f"/out/wet/{name}" for name in ("a/two.wav", "a/é.wav", "manifest.jsonl", "one.wav", "summary.csv")
    ]
    assert "memory://out/wet/a/two.wav" in captured.out and "memory:///in/a/bad.wav" in captured.err
    lines = [json.loads(line) for line in memory.cat("/out/wet/manifest.jsonl").splitlines()]
    assert {line["status"] for line in lines} == {"done", "failed"} and len(lines) == 4
    memory.pipe("/in/a/bad.wav", memory.cat("/in/one.wav"))
    for kept in (places / "state").glob("batch-*"):  # the batch goes on where another computer had begun it
        kept.unlink()
    assert main(command) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1 and "3 of 4 files were done before" in captured.err
    assert main(["process", command[1], "memory://in/a/*.wav", "-o", f"file://{tmp_path}/out"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.wav")) == ["bad.wav", "two.wav", "é.wav"]


def test_a_manifest_that_cannot_be_read_for_now_is_not_replaced(
    memory: Any, tmp_path: Path, places: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_takes(tmp_path / "in", 2)
    command = ["process", str(write_chain(tmp_path)), str(tmp_path / "in"), "-o", "memory://out"]
    assert main(command) == 0
    written = memory.cat("/out/manifest.jsonl")
    for kept in (places / "state").glob("batch-*"):
        kept.unlink()
    with monkeypatch.context() as patch:

        def fail(*arguments: Any, **options: Any) -> None:
            raise TimeoutError("timed out")

        patch.setattr(type(memory), "get_file", fail)
        assert main(command) == 2
    assert "manifest.jsonl: cannot be reached" in capsys.readouterr().err
    assert memory.cat("/out/manifest.jsonl") == written
    assert main(command) == 0 and "2 of 2 files were done before" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory://nothing", "memory://nothing: there is no such file, folder or bucket"),
        ("nosuch://bucket", "nosuch://bucket: cannot be used"),
    ],
)
def test_urls_that_cannot_be_used(
    memory: Any, tmp_path: Path, url: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["process", str(write_chain(tmp_path)), url, "-o", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_scores_are_paired_wherever_they_lie_and_what_has_none_is_named(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str]
) -> None:
    take = make_piano(1.0)
    names = ["in/a/one.wav", "in/b/one.wav", "in/two.wav"]
    write_takes(tmp_path, names, frames=8000)
    for place in ("scores/a/one", "scores/one", "in/two"):  # by its whole name, by its name alone, beside it
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        write_midi(take.score, tmp_path / f"{place}.mid")
    command = ["separate", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--json", "-j", "1", "--score"]
    assert main([*command, str(tmp_path / "scores" / "{track}.mid")]) == 2
    errors = capsys.readouterr().err
    assert "1 of 3 takes have no score" in errors and "in/two.wav" in errors and not (tmp_path / "out").exists()
    (tmp_path / "scores" / "two.mid").write_bytes((tmp_path / "in" / "two.mid").read_bytes())
    assert main([*command, str(tmp_path / "scores" / "{stem}.mid")]) == 0
    done = {result["take"]: result["score"] for result in json.loads(capsys.readouterr().out)["done"]}
    scores = {Path(name).relative_to(tmp_path).as_posix(): Path(score) for name, score in done.items()}
    assert {name: score.relative_to(tmp_path / "scores").as_posix() for name, score in scores.items()} == {
        "in/a/one.wav": "a/one.mid",
        "in/b/one.wav": "one.mid",
        "in/two.wav": "two.mid",
    }
    (tmp_path / "in" / "a" / "one.mid").write_bytes((tmp_path / "in" / "two.mid").read_bytes())
    (tmp_path / "in" / "b" / "one.mid").write_bytes((tmp_path / "in" / "two.mid").read_bytes())
    assert main([*command, "{stem}.mid"]) == 0  # beside the takes
    write_midi(make_piano(1.0, seed=1).score, tmp_path / "in" / "two.mid")  # another score: done again
    capsys.readouterr()
    assert main([*command, "{stem}.mid"]) == 0
    assert "2 of 3 files were done before" in capsys.readouterr().err
