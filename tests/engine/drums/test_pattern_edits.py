"""What the dictionary does to the pattern that plays, alone and in the live instrument."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terzetto.drums.bars import Bars, Settings
from terzetto.drums.dictionary import Dictionary, open_dictionary
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import Hvo, hvo_to_beat
from terzetto.drums.live import DrumsProcessor
from terzetto.drums.midi import read_beat, write_beat
from terzetto.drums.pattern_edits import Edits, OtherBeat, edited
from terzetto.errors import InputError
from tests.engine.drums.groove import Groove
from tests.engine.drums.small_dictionary import CLOSED, busy, fill, rock, write_dictionary
from tests.engine.drums.test_live import Stage, to

TOM = DRUMS.index("high tom")


@pytest.fixture
def dictionary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Dictionary:
    """Atoms: a rock bar, a busy bar, a fill, and what the live tests' source plays."""
    models = tmp_path_factory.mktemp("dictionary") / "models"
    source = Bars(Groove()).pattern(Settings(x=0.1), 0)
    write_dictionary(models / "drum_dictionary.onnx", [rock(), busy(), fill(), source])
    monkeypatch.setenv("TERZETTO_MODELS", str(models))
    return open_dictionary()


def with_hit(bar: Hvo, drum: int, step: int, on: bool) -> Hvo:
    hits = bar.hits.copy()
    hits[drum, step] = on
    return Hvo(hits, np.full(Hvo.SHAPE, 0.7, np.float32))


def test_denoise_asks_what_comes_again_in_the_section(dictionary: Dictionary) -> None:
    song = {number: rock() for number in range(8)}
    song[5] = with_hit(with_hit(rock(), TOM, 5, True), CLOSED, 6, False)
    for number in range(8):
        bar = edited(dictionary, Edits(denoise=True), number, song.__getitem__)
        np.testing.assert_array_equal(bar.hits, rock().hits)


def test_interpolate_goes_to_the_other_beats_bars_in_turn(dictionary: Dictionary) -> None:
    other = OtherBeat.of(dictionary, "two.mid", [busy(), fill()])

    def hits(amount: float, number: int) -> np.ndarray:
        return edited(dictionary, Edits(interpolate=amount, other=other), number, lambda number: rock()).hits

    np.testing.assert_array_equal(hits(0.0, 0), rock().hits)
    for number, bar in ((0, busy()), (1, fill()), (2, busy()), (7, fill())):
        np.testing.assert_array_equal(hits(1.0, number), bar.hits)
    assert Edits(interpolate=0.5, other=other).varies and not Edits(interpolate=0.5).varies
    assert Edits(interpolate=1.0, swap=3).nothing, "without another beat there is nowhere to go"


def test_swap_and_simplify_work_on_the_most_active_atoms(dictionary: Dictionary) -> None:
    other = OtherBeat.of(dictionary, "fill.mid", [fill()])
    swapped = edited(dictionary, Edits(swap=1, other=other), 3, lambda number: rock())
    np.testing.assert_array_equal(swapped.hits, fill().hits)
    both = Hvo(rock().hits | fill().hits, np.full(Hvo.SHAPE, 0.7, np.float32))
    plain = edited(dictionary, Edits(simplify=1), 0, lambda number: both)
    assert 0 < plain.hits.sum() < both.hits.sum() and not (plain.hits & ~both.hits).any()


def test_another_beat_survives_its_state_and_damage_is_said(dictionary: Dictionary) -> None:
    human = Hvo(rock().hits, np.full(Hvo.SHAPE, 0.437, np.float32), np.full(Hvo.SHAPE, -0.123, np.float32))
    other = OtherBeat.of(dictionary, "a.mid", [human, fill()])
    state = json.loads(json.dumps(other.state()))
    again = OtherBeat.restored(dictionary, state)
    assert again.bars == other.bars and again.path == "a.mid" and np.array_equal(again.code, other.code)
    long = OtherBeat.of(dictionary, "long.mid", [rock()] * 100)
    assert len(long.bars) == 64
    for damage in ({"bars": 0}, {"bars": 999}, {"hits": [[0, 0]]}, {"hits": [[9, 0, 0, 1.0, 0.0]]}, {"hits": 3},
                   {"hits": [[0, 0, 0, 7.0, 0.0]]}, {"bars": "x"},
                   {"hits": [[0, 0, 0, math.nan, 0.0]]}, {"hits": [[-1, 0, 0, 0.5, 0.0]]},
                   {"bars": math.inf}):  # fmt: skip
        with pytest.raises(InputError, match="the saved beat is damaged"):
            OtherBeat.restored(dictionary, {**state, **damage})


def test_a_bar_is_a_function_of_its_settings_and_its_number(dictionary: Dictionary) -> None:
    other = OtherBeat.of(dictionary, "two.mid", [busy(), fill()])
    settings = Settings(x=0.1, variation=0.5, edits=Edits(interpolate=0.6, swap=1, denoise=True, other=other))
    forward, backward = Bars(Groove(), dictionary), Bars(Groove(), dictionary)
    bars = [forward.pattern(settings, number) for number in range(40)]
    assert bars == [backward.pattern(settings, number) for number in reversed(range(40))][::-1]
    assert bars != [forward.pattern(replace(settings, edits=Edits()), number) for number in range(40)]


