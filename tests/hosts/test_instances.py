"""Ten instances at once: each plays its own sound, with its own score and settings, and none of another's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.audio.files import ArrayTake
from terzetto.audio.stream import render
from terzetto.control.messages import Message
from terzetto.hands.live import HandsProcessor
from terzetto.score.notes import Score
from tests.hosts.ardour import Ardour, Insert, Track
from tests.hosts.at_once import render_at_once
from tests.hosts.hands_take import read_excerpt, read_excerpt_score
from tests.hosts.judge import Float, differences
from tests.hosts.place import Place
from tests.hosts.states import LV2_URI, inverter, plugin_state

RATE = 48000
INSTANCES = 10


def from_second(score: Score, begin: float, end: float) -> Score:
    """Return a part of a score, as if it began there."""
    part = score.select((score.onset >= begin) & (score.onset < end))
    return replace(part, onset=part.onset - begin, offset=part.offset - begin)


def test_ten_pianos_in_one_host_play_at_once(place: Place) -> None:
    seconds, score = 1.5, read_excerpt_score()
    whole = read_excerpt(seconds * (INSTANCES + 1), RATE)
    parts: list[tuple[Float, str]] = []
    expected: list[Float] = []
    for number in range(INSTANCES):
        begin = seconds * number
        audio = whole[:, round(begin * RATE) :][:, : round(seconds * RATE)]
        values: dict[str, Any] = {
            "left_gain": -6.0 * number,
            "right_gain": -3.0,
            "spread": number / 16,
        }  # exact as float32
        hands = HandsProcessor()
        hands.use(from_second(score, begin, begin + seconds))
        state = hands.state()
        parts.append((audio, plugin_state(None, values, {"hands": state})))
        hands.restore(state)
        events = [Message(f"/terzetto/hands/{name}", (value,)) for name, value in values.items()]
        expected.append(np.concatenate(list(render(hands, ArrayTake(audio, RATE), events)), axis=1))
    outs = render_at_once(place.vst3, parts, place.root / "job", place.environment)
    for number, (out, wet, (dry, _)) in enumerate(zip(outs, expected, parts, strict=True)):
        assert np.abs(wet - dry).max() > 0.01, f"instance {number} has nothing to do"
        assert not differences(out, wet), number


def test_ten_tracks_of_an_ardour_session(
    place_with_stages: Place, take: Float, tmp_path: Path, with_ardour: None
) -> None:
    place = place_with_stages
    ardour = Ardour(place.environment)
    vst3 = ardour.scan(place.vst3)
    tracks, expected = [], np.zeros((2, 9000))
    for number in range(INSTANCES):
        gain = -1.5 * number  # dB; it tells the instances apart
        state = plugin_state(f'{inverter()}\n[[stage]]\nplugin = "Gain"\ngain_db = {gain}\n')
        insert = Insert("VST3", vst3, state) if number % 2 else Insert("LV2", LV2_URI, state)
        piece = take[:, 9000 * number : 9000 * number + 9000]
        tracks.append(Track(f"track{number}", piece, [insert]))
        expected -= 10 ** (gain / 20) * piece
    session = ardour.make_session(tmp_path / "song", tracks)
    assert not differences(session.export(), expected.astype(np.float32), 2e-6)
