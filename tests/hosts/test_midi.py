"""Notes at the plugin's MIDI input (DawDreamer): they are the score of what is learned, and leave the sound alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from terzetto.audio.stream import Transport
from terzetto.control.messages import Message
from terzetto.hands.live import HandsProcessor
from terzetto.score.embedded import from_json
from terzetto.score.notes import LEFT, Score
from tests.hosts.hands_take import SETTINGS, read_excerpt, read_excerpt_score
from tests.hosts.judge import Float, differences
from tests.hosts.offline import TAIL, Render, render
from tests.hosts.place import Place
from tests.hosts.states import inverter, plugin_state

RATE, HOP = 48000, 512
SECONDS = 8.0
Notes = list[tuple[int, int, int, int, int]]


@pytest.fixture(scope="module")
def score() -> Score:
    whole = read_excerpt_score()
    return whole.select(whole.offset < SECONDS - 0.1)


@pytest.fixture(scope="module")
def notes(score: Score) -> Notes:
    """The score as a pianist's keyboard sends it, the right hand on channel 1, the left on 2."""
    columns = zip(score.pitch, score.velocity, score.onset, score.offset, score.hand, strict=True)
    return [
        (
            int(pitch),
            max(round(127 * velocity), 1),
            round(onset * RATE),
            round((offset - onset) * RATE),
            1 + int(hand == LEFT),
        )
        for pitch, velocity, onset, offset, hand in columns
    ]


def played(hands: HandsProcessor, audio: Float, events: list[Message]) -> Float:
    """Play a take through the processor hop by hop, as a host that waits does; returns it without the latency."""
    padded = np.pad(audio, ((0, 0), (0, round(TAIL * RATE))))
    out = []
    for at in range(0, padded.shape[1] - HOP + 1, HOP):
        assert hands.wait(120.0)
        here = [replace(event, frame=event.frame - at) for event in events if at <= event.frame < at + HOP]
        out.append(hands.process(padded[:, at : at + HOP], here, Transport(at, 120.0, True)))
    hands.reset()
    return np.concatenate(out, axis=1)[:, hands.latency :][:, : audio.shape[1]]


def to(name: str, *arguments: float | int | bool, frame: int = 0) -> Message:
    return Message(f"/terzetto/hands/{name}", arguments, frame)


def test_learn_takes_its_score_from_the_notes(
    place: Place, notes: Notes, score: Score, tmp_path: Path, with_dawdreamer: None
) -> None:
    audio, saved = read_excerpt(SECONDS, RATE), tmp_path / "state.json"
    renders = [
        Render(audio, RATE, 480, notes=notes, settings={"Learn": 1.0}),
        Render(audio, RATE, 480, settings={"Learn": 0.0}),
    ]
    learning, playing = render(
        "dawdreamer", place.vst3, renders, place.root / "job", place.environment,
        one_plugin=True, state=plugin_state(None, SETTINGS), state_file=str(saved), state_with='"learned":{"',
    )  # fmt: skip
    assert not differences(learning.audio, audio), "nothing is learned yet: the take, unchanged"

    kept = json.loads(saved.read_text())["engine"]["hands"]
    learned_from = from_json(kept["score"])
    assert len(learned_from) == len(score) > 30
    for name in ("onset", "offset"):
        assert np.abs(getattr(learned_from, name) - getattr(score, name)).max() <= 1e-6
    assert np.array_equal(learned_from.pitch, score.pitch)
    assert np.array_equal(learned_from.hand, score.hand), "channel 1 is the right hand, channel 2 the left"
    assert np.array_equal(np.round(127 * learned_from.velocity), np.round(127 * score.velocity))
    assert (kept["score"]["path"], kept["take_start"]) == ("", 0.0)

    # The same in the processor itself, without a host.
    hands = HandsProcessor()
    hands.prepare(RATE, 2, HOP)
    hands.process(np.zeros((2, HOP), np.float32), [to(name, value) for name, value in SETTINGS.items()])
    hands.reset()
    sent = [(start, velocity, pitch, channel) for pitch, velocity, start, _, channel in notes]
    sent += [(start + frames, 0, pitch, channel) for pitch, _, start, frames, channel in notes]
    events = [to("note", pitch, velocity, channel, frame=at) for at, velocity, pitch, channel in sorted(sent)]
    played(hands, audio, [to("learn", True), *events])
    expected = played(hands, audio, [to("learn", False)])
    hands.close()
    assert np.abs(expected - audio).max() > 0.05, "the left hand is turned down"
    assert not differences(playing.audio, expected)


def test_notes_leave_the_sound_alone(
    place_with_stages: Place, notes: Notes, take: Float, with_dawdreamer: None
) -> None:
    place = place_with_stages
    renders = [Render(take, RATE, block, notes) for block in (64, 1000, 4096)]
    state = plugin_state(inverter())
    for each in render("dawdreamer", place.vst3, renders, place.root / "job", place.environment, state=state):
        assert not differences(each.audio, -take)
