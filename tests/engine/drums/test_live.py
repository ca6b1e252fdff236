from __future__ import annotations

import base64
import io
from pathlib import Path
from threading import Event

import mido
import numpy as np
import pytest

from terzetto.control.table import instrument
from terzetto.drums.bars import PatternSource
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.kit_file import shipped_kit
from terzetto.drums.live import DrumsProcessor
from terzetto.drums.patterns import open_pattern_model
from terzetto.drums.voice_sounds import kit_sounds
from terzetto.errors import ModelError
from tests.engine.drums.groove import Groove
from tests.engine.drums.sound_space import Tones
from tests.engine.drums.stage import RATE, Stage, to

HAT_NOTE, RIDE_NOTE = 42, 51


def test_the_samples_do_not_depend_on_the_blocks() -> None:
    events = [to("variation", 0.5), to("swing", 0.4), to("glide", 300.0), to("pad_x", 0.9, frame=30000),
              to("note", 49, 127, 1, frame=777), to("level", -3.0, frame=50001)]  # fmt: skip
    stages = [Stage(block=block) for block in (64, 512, 8192)]
    heard = [stage.play(98304, events) for stage in stages]
    assert np.abs(heard[0]).max() > 0.05
    assert np.array_equal(heard[0], heard[1]) and np.array_equal(heard[0], heard[2])
    assert stages[0].notes == stages[1].notes == stages[2].notes != []


def test_the_same_seed_and_place_play_the_same_in_a_bounce_from_anywhere() -> None:
    settings = [to("variation", 0.6), to("seed", 12.0), to("pad_x", 0.2), to("style", "snare")]
    whole = Stage()
    whole.play(24000 * 16 - 24000 * 16 % 512, settings)
    later = Stage(at=512 * 375)  # beat 8
    later.play(512 * 350, settings)
    since = [note for note in whole.notes if note[0] >= 512 * 375 and note[2] > 0 and note[0] < 512 * 725]
    assert since and since == [note for note in later.notes if note[2] > 0]
    other = Stage()
    other.play(24000 * 8, [*settings, to("seed", 13.0)])
    assert other.notes != whole.notes[: len(other.notes)]


def test_it_plays_with_the_host_alone_unless_it_is_told_to_go_on() -> None:
    stage = Stage()
    assert np.abs(stage.play(51200, rolling=False)).max() == 0.0 and not stage.notes
    stage.play(51200, [to("play", "always"), to("tempo", 240.0)], rolling=False)
    hats = stage.begun(RIDE_NOTE)
    assert len(hats) == 18 and np.ptp(np.diff(hats)) <= 1 and hats[1] - hats[0] == 3000
    off = Stage()
    off.play(51200, [to("play", "off")])
    assert not off.notes


def test_notes_that_come_in_play_their_sound_and_nothing_else() -> None:
    stage = Stage()
    silent = stage.play(4096, [to("note", 36, 0, 1, frame=5)], rolling=False)
    assert not silent.any(), "velocity 0 ends a note; there is nothing to end"
    heard = stage.play(4096, [to("note", 36, 127, 1, frame=1000)], rolling=False)
    assert not heard[:, :1000].any() and np.abs(heard[:, 1000:1100]).max() > 0.05
    assert not stage.notes, "what came in does not go out again"
    kit = kit_sounds(shipped_kit(), RATE)
    assert np.array_equal(heard[:, 1000:4096], kit[DRUMS.index("kick")].audio[:, :3096])
    half = Stage().play(4096, [to("note", 36, 64, 1)], rolling=False)
    assert 0.7 < np.abs(half).max() / (np.abs(heard).max() * (64 / 127) ** 2) < 1, "softer and a little darker"


def test_what_comes_in_passes() -> None:
    drums = DrumsProcessor(lambda name: Groove(), lambda name: Tones())
    drums.prepare(RATE, 1, 512)
    block = np.full((1, 512), 0.25, np.float32)
    assert np.array_equal(drums.process(block), block)


def test_the_pad_moves_in_its_units_and_in_the_models() -> None:
    stage = Stage()
    stage.play(512, [to("latent_x", -1.0), to("latent_y", 2.0, frame=1)])
    assert (stage.drums.parameters["pad_x"], stage.drums.parameters["pad_y"]) == (0.25, 1.0)
    assert to("pad_x", 0.25) in stage.said, "the plugin is told"
    stage.play(512, [to("pad", 0.75, 0.5)])
    assert (stage.drums.parameters["pad_x"], stage.drums.parameters["pad_y"]) == (0.75, 0.5)
    stage.play(512, [to("latent", 99.0, 0.0)])
    assert stage.drums.parameters["pad_x"] == 1.0 and "outside the pad" in stage.status()
    stage.play(512, [to("latent", 1.0), to("pad", float("nan"), 0.0), to("note", 200, 1, 1)])
    assert [each.arguments[1] for each in stage.said if each.address == "/terzetto/error"] == [
        "/terzetto/drums/latent", "/terzetto/drums/pad", "/terzetto/drums/note",
    ]  # fmt: skip


def test_the_pad_glides() -> None:
    def heard(glide: float) -> float:
        stage = Stage()
        stage.play(512, [to("pad_x", 0.0), to("change_at", "beat"), to("glide", glide)])
        stage.play(24000 * 3, [to("pad_x", 1.0, frame=20000)])
        assert min(stage.begun(HAT_NOTE)) < min(stage.begun(RIDE_NOTE))
        return min(stage.begun(RIDE_NOTE)) / 24000

    # Set 0.85 of a beat in; half the way, where the ride begins, takes a quarter of a second: half a beat.
    assert heard(0.0) == 1.0 and heard(500.0) == 2.0


