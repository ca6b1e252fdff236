"""``terzetto models``: everything that can be found by name, and what cannot be used and why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import onnx
import pytest

from terzetto.cli import main
from terzetto.errors import ModelError
from terzetto.models import find_model, identity, shipped_folder


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models that is searched first."""
    monkeypatch.setenv("TERZETTO_MODELS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    return tmp_path


def other_form(path: Path, **metadata: str) -> None:
    """Write the smallest shipped model with other metadata."""
    model = onnx.load(shipped_folder() / "drum_classes.onnx")
    told = {entry.key: entry.value for entry in model.metadata_props} | metadata
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, told)
    onnx.save(model, path)


def listed(capsys: pytest.CaptureFixture[str], *flags: str) -> dict[str, dict[str, object]]:
    assert main(["models", "--json", *flags]) == 0
    return {each["name"]: each for each in json.loads(capsys.readouterr().out)["models"]}


def test_every_shipped_model_is_listed_as_it_is(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = listed(capsys)
    shipped = sorted(path.stem for path in shipped_folder().glob("*.onnx"))
    assert sorted(found) == shipped and shipped
    for name, entry in found.items():
        path = shipped_folder() / f"{name}.onnx"
        assert (entry["where"], entry["size"], entry["sha256"]) == (str(path), path.stat().st_size, identity(name))
        assert entry["task"] and entry["method"] and entry["licence"] and entry["problem"] is None, name
    assert main(["models"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["NAME", "TASK", "METHOD", "SIZE", "LICENCE", "WHERE"]
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == shipped
    assert "Groove MIDI Dataset" not in "".join(lines)  # the sources are on the card


def test_of_two_of_one_name_the_first_counts(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other_form(own / "drum_classes.onnx", licence="mine", method="ear")
    entry = listed(capsys)["drum_classes"]
    assert (entry["where"], entry["licence"], entry["method"]) == (str(own / "drum_classes.onnx"), "mine", "ear")


def test_what_cannot_be_used_is_listed_with_the_reason(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other_form(own / "newer.onnx", version="2")
    other_form(own / "foreign.onnx", task="")
    other_form(own / "odd.onnx", constants="{")
    (own / "noise.onnx").write_bytes(b"no model")
    (own / "gone.onnx").symlink_to(own / "nowhere")
    found = listed(capsys)
    for name, reason in {
        "newer": "version 2 of the models for 'drum-classes'.*reads version 1; update Terzetto",
        "foreign": "not one of Terzetto's models",
        "odd": "metadata are damaged",
        "noise": "not a usable ONNX model",
        "gone": "cannot be read",
    }.items():
        assert re.search(reason, str(found[name]["problem"])), found[name]
    assert found["newer"]["version"] == 2 and found["drum_classes"]["version"] == 1
    assert main(["models"]) == 0
    assert "    cannot be used: is of version 2" in capsys.readouterr().out


def test_a_model_of_another_version_is_not_opened(own: Path) -> None:
    other_form(own / "newer.onnx", version="2")
    with pytest.raises(ModelError, match=r"newer.onnx: is of version 2 .* reads version 1; update Terzetto"):
        find_model("drum-classes", "newer")
    other_form(own / "older.onnx", version="0")
    with pytest.raises(ModelError, match=r"older.onnx: is of version 0 .*; train it again"):
        find_model("drum-classes", "older")


def test_one_task_only(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(listed(capsys, "--task", "drum-sounds")) == ["drum_sounds"]
    assert main(["models", "--task", "nonsense"]) == 2
    assert "no installed model does this; there are some for drum-classes, " in capsys.readouterr().err