def test_the_live_pattern_is_edited_kept_and_the_same_in_a_bounce(dictionary: Dictionary, tmp_path: Path) -> None:
    write_beat(tmp_path / "busy.mid", hvo_to_beat([busy(), fill()]))
    stage = Stage()
    stage.play(512, [to("pad_x", 0.1), to("other", str(tmp_path / "busy.mid"))])
    assert stage.drums.wait(10.0)
    stage.play(512)
    assert stage.status() == f"The other beat is {tmp_path / 'busy.mid'}."
    knobs = [to("interpolate", 1.0), to("simplify", 2.0)]
    (tmp_path / "busy.mid").unlink()  # the project has it
    stage.play(512, [*knobs, to("save_pattern", str(tmp_path / "saved.mid"))])
    assert stage.drums.wait(10.0)
    saved = [bar.hits for bar in Hvo.bars_of(read_beat(tmp_path / "saved.mid"))]
    for hits, expected in zip(saved, [busy(), fill(), busy(), fill()], strict=True):
        np.testing.assert_array_equal(hits, expected.hits)
    state = json.loads(json.dumps(stage.drums.state()))
    heard = []
    for block in (64, 8192):
        drums = DrumsProcessor(lambda name: Groove())
        drums.restore(state)
        heard.append(Stage(drums, block=block).play(24000 * 8))
    assert np.array_equal(*heard) and np.abs(heard[0]).max() > 0.01
    assert not np.array_equal(heard[0], Stage().play(24000 * 8, [to("pad_x", 0.1)]))
    stage.play(512, [to("other", "")])
    assert stage.drums.state()["other"] is None


def test_a_beat_that_was_asked_for_before_a_project_was_opened_does_not_come_into_it(tmp_path: Path) -> None:
    write_beat(tmp_path / "busy.mid", hvo_to_beat([busy(), fill()]))
    stage = Stage()
    saved = stage.drums.state()
    stage.play(512)
    stage.play(512, [to("other", str(tmp_path / "busy.mid"))])
    assert stage.drums.wait(10.0)  # it has been read, and not been taken
    stage.drums.restore(saved)
    stage.play(512)
    assert stage.drums.state()["other"] is None


def answers(stage: Stage, *asked: Any) -> dict[str, tuple[Any, ...]]:
    stage.said.clear()
    stage.play(512, list(asked))
    assert stage.drums.wait(10.0)
    stage.play(512)
    return {message.address.removeprefix("/terzetto/"): message.arguments for message in stage.said}


def test_it_tells_atoms_likeness_and_shift_variance_of_what_plays(dictionary: Dictionary, tmp_path: Path) -> None:
    stage = Stage()
    stage.play(512, [to("pad_x", 0.1)])
    plays = Bars(Groove()).pattern(Settings(x=0.1), 0)
    for name, bar in (("same", plays), ("busy", busy()), ("fill", fill())):
        write_beat(tmp_path / "loops" / f"{name}.mid", hvo_to_beat([bar] * 2))
    (tmp_path / "loops" / "text.mid").write_text("no MIDI file at all")
    told = answers(stage, to("atoms"), to("similar", str(tmp_path / "loops")), to("shift_variance"))
    assert told["drums/atoms"][:2] == (3, pytest.approx(1.0))
    path, cosine, *others = told["drums/similar"]
    assert Path(path).name == "same.mid" and cosine == pytest.approx(1.0) and len(others) == 4
    told |= answers(stage, to("denoise_file", str(tmp_path / "loops/busy.mid"), str(tmp_path / "clean.mid")))
    assert told["drums/denoise_file"] == (str(tmp_path / "clean.mid"), 0, 0) and (tmp_path / "clean.mid").is_file()
    assert len(told["drums/shift_variance"]) == 16 and max(told["drums/shift_variance"]) < 1e-6


def test_what_cannot_be_done_is_answered_and_the_pattern_plays_on(dictionary: Dictionary, tmp_path: Path) -> None:
    (tmp_path / "text.mid").write_text("no MIDI file at all")
    stage = Stage()
    assert "no other beat yet" in str(answers(stage, to("swap", 3.0))["status"])
    for message in (to("other", str(tmp_path / "text.mid")), to("similar", str(tmp_path / "text.mid"))):
        text, address = answers(stage, message)["error"]
        assert "text.mid: not a readable MIDI file" in text and address == message.address
    (tmp_path / "empty").mkdir()
    assert "no MIDI files" in answers(stage, to("similar", str(tmp_path / "empty")))["error"][0]
    assert "takes the path" in answers(stage, to("other", 3))["error"][0]
    assert "takes the paths" in answers(stage, to("denoise_file", "a.mid"))["error"][0]
    missing = to("denoise_file", str(tmp_path / "none.mid"), str(tmp_path / "new.mid"))
    assert "no such MIDI file" in answers(stage, missing)["error"][0] and not (tmp_path / "new.mid").exists()
    assert np.abs(stage.play(24000 * 4)).max() > 0.01


def test_without_a_dictionary_patterns_stay_as_they_are_and_it_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drum_dictionary.onnx").write_bytes(b"no model")
    monkeypatch.setenv("TERZETTO_MODELS", str(tmp_path))
    stage = Stage()
    heard = stage.play(24000 * 4, [to("simplify", 1.0), to("atoms")])
    assert np.array_equal(heard, Stage().play(24000 * 4))
    said = [str(message.arguments[0]) for message in stage.said]
    assert any("Patterns stay as they are" in text for text in said) and any("no dictionary" in text for text in said)
