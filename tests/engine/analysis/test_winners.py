"""Which activities win."""

from __future__ import annotations

import numpy as np
import pytest

from terzetto.analysis.winners import IN_EACH_COLUMN, OF_EACH_ATOM, keep_winners
from terzetto.errors import InputError

ACTIVITY = np.array([[1, 4, 2, 3], [5, 0, 6, 0], [2, 3, 1, 7]], np.float32)


def test_of_each_atom_the_strongest_columns_win() -> None:
    kept = keep_winners(ACTIVITY, 1, OF_EACH_ATOM)
    assert np.array_equal(kept, [[0, 4, 0, 0], [0, 0, 6, 0], [0, 0, 0, 7]])


def test_sections_have_their_own_winners() -> None:
    kept = keep_winners(ACTIVITY, 1, OF_EACH_ATOM, section=2)
    assert np.array_equal(kept, [[0, 4, 0, 3], [5, 0, 6, 0], [0, 3, 0, 7]])
    short = keep_winners(ACTIVITY[:, :3], 1, OF_EACH_ATOM, section=2)
    assert np.array_equal(short[:, 2], ACTIVITY[:, 2])


def test_in_each_column_the_strongest_atoms_win() -> None:
    kept = keep_winners(ACTIVITY, 2, IN_EACH_COLUMN)
    assert np.array_equal(kept, [[0, 4, 2, 3], [5, 0, 6, 0], [2, 3, 0, 7]])


def test_more_winners_than_there_are_keep_everything() -> None:
    for winners in (OF_EACH_ATOM, IN_EACH_COLUMN):
        assert np.array_equal(keep_winners(ACTIVITY, 9, winners), ACTIVITY)


def test_of_equal_ones_the_first_wins() -> None:
    assert np.array_equal(keep_winners(np.ones((2, 3), np.float32), 1, OF_EACH_ATOM), [[1, 0, 0], [1, 0, 0]])


def test_no_winners_and_unknown_ones_are_refused() -> None:
    with pytest.raises(InputError, match="at least one"):
        keep_winners(ACTIVITY, 0, OF_EACH_ATOM)
    with pytest.raises(InputError, match="of each atom or in each column"):
        keep_winners(ACTIVITY, 1, "by chance")
