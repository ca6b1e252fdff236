"""Performances as the 388 events, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terzetto.errors import InputError
from terzetto.score.notes import UNKNOWN, Score
from terzetto.score.performance_events import (
    EVENTS,
    NOTE_OFF,
    TIME_SHIFT,
    VELOCITY,
    from_events,
    one_hot,
    times_of,
    to_events,
)


def score(*notes: tuple[float, float, int, float], pedal: tuple[tuple[float, float], ...] = ()) -> Score:
    onset, offset, pitch, velocity = (np.array(column) for column in zip(*notes, strict=True))
    n = len(notes)
    return Score(
        onset,
        offset,
        pitch,
        velocity,
        np.full(n, UNKNOWN),
        np.zeros(n, int),
        ("notes",),
        np.array(pedal).reshape(-1, 2),
    )


def test_there_are_388_of_them_in_the_published_order() -> None:
    assert (NOTE_OFF, TIME_SHIFT, VELOCITY, EVENTS) == (128, 256, 356, 388)


def test_two_notes_are_these_events() -> None:
    events = to_events(score((0.5, 1.0, 60, 64 / 127), (0.5, 2.25, 64, 64 / 127)))
    loud = VELOCITY + 15  # MIDI velocity 64: steps of four from 1
    assert events.tolist() == [256 + 49, loud, 60, 64, 256 + 49, NOTE_OFF + 60, 256 + 99, 256 + 24, NOTE_OFF + 64]


def test_the_pedal_holds_notes_until_it_is_lifted_or_the_key_is_struck_again() -> None:
    played = score((0.0, 0.1, 60, 0.5), (0.0, 0.1, 67, 0.5), (1.0, 1.2, 60, 0.5), pedal=((0.05, 2.0),))
    found = from_events(to_events(played))
    assert found.pitch.tolist() == [60, 67, 60]
    assert found.offset.tolist() == [1.0, 2.0, 2.0]
    assert not len(found.pedal)


def test_of_a_key_struck_twice_at_once_the_louder_stays() -> None:
    found = from_events(to_events(score((0.0, 0.5, 60, 0.2), (0.004, 0.9, 60, 0.8))))
    assert len(found) == 1 and found.offset[0] == 0.9 and found.velocity[0] == pytest.approx(0.8, abs=0.02)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(1, 400), st.integers(0, 127), st.integers(1, 127)),
        min_size=1,
        max_size=30,
    )
)
def test_what_is_on_the_grid_comes_back(notes: list[tuple[int, int, int, int]]) -> None:
    played = score(*((start / 100, (start + length) / 100, pitch, v / 127) for start, length, pitch, v in notes))
    events = to_events(played)
    found = from_events(events)
    assert np.array_equal(to_events(found), events)
    struck = {(round(t * 100), p) for t, p in zip(played.onset, played.pitch, strict=True)}
    assert {(round(t * 100), int(p)) for t, p in zip(found.onset, found.pitch, strict=True)} == struck
    louder: dict[tuple[int, int], int] = {}
    for start, _, pitch, v in notes:
        louder[start, pitch] = max(louder.get((start, pitch), 0), v)
    for t, p, v in zip(found.onset, found.pitch, found.velocity, strict=True):
        assert abs(round(127 * v) - louder[round(t * 100), int(p)]) <= 2


def test_what_is_not_well_formed_is_read_all_the_same() -> None:
    line = [NOTE_OFF + 50, 60, TIME_SHIFT + 9, 60, TIME_SHIFT + 9, 62, 62, NOTE_OFF + 62, NOTE_OFF + 62]
    found = from_events(line)
    assert found.pitch.tolist() == [60, 60, 62, 62]
    assert found.onset.tolist() == [0.0, 0.1, 0.2, 0.2]
    assert (found.offset > found.onset).all()
    assert len(from_events([])) == 0


def test_events_have_times_and_rows() -> None:
    line = [60, TIME_SHIFT + 99, TIME_SHIFT, NOTE_OFF + 60]
    assert times_of(line).tolist() == [0.0, 0.0, 1.0, 1.01]
    rows = one_hot(line)
    assert rows.shape == (388, 4) and rows.argmax(axis=0).tolist() == line and rows.sum() == 4


@pytest.mark.parametrize("wrong", [[388], [-1], [[1, 2]], [0.5]])
def test_what_is_no_event_is_refused(wrong: list[object]) -> None:
    with pytest.raises(InputError, match="events are"):
        from_events(wrong)


def test_what_is_before_the_beginning_is_refused() -> None:
    with pytest.raises(InputError, match=r"begins at 0; its first note is at -0\.500 s"):
        to_events(score((-0.5, 1.0, 60, 0.5)))
