"""The kit, live: pads of sounds, kits and samples, made beside the sound and exchanged without a click."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event, current_thread

import numpy as np
import pytest
from numpy.typing import ArrayLike
from pedalboard.io import AudioFile

from terzetto.audio.stream import STOPPED
from terzetto.control.messages import Message
from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import SOUNDS, Kit
from terzetto.drums.kit_file import kit_table, read_kit, shipped_kit, write_kit
from terzetto.drums.live import DrumsProcessor
from terzetto.drums.player import Sound
from terzetto.drums.sound_sources import OneShot, Point, Sample
from terzetto.drums.sound_space import SoundSpace
from terzetto.drums.voice_sounds import kit_sounds, voice_sounds
from terzetto.errors import ModelError
from tests.engine.drums.groove import Groove
from tests.engine.drums.sound_space import Tones
from tests.engine.drums.stage import RATE, Float, Stage, to

CRASH, SNARE = to("note", 49, 127, 1), to("note", 38, 127, 1)


def sounds(kit: Kit) -> list[Sound]:
    return kit_sounds(kit, RATE, 2, lambda name: Tones())


def on_pad(voice: str, x: float, y: float) -> Kit:
    return shipped_kit().with_voice(voice, source=Point(pad=(x, y)))


def struck(stage: Stage, note: Message, frames: int = 4096) -> Float:
    return stage.play(frames, [note], rolling=False)


def heard(kit: Kit, sound: str, frames: int = 4096) -> Float:
    """What a sound of a kit is alone, at full velocity."""
    audio = sounds(kit)[SOUNDS.index(sound)].audio[:, :frames]
    return np.pad(audio, ((0, 0), (0, frames - audio.shape[1])))


def test_a_pad_that_is_moved_is_heard_and_shown() -> None:
    stage = Stage()
    assert np.array_equal(struck(stage, SNARE), heard(shipped_kit(), "snare"))
    stage.play(512, [to("snare_x", 0.25)], rolling=False)
    stage.settle()
    stage.play(RATE, rolling=False)
    assert to("snare_source", "pad") in stage.said, "the plugin is told that the snare is on its pad now"
    assert np.array_equal(struck(stage, SNARE), heard(on_pad("snare", 0.25, 0.5), "snare"))
    stage.play(512, [to("snare_source", "kit")], rolling=False)
    stage.settle()
    stage.play(RATE, rolling=False)
    assert np.array_equal(struck(stage, SNARE), heard(shipped_kit(), "snare"))


def test_both_coordinates_at_once_in_either_unit() -> None:
    stage = Stage()
    stage.play(512, [to("sound", "open_hat", 0.1, 0.9), to("sound_latent", "closed hat", 0.2, 4.0)], rolling=False)
    values = stage.drums.parameters
    assert (values["open_hat_x"], values["open_hat_y"], values["open_hat_source"]) == (0.1, 0.9, "pad")
    assert (values["closed_hat_x"], values["closed_hat_y"], values["closed_hat_source"]) == (0.2, 1.0, "pad")
    assert "outside the pad" in stage.status()
    stage.play(512, [to("sound", "gong", 0.1, 0.9), to("sound", "tom", 0.1), to("sample", "tom", 3)], rolling=False)
    errors = [str(each.arguments[0]) for each in stage.said if each.address == "/terzetto/error"]
    assert len(errors) == 3 and "no voice 'gong'; valid: snare, kick, open hat" in errors[0]


def test_a_point_in_the_models_units_waits_for_its_model_beside_the_sound() -> None:
    go, threads = Event(), []

    def slow(name: str) -> Tones:
        threads.append(current_thread().name)
        assert go.wait(20.0)
        return Tones()

    stage = Stage(DrumsProcessor(lambda name: Groove(), slow))
    stage.play(512, rolling=False)
    stage.play(512, [to("sound_latent", "snare", 0.2, 0.3), to("sound_latent", "kick", 0.2, 0.3)], rolling=False)
    stage.play(512, [to("sound", "kick", 0.7, 0.8)], rolling=False)
    assert stage.drums.parameters["snare_source"] == "kit", "it plays on until the model is open"
    go.set()
    stage.settle()
    values = stage.drums.parameters
    assert (values["snare_x"], values["snare_y"], values["snare_source"]) == (0.2, 0.3, "pad")
    assert (values["kick_x"], values["kick_y"]) == (0.7, 0.8), "what was asked for later counts"
    assert set(threads) == {"terzetto-background"}


def test_a_model_trained_anew_under_its_name_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERZETTO_MODELS", str(tmp_path))

    class Lower(Tones):
        def pad_latent(self, sound_class: str, x: float, y: float) -> Float:
            return np.asarray(super().pad_latent(sound_class, x, y) * 0.5)

    def opened(name: str) -> Tones:
        return Tones() if file.read_bytes() == b"first" else Lower()

    file = tmp_path / "mine.onnx"
    file.write_bytes(b"first")
    stage = Stage(DrumsProcessor(lambda name: Groove(), opened))
    begun = [to("sound_model", "mine"), to("snare_source", "pad"), to("kick_source", "pad")]
    stage.play(512, begun, rolling=False)
    file.write_bytes(b"the second")
    stage.play(512, [to("snare_x", 0.9)], rolling=False)
    for _ in range(2):  # the snare, and then what else is of that model
        stage.settle()
    assert "The model mine is another one by now" in " ".join(str(each.arguments) for each in stage.said)
    for note, sound, x in ((SNARE, "snare", 0.9), (to("note", 36, 127, 1), "kick", 0.5)):
        kit = shipped_kit().with_voice(sound, source=Point(pad=(x, 0.5)))
        (expected,) = voice_sounds(kit, sound, RATE, 2, lambda name: Lower()).values()
        audio = expected.audio[:, :4096]
        assert np.array_equal(struck(stage, note), np.pad(audio, ((0, 0), (0, 4096 - audio.shape[1]))))
        stage.play(RATE, rolling=False)
    file.write_bytes(b"first")  # and where it is asked for again
    stage.play(512, [to("sound_model", "mine")], rolling=False)
    for _ in range(2):  # the model, and then its sounds
        stage.settle()
    stage.play(RATE, rolling=False)
    assert np.array_equal(struck(stage, SNARE), heard(on_pad("snare", 0.9, 0.5), "snare"))


def test_a_models_file_is_kept_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stage = Stage()
    stage.play(512, [to("sound_model", "mine.onnx"), to("model", "patterns.onnx")], rolling=False)
    state = stage.drums.state()
    assert (state["sound_model"], state["model"]) == (str(tmp_path / "mine.onnx"), str(tmp_path / "patterns.onnx"))
    stage.play(512, [to("sound_model", "drum_sounds")], rolling=False)
    stage.settle()
    assert stage.drums.state()["sound_model"] == "drum_sounds"


def test_all_values_at_once_put_no_voice_on_its_pad() -> None:
    stage = Stage()
    stage.play(512, rolling=False)
    everything = [to("snare_x", 0.9), to("snare_y", 0.1), to("snare_source", "kit")]
    stage.play(512, everything, rolling=False)
    assert stage.drums.parameters["snare_source"] == "kit"
    assert not any(each.address.endswith("_source") for each in stage.said)


def write_tone(path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 500 * np.arange(4410) / 44100)
    with AudioFile(str(path), "w", 44100, 1) as file:
        file.write(tone.astype(np.float32))


class Held(Tones):
    """Tones, of which those at one place across the pad are made only when they are let."""

    def __init__(self, x: float) -> None:
        super().__init__()
        self.x, self.go = x, Event()

    def pad_latent(self, sound_class: str, x: float, y: float) -> Float:
        low, high = self.pad_range
        if abs(x - (low + self.x * (high - low))) < 1e-6:
            assert self.go.wait(20.0)
        return super().pad_latent(sound_class, x, y)


def rung(change: Sequence[Message], note: Message = CRASH) -> tuple[Float, Stage]:
    """A sound that rings while something is turned."""
    stage = Stage()
    first = stage.play(8192, [note], rolling=False)
    second = stage.play(512, change, rolling=False)
    assert stage.drums.wait(20.0)
    return np.concatenate([first, second, stage.play(32768, rolling=False)], axis=1), stage


def test_what_rings_goes_on_to_the_last_bit_when_its_voice_is_exchanged() -> None:
    expected = heard(shipped_kit(), "crash", 8192 + 512 + 32768)
    assert np.abs(expected[:, 9000:]).max() > 1e-3, "it rings when the exchange comes"
    before, _ = rung([])
    after, stage = rung([to("cymbal_x", 0.9), to("cymbal_y", 0.9)])
    assert np.array_equal(before, expected) and np.array_equal(after, expected)
    # The exchange has been made: what is struck now is the new sound, and the old one still rings below it.
    new = struck(stage, CRASH)
    old = sounds(shipped_kit())[SOUNDS.index("crash")].audio[:, 41472 : 41472 + 4096]
    assert np.array_equal(new, old + heard(on_pad("cymbal", 0.9, 0.9), "crash")) and old.any()


def test_an_exchange_under_what_rings_would_click() -> None:
    """The same measure with the fault: a voice whose samples are exchanged while it rings."""
    stage = Stage()
    first = stage.play(8192, [CRASH], rolling=False)
    player = stage.drums._kit._player
    (ringing,) = player._ringing
    ringing.sound = sounds(on_pad("cymbal", 0.9, 0.9))[SOUNDS.index("crash")]
    clicked = np.concatenate([first, stage.play(512, rolling=False)], axis=1)
    assert not np.array_equal(clicked, heard(shipped_kit(), "crash", clicked.shape[1]))


def test_offline_a_change_counts_from_the_next_block_every_time() -> None:
    def bounce() -> Float:
        stage, out = Stage(block=512), []
        for number in range(40):
            assert stage.drums.wait(20.0)  # as the worker does before each hop of a render
            events = [SNARE] + ([to("snare_x", number / 40)] if number % 3 == 0 else [])
            out.append(stage.drums.process(np.zeros((2, 512), np.float32), events, STOPPED))
        return np.concatenate(out, axis=1)

    first = bounce()
    assert np.array_equal(first, bounce()) and first.any()

    def next_struck(stage: Stage, *events: Message) -> Float:
        assert stage.drums.wait(20.0)
        block = stage.drums.process(np.zeros((2, 512), np.float32), [*events, SNARE], STOPPED)
        stage.play(RATE, rolling=False)
        return block

    stage = Stage()
    stage.play(512, rolling=False)
    assert np.array_equal(next_struck(stage, to("snare_x", 0.1)), heard(shipped_kit(), "snare", 512))
    assert np.array_equal(next_struck(stage), heard(on_pad("snare", 0.1, 0.5), "snare", 512))


def test_a_kit_is_played_as_its_file_says_and_kept_in_the_state(tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav")
    kit = on_pad("snare", 0.3, 0.6).with_voice("kick", source=Sample(tmp_path / "tone.wav"), gain_db=-3.0)
    write_kit(tmp_path / "kit.toml", replace(kit, name="mine"))
    stage = Stage()
    before = stage.drums.state_changed
    stage.play(512, [to("kit", str(tmp_path))], rolling=False)
    stage.settle()
    assert stage.status() == "The kit is mine."
    loaded = read_kit(tmp_path / "kit.toml")
    assert np.array_equal(struck(stage, SNARE, 8192), heard(loaded, "snare", 8192))
    assert np.array_equal(struck(stage, to("note", 36, 127, 1), 8192), heard(loaded, "kick", 8192))
    assert (stage.drums.parameters["snare_x"], stage.drums.parameters["snare_source"]) == (0.3, "kit")
    assert stage.drums.state_changed > before
    again = DrumsProcessor(lambda name: Groove(), lambda name: Tones())
    again.restore(stage.drums.state())
    assert np.array_equal(struck(Stage(again), SNARE, 8192), heard(loaded, "snare", 8192))
    stage.play(512, [to("tom_x", 0.1), to("save_kit", str(tmp_path / "mine.toml"))], rolling=False)
    assert stage.drums.wait(20.0)
    assert read_kit(tmp_path / "mine.toml") == loaded.with_voice("tom", source=Point(pad=(0.1, 0.5)))


def test_a_sample_takes_a_voices_place_and_a_bad_one_does_not(tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav")
    stage = Stage()
    stage.play(512, [to("snare_x", 0.9)], rolling=False)
    stage.play(512, [to("sample", "snare", str(tmp_path / "tone.wav"))], rolling=False)
    stage.settle()
    assert stage.drums.parameters["snare_source"] == "kit" and to("snare_source", "kit") in stage.said
    mine = shipped_kit().with_voice("snare", source=Sample(tmp_path / "tone.wav"))
    assert np.array_equal(struck(stage, SNARE, 8192), heard(mine, "snare", 8192))
    for message, why in (
        (to("sample", "snare", str(tmp_path / "none.wav")), "none.wav"),
        (to("kit", str(tmp_path / "none.toml")), "none.toml"),
    ):
        stage.play(512, [message], rolling=False)
        stage.settle()
        assert "cannot be used" in stage.status() and why in stage.status()
        assert np.array_equal(struck(stage, SNARE, 8192), heard(mine, "snare", 8192))


def test_a_sample_is_kept_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tone(tmp_path / "tone.wav")
    monkeypatch.chdir(tmp_path)
    stage = Stage()
    stage.play(512, [to("sample", "snare", "tone.wav")], rolling=False)
    source = stage.drums.state()["kit"]["voice"]["snare"]["source"]
    assert source == {"sample": (tmp_path / "tone.wav").as_posix()}, "a project may be opened from anywhere"


def test_what_is_missing_is_named_and_the_rest_plays(tmp_path: Path) -> None:
    def missing(name: str) -> SoundSpace:
        raise ModelError("there is no model 'mine'")

    gone = shipped_kit().with_voice("kick", source=Sample(tmp_path / "gone.wav"))
    state = Stage().drums.state()
    saved = state["values"] | {"snare_x": 0.1, "snare_source": "pad"}
    drums = DrumsProcessor(lambda name: Groove(), missing)
    drums.restore(state | {"values": saved, "kit": kit_table(gone), "models": {"drum_sounds_of_mine": "abc"}})
    stage = Stage(drums)
    told = " ".join(str(each.arguments[0]) for each in stage.said if each.address == "/terzetto/status")
    assert "gone.wav" in told and "no model 'mine'" in told and "the model drum_sounds_of_mine is not installed" in told
    assert np.array_equal(struck(stage, SNARE), heard(shipped_kit(), "snare"))
    assert drums.state()["kit"]["voice"]["kick"]["source"] == {"sample": (tmp_path / "gone.wav").as_posix()}


def test_a_fault_while_a_sound_is_made_is_said_and_the_next_one_is_made() -> None:
    class Faulty(Tones):
        faults = 1

        def decode(self, z: ArrayLike, sound_class: str, seed: int = 0) -> Float:
            if self.faults:
                self.faults -= 1
                raise RuntimeError("out of order")
            return super().decode(z, sound_class, seed)

    space = Faulty()
    stage = Stage(DrumsProcessor(lambda name: Groove(), lambda name: space))
    stage.play(512, rolling=False)
    for x, expected in ((0.1, shipped_kit()), (0.2, on_pad("snare", 0.2, 0.5))):
        stage.play(512, [to("snare_x", x)], rolling=False)
        stage.settle()
        stage.play(RATE, rolling=False)
        assert np.array_equal(struck(stage, SNARE), heard(expected, "snare"))
    assert any("RuntimeError: out of order" in str(each.arguments) for each in stage.said)


def test_the_stream_begins_with_the_sounds_that_are_set_at_its_first_frame() -> None:
    stage = Stage()
    first = stage.play(4096, [to("snare_source", "pad"), to("snare_x", 0.7), SNARE], rolling=False)
    assert np.array_equal(first, heard(on_pad("snare", 0.7, 0.5), "snare"))


@pytest.mark.parametrize("voice", CLASSES)
def test_every_voice_has_its_pad(voice: str) -> None:
    values = Stage().drums.parameters.values()
    named = voice.replace(" ", "_")
    assert (values[f"{named}_x"], values[f"{named}_y"], values[f"{named}_source"]) == (0.5, 0.5, "kit")
    assert isinstance(shipped_kit().voices[voice].source, OneShot)


def test_a_stream_begins_with_the_kit_and_the_sample_of_its_first_frame(tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav")
    kit = on_pad("kick", 0.1, 0.9)
    write_kit(tmp_path / "kit.toml", kit)
    begun = [to("kit", str(tmp_path)), to("sample", "snare", str(tmp_path / "tone.wav"))]
    first = struck(Stage(), SNARE, 512)
    assert np.array_equal(first, heard(kit, "snare", 512)), "nothing is sent: as shipped"
    for note, expected in (
        (to("note", 36, 127, 1), heard(kit, "kick")),
        (SNARE, heard(kit.with_voice("snare", source=Sample(tmp_path / "tone.wav")), "snare")),
    ):
        assert np.array_equal(Stage().play(4096, [*begun, note], rolling=False), expected)


def test_of_two_kits_the_one_asked_for_last_is_played_whichever_is_read_first(tmp_path: Path) -> None:
    for name, x in (("slow", 0.1), ("quick", 0.9)):
        write_kit(tmp_path / f"{name}.toml", replace(on_pad("snare", x, 0.5), name=name))
    space = Held(0.1)
    stage = Stage(DrumsProcessor(lambda name: Groove(), lambda name: space))
    stage.play(512, rolling=False)
    stage.play(512, [to("kit", str(tmp_path / "slow.toml")), to("kit", str(tmp_path / "quick.toml"))], rolling=False)
    while stage.status() != "The kit is quick.":
        stage.play(512, rolling=False)
        time.sleep(0.005)
    space.go.set()
    stage.settle()
    assert stage.status() == "The kit is quick."
    assert np.array_equal(struck(stage, SNARE), heard(on_pad("snare", 0.9, 0.5), "snare"))


def test_a_kit_that_was_asked_for_before_a_project_was_opened_does_not_come_into_it(tmp_path: Path) -> None:
    write_kit(tmp_path / "slow.toml", on_pad("snare", 0.1, 0.5))
    space = Held(0.1)
    stage = Stage(DrumsProcessor(lambda name: Groove(), lambda name: space))
    saved = stage.drums.state()
    stage.play(512, rolling=False)
    stage.play(512, [to("kit", str(tmp_path / "slow.toml"))], rolling=False)
    stage.drums.restore(saved)
    space.go.set()
    stage.settle()
    stage.play(RATE, rolling=False)
    assert stage.drums.state()["kit"] is None
    assert np.array_equal(struck(stage, SNARE), heard(shipped_kit(), "snare"))


def test_a_kit_that_is_read_while_the_rate_changes_sounds_at_the_new_one(tmp_path: Path) -> None:
    kit = on_pad("snare", 0.1, 0.5)
    write_kit(tmp_path / "slow.toml", kit)
    space = Held(0.1)
    stage = Stage(DrumsProcessor(lambda name: Groove(), lambda name: space))
    stage.play(512, rolling=False)
    stage.play(512, [to("kit", str(tmp_path / "slow.toml"))], rolling=False)
    stage.drums.prepare(2 * RATE, 2, 512)
    space.go.set()
    stage.settle()
    stage.settle()
    expected = kit_sounds(kit, 2 * RATE, 2, lambda name: Tones())[SOUNDS.index("snare")].audio[:, :4096]
    assert np.array_equal(struck(stage, SNARE), np.pad(expected, ((0, 0), (0, 4096 - expected.shape[1]))))
