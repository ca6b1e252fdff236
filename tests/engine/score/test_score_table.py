"""CSV scores in the layout of the FMP notebooks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terzetto.errors import InputError
from terzetto.score.notes import LEFT, RIGHT, UNKNOWN
from terzetto.score.table import read_csv

HEADER = "Start;Duration;Pitch;Velocity;Instrument\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_the_layout_of_the_notebooks(tmp_path: Path) -> None:
    text = '"Start";"Duration";"Pitch";"Velocity";"Instrument"\r\n0.5;1.25;71;0.4;rh\r\n0.0;2;40;0.6; LH \r\n\r\n'
    score = read_csv(write(tmp_path / "a.csv", text))
    assert score.onset.tolist() == [0.0, 0.5] and score.offset.tolist() == [2.0, 1.75]
    assert score.pitch.tolist() == [40, 71] and score.velocity.tolist() == [0.6, 0.4]
    assert score.hand.tolist() == [LEFT, RIGHT]


def test_commas_byte_order_mark_midi_velocities_and_other_columns(tmp_path: Path) -> None:
    text = "\ufeffpitch,velocity,start,comment,duration\n60,127,1.0,hello,0.5\n62.0,,2.0,,1e-1\n"
    score = read_csv(write(tmp_path / "a.csv", text))
    np.testing.assert_allclose(score.offset, [1.5, 2.1])
    np.testing.assert_allclose(score.velocity, [1.0, 0.5 / 127])
    assert (score.hand == UNKNOWN).all()


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("0;1;sixty;0.5;rh", 3), ("0;1", 3), ("0;0;60;0.5;rh", 3), ("0;-1;60;0.5;rh", 3), ("nan;1;60;0.5;rh", 3),
        ("0;inf;60;0.5;rh", 3), ("0;1;inf;0.5;rh", 3), ("0;1;60.5;0.5;rh", 3), ("0;1;128;0.5;rh", 3),
        ("0;1;60;-1;rh", 3), ("0;1;60;200;rh", 3), ("0,5;1;60;0.5;rh", 3),
    ],
)  # fmt: skip
def test_a_row_that_is_no_note_is_named(tmp_path: Path, row: str, line: int) -> None:
    path = write(tmp_path / "a.csv", f"{HEADER}0;1;60;0.5;lh\n{row}\n")
    with pytest.raises(InputError, match=rf"a\.csv: line {line} .*{row.split(';')[0]}"):
        read_csv(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "no column 'start'"),
        (HEADER, "no notes"),
        ("Start;Pitch\n0;60\n", "no column 'duration'"),
        (HEADER + "2e9;1;60;0.5;lh\n", "seconds"),
        (HEADER + '0;1;60;0.5;"' + "x" * 200_000, "not a readable CSV"),
    ],
)
def test_files_that_are_no_scores(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_csv(write(tmp_path / "a.csv", text))
    assert "a.csv" in str(caught.value)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such score"):
        read_csv(tmp_path / "missing.csv")
    with pytest.raises(InputError, match="not a readable CSV"):
        read_csv(write(tmp_path / "a.csv", HEADER, "utf-16"))
    with pytest.raises(InputError, match="not a readable CSV"):
        read_csv(tmp_path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from('0159.e-+;,"\n\r lhrhinfNa\x00é'), max_size=60))
def test_whatever_stands_in_it_gives_notes_or_one_clear_error(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "a.csv", HEADER + text)
    try:
        score = read_csv(path)
    except InputError as error:
        assert "a.csv" in str(error)
    else:
        assert len(score)
