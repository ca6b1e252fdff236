"""Timbre, live, with the shipped model of instruments: its pad, its names, and the file it came from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from terzetto import models
from terzetto.audio.files import ArrayTake
from terzetto.audio.stream import render
from terzetto.timbre import stream
from terzetto.timbre.conversion import Controls
from terzetto.timbre.live import TimbreProcessor
from terzetto.timbre.methods import open_conversion
from terzetto.timbre.sources import MODEL
from tests.engine.timbre.stage import HOP, RATE, Stage, timbre, tone


def test_a_bounce_is_what_a_render_gives_at_a_place_on_the_pad() -> None:
    sound = tone(16384)
    processor = TimbreProcessor()
    processor.restore({"values": {"pad_x": 0.25, "pad_y": 0.75, "amount": 0.75}})
    bounced = np.concatenate(list(render(processor, ArrayTake(sound, RATE))), axis=1)
    conversion = open_conversion("xsynth", MODEL, sample_rate=RATE)
    expected = np.concatenate(
        list(stream.render(ArrayTake(sound, RATE), conversion, Controls(0.75, (0.25, 0.75)))), axis=1
    )
    np.testing.assert_array_equal(bounced, expected)
    assert np.abs(bounced - sound).max() > 0.01


def test_an_instrument_is_a_place_on_the_pad_and_all_of_them_are_told() -> None:
    stage = Stage(TimbreProcessor())
    stage.play(tone(HOP), [timbre("instrument")])
    (told,) = stage.told("/timbre/instrument")
    places = {name: at for name, *at in zip(told[::3], told[1::3], told[2::3], strict=True)}
    assert len(places) >= 8 and {"violin", "trumpet"} <= set(places)
    stage.play(tone(HOP), [timbre("instrument", "trumpet")])
    for name, wanted in zip(("pad_x", "pad_y"), places["trumpet"], strict=True):
        assert stage.processor.parameters[name] == wanted
        assert stage.told(f"/timbre/{name}")[-1] == (wanted,)
    stage.play(tone(HOP), [timbre("instrument", "tuba")])
    assert "no instrument 'tuba'; valid: " in str(stage.told("/terzetto/error")[-1][0])
    assert "violin" in str(stage.told("/terzetto/error")[-1][0])


def test_a_model_that_is_chosen_with_an_instrument_goes_to_its_place() -> None:
    stage = Stage(TimbreProcessor())
    stage.play(tone(HOP), [timbre("method", "envelope"), timbre("model", f"{MODEL}:oboe")])
    assert stage.processor.parameters["method"] == "xsynth" and stage.processor.state()["model"] == MODEL
    oboe = next(each for each in stage.processor.state()["instruments"] if each["name"] == "oboe")
    assert [stage.processor.parameters[name] for name in ("pad_x", "pad_y")] == [oboe["x"], oboe["y"]]


def test_the_pad_glides_wherever_it_is_put() -> None:
    def sharpest(*events: object) -> float:
        stage = Stage(TimbreProcessor())
        played = stage.play(tone(28672), [timbre("pad", 0.1, 0.1), *events])  # type: ignore[list-item]
        return float(np.abs(np.diff(played[:, 8192:], 2)).max())

    jumps = [timbre("pad", 0.9 - 0.8 * (number % 2), 0.9 - 0.8 * (number % 2), frame=10000 + 4000 * number)
             for number in range(4)]  # fmt: skip
    standing = max(sharpest(), sharpest(timbre("pad", 0.9, 0.9)))
    assert sharpest(*jumps) < 1.2 * standing


def test_the_models_that_are_installed_are_told_and_kept_for_the_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERZETTO_MODELS", str(tmp_path))
    shutil.copy(models.shipped_folder() / f"{MODEL}.onnx", tmp_path / "my_sax.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    stage = Stage(TimbreProcessor())
    stage.play(tone(HOP), [timbre("models")])
    (told,) = stage.told("/timbre/models")
    assert {"my_sax", MODEL} <= set(told) and not {"broken", "drum_sounds"} & set(told)
    assert stage.processor.state()["installed"] == list(told)


def test_a_state_knows_its_model_by_content_wherever_it_lies(tmp_path: Path) -> None:
    mine = tmp_path / "mine.onnx"
    shutil.copy(models.shipped_folder() / f"{MODEL}.onnx", mine)
    stage = Stage(TimbreProcessor())
    stage.play(tone(HOP), [timbre("model", str(mine))])
    state = json.loads(json.dumps(stage.processor.state()))
    assert state["model"] == str(mine) and state["made_of"] == {str(mine): models.identity(str(mine))}

    def said(state: dict[str, object]) -> str:
        processor = TimbreProcessor()
        processor.restore(state)
        return Stage(processor).status

    assert "Not as it was saved" not in said(state)
    assert "mine.onnx is another one here" in said({**state, "made_of": {str(mine): "0" * 64}})
    mine.unlink()
    assert said(state).startswith("The sound passes unchanged: ") and "mine.onnx" in said(state)


@pytest.mark.parametrize("name", ["drum_sounds", "nobody"])
def test_a_model_of_another_task_or_none_is_refused_by_name(name: str) -> None:
    stage = Stage(TimbreProcessor())
    stage.play(tone(4 * HOP), [timbre("model", name, frame=HOP)])
    stage.settle()
    stage.play(tone(HOP))
    assert "cannot be used" in stage.status and name in stage.status
    assert stage.processor.state()["model"] == MODEL
