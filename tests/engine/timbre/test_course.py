"""The course of a value that is moved before what it holds for is heard."""

from __future__ import annotations

import numpy as np

from terzetto.timbre.course import Course


def test_it_gets_there_on_a_straight_line() -> None:
    course = Course(0.0)
    course.move(1.0, 10, 10)
    np.testing.assert_allclose(course.over(0, 30), np.clip((np.arange(30) - 10) / 10, 0, 1), atol=1e-6)


def test_a_move_goes_on_from_where_it_is_and_leaves_the_past() -> None:
    course = Course(0.0)
    course.move(1.0, 0, 100)
    course.move(0.0, 50, 100)  # of the first move half is done
    values = course.over(-20, 220)
    assert values[20 + 25] == 0.25 and values[20 + 50] == 0.5 and values[20 + 100] == 0.25
    assert not values[:20].any() and not values[20 + 150 :].any()
    assert np.abs(np.diff(values)).max() < 0.0101


def test_pieces_are_the_whole() -> None:
    def moved() -> Course:
        course = Course(0.3)
        for step, time in enumerate(range(5, 200, 7)):
            course.move(step % 3 / 2, time, 20)
        return course

    pieces = moved()
    parts = [pieces.over(time, 16) for time in range(0, 256, 16)]
    np.testing.assert_array_equal(np.concatenate(parts), moved().over(0, 256))


def test_set_has_always_been_so() -> None:
    course = Course(0.0)
    course.move(1.0, 10, 10)
    course.set(0.5)
    assert (course.over(-5, 40) == 0.5).all()
