"""`Score`: its columns, its pedal, and the scores that there cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terzetto.errors import InputError
from terzetto.score.notes import LEFT, RIGHT, Score, pitch_name

NOTES = [(1.0, 2.0, 60, 0.5, "left"), (0.0, 0.5, 72, 0.7, "right"), (0.0, 3.0, 40, 0.2, "left")]


def test_notes_are_sorted_by_onset_then_pitch_with_all_columns() -> None:
    score = Score.from_notes(NOTES)
    assert score.pitch.tolist() == [40, 72, 60]
    assert score.hand.tolist() == [LEFT, RIGHT, LEFT]
    assert score.velocity.tolist() == [0.2, 0.7, 0.5]
    assert score.end == 3.0 and len(score) == 3 and score.has_velocity and score.has_hands


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"onset": [0.0]}, "one length"),
        ({"onset": [np.nan, 0.0]}, "finite"),
        ({"velocity": [np.inf, 0.0]}, "finite"),
        ({"velocity": [1.5, 0.0]}, "velocities"),
        ({"offset": [0.0, 2.0]}, "duration above 0"),
        ({"offset": [1e300, 2.0]}, "seconds"),
        ({"onset": [-1e300, 0.0]}, "seconds"),
        ({"pitch": [128, 0]}, "pitch 128"),
        ({"pitch": [-1, 127]}, "pitch -1"),
        ({"hand": [2, 0]}, "hand"),
        ({"right": [0.5]}, "one length"),
        ({"right": [0.5, 1.1]}, "probabilities"),
        ({"right": [0.5, np.nan]}, "probabilities"),
        ({"pedal": [[1.0, 0.5]]}, "pedal"),
        ({"pedal": [[1.0, np.inf]]}, "pedal"),
        ({"pedal": [1.0, 2.0, 3.0]}, "pedal"),
    ],
)
def test_scores_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    columns: dict[str, Any] = {
        "onset": [0.0, 1.0], "offset": [1.0, 2.0], "pitch": [60, 61], "velocity": [0.5, 0.6], "hand": [0, 1],
        "track": [0, 1],
    }  # fmt: skip
    Score(**columns)
    with pytest.raises(InputError, match=message):
        Score(**{**columns, **change})


def test_what_is_known_of_the_hands_stays_with_its_notes() -> None:
    score = Score.from_notes(NOTES)
    assert score.right is None
    told = replace(score, onset=np.array([3.0, 1.0, 2.0]), offset=np.full(3, 4.0), right=np.array([0.1, 0.9, 0.3]))
    assert told.right is not None and told.pitch.tolist() == [72, 60, 40]
    assert told.right.tolist() == [0.9, 0.3, 0.1]
    chosen = told.select(told.pitch > 50).right
    assert chosen is not None and chosen.tolist() == [0.9, 0.3]
    assert told.split_at(60).right is None and told.with_hands(told.hand).right is None


def test_split_pitch_must_be_a_pitch() -> None:
    score = Score.from_notes(NOTES)
    assert score.split_at(60).hand.tolist() == [LEFT, RIGHT, RIGHT]
    for wrong in (-1, 128):
        with pytest.raises(InputError, match=r"0\.\.127"):
            score.split_at(wrong)


def test_from_notes_names_what_is_wrong() -> None:
    with pytest.raises(InputError, match="'both'"):
        Score.from_notes([(0, 1, 60, 0.5, "both")])
    with pytest.raises(InputError, match="no notes"):
        Score.from_notes([])


def test_notes_held_by_the_pedal_count_as_sounding() -> None:
    score = Score.from_notes([(0.0, 1.0, 60, 0.5, "left"), (0.0, 2.5, 62, 0.5, "left")], pedal=[(0.5, 2.0), (2.2, 2.4)])
    assert score.sounding_offset().tolist() == [2.0, 2.5]
    assert score.between(1.5, 1.6).pitch.tolist() == [60, 62]
    assert score.between(2.1, 2.2).pitch.tolist() == [62]
    # the pedal goes down just as the key goes up: it catches the note
    assert Score.from_notes([(0, 1.0, 60, 0.5, "left")], pedal=[(1.0, 4.0)]).sounding_offset().tolist() == [4.0]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=8),
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), min_size=1, max_size=5),
)
def test_pedal_intervals_may_come_in_any_order_and_overlap(
    pedal: list[tuple[int, int]], notes: list[tuple[int, int]]
) -> None:
    intervals = [(start, start + length) for start, length in pedal]
    score = Score.from_notes([(a, a + b, 60, 0.5, "left") for a, b in notes], intervals)

    def lifted(time: float) -> float:
        """Follow the pedal by hand: whoever holds the note, up to the last one who does."""
        while True:
            later = max((up for down, up in intervals if down <= time < up), default=time)
            # an interval that begins just where another ends goes on holding
            if later == time:
                return time
            time = later

    assert score.sounding_offset().tolist() == [lifted(offset) for offset in score.offset]
    assert (np.diff(score.pedal.ravel()) >= 0).all()


def test_pitch_names() -> None:
    assert [pitch_name(pitch) for pitch in (0, 21, 60, 61, 127)] == ["C-1", "A0", "C4", "C#4", "G9"]
