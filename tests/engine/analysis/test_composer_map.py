"""Composers by the atoms they use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from terzetto.analysis.composer_map import centroid_distances, fit_plane, mean_activity, nearer, works_of
from terzetto.analysis.performance_drawing import draw_composers
from terzetto.errors import InputError

BY = ["Haydn"] * 4 + ["Beethoven"] * 12 + ["Chopin"] * 8


def pieces(haydn: float, spread: float = 1.0) -> np.ndarray:
    """Works of 40 atoms: Beethoven about 0, Chopin about 3 on one atom, Haydn in between."""
    random = np.random.default_rng(0)
    centre = np.array([{"Haydn": haydn, "Beethoven": 0.0, "Chopin": 3.0}[name] for name in BY])
    rows = spread * random.normal(size=(len(BY), 40)) * 0.3
    rows[:, 0] += centre
    return rows


def test_who_is_nearer_is_nearer() -> None:
    found = nearer(pieces(0.2), BY, permutations=500)
    assert found.verdict == "nearer" and found.difference > 1 and found.p < 0.01 and found.works == (4, 12, 8)
    assert nearer(pieces(2.8), BY, permutations=500).verdict == "farther"


def test_who_is_in_between_is_undecided() -> None:
    found = nearer(pieces(1.5), BY, permutations=500)
    assert found.verdict == "undecided" and found.p > 0.05


def test_labels_that_say_nothing_are_rarely_significant() -> None:
    random = np.random.default_rng(1)
    p = [nearer(random.normal(size=(24, 40)), BY, permutations=200, seed=i).p for i in range(40)]
    assert np.mean(np.array(p) <= 0.05) <= 0.15 and 0.3 < np.mean(p) < 0.7


def test_the_same_seed_gives_the_same_answer() -> None:
    assert nearer(pieces(1.0), BY, permutations=50, seed=3) == nearer(pieces(1.0), BY, permutations=50, seed=3)


def test_the_plane_holds_most_of_the_spread() -> None:
    rows = pieces(1.0, spread=0.1)
    plane = fit_plane(rows)
    places = plane.place(rows)
    assert places.shape == (24, 2) and plane.share[0] > 0.9
    assert places[16:, 0].mean() - places[4:16, 0].mean() == pytest.approx(3.0, abs=0.1)


def test_performances_of_a_work_are_one_work() -> None:
    rows, by, names = works_of([[1.0, 0], [3.0, 0], [5.0, 1]], ["A", "A", "B"], ["A x", "A x", "B y"])
    assert rows.tolist() == [[2.0, 0], [5.0, 1]] and by == ("A", "B") and names == ("A x", "B y")
    assert centroid_distances(rows, by)["A", "B"] == pytest.approx(10**0.5)
    assert mean_activity([[1.0, 3.0], [0.0, 0.0]]).tolist() == [2.0, 0.0]


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    draw_composers(pieces(1.0), BY, path)
    assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000


def test_too_little_is_refused() -> None:
    with pytest.raises(InputError, match="three pieces"):
        fit_plane([[1.0, 2.0]])
    with pytest.raises(InputError, match="works by Haydn, Beethoven and Chopin: 0, 2, 2"):
        nearer(np.zeros((4, 2)), ["Beethoven", "Beethoven", "Chopin", "Chopin"])
    with pytest.raises(InputError, match="said to be by A and by B"):
        works_of([[1.0], [2.0]], ["A", "B"], ["x", "x"])