def test_density_style_and_seed_reach_the_source() -> None:
    source = Groove()
    stage = Stage(DrumsProcessor(lambda name: source, lambda name: Tones()))
    stage.play(512, [to("style", "rock"), to("density", -0.5), to("pad_x", 0.0)])
    assert stage.status() == "These patterns know no style rock; they play in any."
    assert any(asked[1:3] == (None, pytest.approx(6 / 40)) for asked in source.asked)


def test_the_pattern_is_a_midi_file_in_the_state(tmp_path: Path) -> None:
    stage = Stage()
    before = stage.drums.state_changed
    stage.play(512, [to("pad_x", 0.1), to("save_pattern", str(tmp_path / "a.mid"))])
    assert stage.drums.wait(10.0)
    stage.play(512)
    assert stage.drums.state_changed > before
    for content in (base64.b64decode(stage.drums.state()["midi"]), (tmp_path / "a.mid").read_bytes()):
        midi = mido.MidiFile(file=io.BytesIO(content))
        struck = [message for message in midi.tracks[0] if message.type == "note_on"]
        assert [message.note for message in struck].count(HAT_NOTE) == 8 and len(struck) == 12
        assert midi.length == pytest.approx(2.0)
    assert stage.status().endswith("a.mid.")


def test_a_state_brings_everything_back() -> None:
    stage = Stage()
    stage.play(512, [to("pad_x", 0.1), to("swing", 0.5), to("seed", 4.0)])
    drums = DrumsProcessor(lambda name: Groove(), lambda name: Tones())
    drums.restore(stage.drums.state())
    fresh = Stage(block=stage.block)
    expected = fresh.play(48128, [to("pad_x", 0.1), to("swing", 0.5), to("seed", 4.0)])
    assert np.array_equal(Stage(drums).play(48128), expected) and expected.any()
    assert drums.parameters["swing"] == 0.5
    damaged = DrumsProcessor(lambda name: Groove(), lambda name: Tones())
    damaged.restore({"values": 7, "model": 3})
    assert damaged.parameters["swing"] == 0.0


def test_without_a_model_notes_play_and_it_says_why() -> None:
    def missing(name: str) -> PatternSource:
        raise ModelError("no pattern model here; give one")

    stage = Stage(DrumsProcessor(missing, lambda name: Tones()))
    assert "no pattern model here" in stage.status()
    assert np.abs(stage.play(4096, [to("note", 38, 100, 1), to("latent_x", 0.0)])).max() > 0.01
    assert any(each.address == "/terzetto/error" for each in stage.said)


def test_another_model_can_be_put_in_place() -> None:
    opened = []

    def opener(name: str) -> PatternSource:
        opened.append(name)
        if name == "bad":
            raise ModelError("bad: is for another task")
        return Groove()

    stage = Stage(DrumsProcessor(opener, lambda name: Tones()))
    stage.play(512)
    stage.play(512, [to("model", "mine")])
    assert stage.drums.wait(10.0)
    stage.play(512)
    assert opened == ["", "mine"] and stage.drums.state()["model"] == "mine"
    stage.play(512, [to("model", "bad")])
    assert stage.drums.wait(10.0)
    stage.play(512)
    assert "another task" in stage.status() and stage.drums.state()["model"] == "mine"


def test_a_project_keeps_a_model_that_is_not_here_and_plays_as_in_a_bounce() -> None:
    def opener(name: str) -> PatternSource:
        if name:
            raise ModelError(f"there is no model {name!r}")
        return Groove()

    saved = Stage(DrumsProcessor(opener, lambda name: Tones())).drums.state() | {"model": "gone"}
    bounced = DrumsProcessor(opener, lambda name: Tones())
    bounced.restore(saved)
    running = Stage(DrumsProcessor(opener, lambda name: Tones()))
    running.play(RATE)
    running.drums.restore(saved)
    assert running.drums.wait(10.0)
    running.play(512)
    for stage in (Stage(bounced), running):
        assert stage.drums.state()["model"] == "gone"
        assert "no model 'gone'" in stage.status()
        stage.notes.clear()
        stage.play(2 * RATE)
        assert not [velocity for _, _, velocity in stage.notes if velocity]
    running.drums.restore(saved | {"model": ""})
    assert running.drums.wait(10.0)
    running.play(RATE)
    assert running.begun(36), "with a model that is here it plays again"


def test_a_model_that_was_asked_for_before_a_project_was_opened_does_not_come_into_it() -> None:
    go = Event()

    def opener(name: str) -> PatternSource:
        assert not name or go.wait(20.0)
        return Groove()

    stage = Stage(DrumsProcessor(opener, lambda name: Tones()))
    saved = stage.drums.state()
    stage.play(512)
    stage.play(512, [to("model", "slow")])
    stage.drums.restore(saved)
    go.set()
    stage.settle()
    assert stage.drums.state()["model"] == ""


def test_the_shipped_model_plays_every_style_of_the_table() -> None:
    model = open_pattern_model()
    style = instrument("drums").parameter("style")
    assert style is not None and set(style.choices) == {"any", *model.styles}
    stage = Stage(DrumsProcessor())
    heard = stage.play(24000 * 8, [to("style", "funk"), to("variation", 0.3)])
    assert 0.05 < np.abs(heard).max() < 1.0 and len(stage.notes) > 10
