"""Timbre, live: it plays what a render gives, whatever the blocks; what turns the sound changes without a click."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from terzetto.audio.files import ArrayTake
from terzetto.audio.stream import Processor, Stateful, Transport, render
from terzetto.timbre import stream
from terzetto.timbre.between import open_between
from terzetto.timbre.conversion import Controls
from terzetto.timbre.live import TimbreProcessor
from tests.engine.timbre.stage import HOP, RATE, Float, Stage, recording, timbre, tone


@pytest.fixture
def target(tmp_path: Path) -> str:
    return recording(tmp_path / "target.wav")


def hybrid(target: str, **values: float | str) -> TimbreProcessor:
    """An instrument that has been restored with a recording as its target."""
    processor = TimbreProcessor()
    processor.restore({"target": target, "values": {"method": "envelope", **values}})
    return processor


def expected(
    sound: Float, target: str, controls: Controls, *, other: str = "", low: bool = False, flatten: str = "target"
) -> Float:
    """What a render gives without the instrument."""
    conversion = open_between(
        "envelope", target, other, sample_rate=RATE, channels=len(sound), low_latency=low, flatten=flatten
    )
    return np.concatenate(list(stream.render(ArrayTake(sound, RATE), conversion, controls)), axis=1)


def sharpest(sound: Float) -> float:
    """How sharp the sharpest corner is: a click is one."""
    return float(np.abs(np.diff(sound, 2)).max())


def test_it_is_what_runs_live(target: str) -> None:
    processor: Processor = hybrid(target)
    assert isinstance(processor, Stateful)


@pytest.mark.parametrize(("channels", "hop"), [(1, 512), (2, 512), (2, 100), (2, 4096)])
def test_a_bounce_is_what_a_render_gives(target: str, channels: int, hop: int) -> None:
    sound, values = tone(20000, channels), {"amount": 0.75, "follow": 0.5, "pad_x": 0.25}
    bounced = np.concatenate(list(render(hybrid(target, **values), ArrayTake(sound, RATE), hop=hop)), axis=1)
    np.testing.assert_array_equal(bounced, expected(sound, target, Controls(0.75, (0.25, 0.5), follow=0.5)))


def test_between_two_recordings_it_is_what_a_render_gives(target: str, tmp_path: Path) -> None:
    other, sound = recording(tmp_path / "other.wav", 500.0), tone(20000)
    events = [timbre("other", other), timbre("balance", 0.25)]
    bounced = np.concatenate(list(render(hybrid(target), ArrayTake(sound, RATE), events)), axis=1)
    np.testing.assert_array_equal(bounced, expected(sound, target, Controls(1.0, (0.5, 0.5), 0.25), other=other))


def test_the_windows_keep_their_latency_and_the_short_one_is_heard_sooner(target: str) -> None:
    sound = tone(20000)
    assert Stage(hybrid(target)).processor.latency == 2048
    short = hybrid(target, window="short")
    assert Stage(short).processor.latency == 1024
    bounced = np.concatenate(list(render(short, ArrayTake(sound, RATE))), axis=1)
    np.testing.assert_array_equal(bounced, expected(sound, target, Controls(1.0, (0.5, 0.5)), low=True))


def test_either_sound_can_be_flattened_and_only_the_envelope_asks_which(target: str) -> None:
    sound = tone(20000)
    bounced = np.concatenate(list(render(hybrid(target, flatten="source"), ArrayTake(sound, RATE))), axis=1)
    np.testing.assert_array_equal(bounced, expected(sound, target, Controls(1.0, (0.5, 0.5)), flatten="source"))
    mosaic = Stage(hybrid(target, method="mosaic"))
    before = mosaic.processor.state_changed
    mosaic.play(sound[:, :HOP], [timbre("flatten", "source")])
    assert mosaic.processor.state_changed == before, "the mosaic was opened anew"


@pytest.mark.parametrize("window", ["long", "short"])
def test_without_a_recording_the_sound_passes_as_late_as_with_one(target: str, window: str) -> None:
    stage = Stage(hybrid("", window=window))
    late = Stage(hybrid(target, window=window)).processor.latency
    sound = tone(8192)
    assert stage.processor.latency == late
    np.testing.assert_array_equal(stage.play(sound)[:, late:], sound[:, :-late])
    assert "Drop a recording here" in stage.status


def test_dry_is_the_input_bit_for_bit_and_no_amount_is_it_too(target: str) -> None:
    sound = tone(20000)
    for values, atol in (({"mix": 0.0}, 0.0), ({"amount": 0.0}, 1e-6)):
        bounced = np.concatenate(list(render(hybrid(target, **values), ArrayTake(sound, RATE))), axis=1)
        np.testing.assert_allclose(bounced, sound, rtol=0.0, atol=atol)
    half = np.concatenate(list(render(hybrid(target, mix=0.5), ArrayTake(sound, RATE))), axis=1)
    np.testing.assert_allclose(half, (sound + expected(sound, target, Controls(1.0, (0.5, 0.5)))) / 2, atol=1e-6)


def test_a_knob_holds_for_the_input_at_its_frame_and_glides(target: str) -> None:
    stage, sound = Stage(hybrid(target, mix=0.0)), tone(24000)
    played = stage.play(sound, [timbre("mix", 1.0, frame=12000)])[:, 2048:]
    wet = expected(sound, target, Controls(1.0, (0.5, 0.5)))[:, : played.shape[1]]
    turned = 12000 + round(stream.GLIDE * RATE)
    np.testing.assert_array_equal(played[:, :12000], sound[:, :12000])
    np.testing.assert_allclose(played[:, turned:], wet[:, turned:], atol=1e-6)
    assert np.abs(played[:, 12001:turned] - sound[:, 12001:turned]).max() > 0.01
    assert sharpest(played) < 1.1 * max(sharpest(sound), sharpest(wet))


def test_another_recording_takes_over_without_a_click(target: str, tmp_path: Path) -> None:
    other, sound = recording(tmp_path / "other.wav", 500.0), tone(48000)
    stage = Stage(hybrid(target))
    before = stage.play(sound[:, :16384], [timbre("target", other, frame=16000)])
    stage.settle()
    played = np.concatenate([before, stage.play(sound[:, 16384:])], axis=1)
    np.testing.assert_array_equal(played[:, :16384], Stage(hybrid(target)).play(sound[:, :16384]))
    changed = Stage(hybrid(other)).play(sound)
    later = 16384 + 2 * 2048 + round(0.06 * RATE)
    assert np.abs(played[:, later:]).max() > 0.01
    assert sharpest(played) < 1.5 * max(sharpest(Stage(hybrid(target)).play(sound)), sharpest(changed))
    assert stage.status == "A hybrid with other.wav."


def test_one_that_is_chosen_while_another_takes_over_waits_for_it(target: str, tmp_path: Path) -> None:
    others = [recording(tmp_path / f"{pitch}.wav", pitch) for pitch in (400.0, 500.0, 600.0)]
    stage, sound, played = Stage(hybrid(target)), tone(96000), []
    for start in range(0, 96000, 8 * HOP):
        choice = [timbre("target", others[start // (8 * HOP) % 3])] if start < 48000 else []
        played.append(stage.play(sound[:, start : start + 8 * HOP], choice))
        stage.settle()
    heard = np.concatenate(played, axis=1)
    assert sharpest(heard) < 1.5 * max(sharpest(Stage(hybrid(path)).play(sound)) for path in (target, *others))
    last = others[(48000 // (8 * HOP)) % 3]
    assert Path(last).name in stage.status and stage.processor.state()["target"] == last


def test_a_window_that_changes_takes_over_and_its_latency_is_told(target: str) -> None:
    stage, sound = Stage(hybrid(target)), tone(48000)
    stage.play(sound[:, :8192], [timbre("window", "short", frame=4096)])
    stage.settle()
    assert stage.processor.latency == 2048
    stage.play(sound[:, 8192:])
    assert stage.processor.latency == 1024


def test_a_recording_that_cannot_be_used_changes_nothing(target: str, tmp_path: Path) -> None:
    stage, sound = Stage(hybrid(target)), tone(16384)
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF")
    for message in (timbre("target", str(bad)), timbre("target", str(tmp_path / "none.wav")), timbre("model", "tuba")):
        stage.play(sound[:, :HOP], [message])
        stage.settle()
        stage.play(sound[:, :HOP])
        assert "cannot be used" in stage.status, message
    assert stage.processor.state()["target"] == target and stage.processor.parameters["method"] == "envelope"
    stage.processor.reset()
    np.testing.assert_array_equal(stage.play(sound), Stage(hybrid(target)).play(sound))


def test_what_plays_goes_on_after_choices_that_overtake_each_other_and_fail(target: str, tmp_path: Path) -> None:
    stage, sound = Stage(hybrid(target)), tone(HOP)
    stage.play(sound)
    choices = [timbre("target", str(tmp_path / f"none{number}.wav")) for number in (1, 2)]
    stage.play(sound, [*choices, timbre("flatten", "target")])
    stage.settle()
    stage.play(sound, [timbre("window", "short")])
    assert "none2.wav" in stage.status and "cannot be used" in stage.status
    stage.settle()
    stage.play(sound)
    assert stage.status == "A hybrid with target.wav."


def test_a_recording_makes_the_method_one_that_takes_it(target: str) -> None:
    stage = Stage(TimbreProcessor())
    stage.play(tone(HOP), [timbre("target", target)])
    assert stage.told("/timbre/method") == [("envelope",)]
    assert stage.status == "A hybrid with target.wav."


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (timbre("pad", 0.5), "takes 2 numbers"),
        (timbre("pad", 0.5, "x"), "takes 2 numbers"),
        (timbre("target", 3), "takes the path of a recording"),
        (timbre("target", ""), "target takes the path of a recording; given an empty text"),
        (timbre("model", ""), "model takes the name or the path of a model; given an empty text"),
        (timbre("amount", "much"), "takes a number from 0 to 1"),
        (timbre("instrument", "tuba"), "no instrument 'tuba'; valid: none: the model is not one of several"),
    ],
)
def test_a_message_that_is_wrong_is_answered_with_what_is_valid(target: str, message: object, words: str) -> None:
    stage = Stage(hybrid(target))
    stage.play(tone(HOP), [message])  # type: ignore[list-item]
    ((said, address),) = stage.told("/terzetto/error")
    assert words in str(said) and address == message.address  # type: ignore[attr-defined]


def test_a_state_brings_the_sound_back(target: str, tmp_path: Path) -> None:
    other, sound = recording(tmp_path / "other.wav", 500.0), tone(16384)
    first = Stage(TimbreProcessor())
    first.play(sound[:, :HOP], [timbre("target", target), timbre("other", other), timbre("balance", 0.5)])
    first.processor.reset()
    state = json.loads(json.dumps(first.processor.state()))
    again = TimbreProcessor()
    again.restore(state)
    np.testing.assert_array_equal(Stage(again).play(sound), first.play(sound))
    assert again.state() == state
    assert sorted(state["made_of"]) == sorted([target, other])


def test_a_state_that_comes_while_it_plays_takes_over(target: str) -> None:
    stage, sound = Stage(hybrid("")), tone(32768)
    stage.play(sound[:, :8192])
    stage.processor.restore({"target": target, "values": {"method": "envelope", "amount": 0.5}})
    stage.settle()
    stage.play(sound)
    assert stage.status == "A hybrid with target.wav." and stage.processor.parameters["amount"] == 0.5
    stage.processor.reset()
    np.testing.assert_array_equal(stage.play(sound), Stage(hybrid(target, amount=0.5)).play(sound))


def test_what_is_missing_or_another_one_is_told_and_kept(target: str) -> None:
    state = Stage(hybrid(target)).processor.state()
    recording(Path(target), 250.0)
    changed = TimbreProcessor()
    changed.restore(state)
    assert f"Not as it was saved: {target} is another recording by now." in Stage(changed).status
    Path(target).unlink()
    missing = TimbreProcessor()
    missing.restore(state)
    stage, sound = Stage(missing), tone(8192)
    assert stage.status.startswith("The sound passes unchanged: ") and target in stage.status
    np.testing.assert_array_equal(stage.play(sound)[:, 2048:], sound[:, :-2048])
    kept = missing.state()
    assert kept["target"] == target and kept["made_of"] == state["made_of"]


@pytest.mark.parametrize("state", [{}, {"values": 3}, {"target": 4, "made_of": [1]}, {"values": {"amount": "x"}}])
def test_a_damaged_state_gives_the_defaults(state: dict[str, object]) -> None:
    processor = TimbreProcessor()
    processor.restore(state)
    assert processor.parameters.values() == TimbreProcessor().parameters.values()
    Stage(processor).play(tone(HOP))


def test_frames_lie_in_the_song_wherever_playback_begins(target: str) -> None:
    sound, processor = tone(24064), hybrid(target)
    processor.prepare(RATE, 2, HOP)
    heard = [
        processor.process(sound[:, at : at + HOP], (), Transport(700 + at, 120.0, True))
        for at in range(0, sound.shape[1], HOP)
    ]
    direct = stream.ConversionStream(
        open_between("envelope", target, "", sample_rate=RATE), 2, Controls(1.0, (0.5, 0.5))
    )
    np.testing.assert_array_equal(np.concatenate(heard, axis=1), direct.process(sound, 700))
