from dataclasses import replace

import numpy as np
import pytest

from terzetto.drums.pattern_features import Bars
from terzetto.errors import InputError
from terzetto.evaluate.drum_patterns import (
    best_threshold,
    changed_share,
    copies,
    f1_by_file,
    nearest_distance,
    nearest_index,
    statistics_distance,
    swing,
    syncopation,
)


def bars_of(hits: np.ndarray, velocity: float = 0.5, offset: float = 0.0) -> Bars:
    hits = hits.astype(np.float32)
    return Bars(np.zeros((len(hits), 8, 64), np.float32), hits, velocity * hits, offset * hits)


def test_f1_is_of_each_file_and_then_averaged() -> None:
    truth = np.zeros((3, 2, 4), bool)
    truth[:, 0, :2] = True
    found = truth.copy()
    found[2, 0, 0], found[2, 1, 3] = False, True  # one of two right
    np.testing.assert_allclose(f1_by_file(found, truth, np.array([0, 0, 1])), [1.0, 0.5])
    with pytest.raises(InputError, match="cannot be compared"):
        f1_by_file(found[:2], truth, np.arange(3))


def test_the_best_threshold_lets_all_hits_in_and_nothing_else() -> None:
    truth = np.zeros((1, 1, 4), bool)
    truth[0, 0, :2] = True
    threshold, score = best_threshold(np.array([[[0.9, 0.34, 0.26, 0.1]]]), truth, np.zeros(1, int))
    assert threshold == 0.3 and score == 1.0


def test_a_hit_that_moves_counts_twice() -> None:
    first = np.zeros((1, 1, 16), bool)
    first[0, 0, [0, 4, 8, 12]] = True
    second = first.copy()
    second[0, 0, [4, 5]] = False, True
    assert changed_share(first, second)[0] == 0.5


def test_copies_and_nearest_bars() -> None:
    known = np.zeros((2, 1, 8), bool)
    known[1, 0, :4] = True
    found = known[[1, 1]].copy()
    found[1, 0, 7] = True
    assert copies(found, known).tolist() == [True, False]
    assert nearest_distance(found, known).tolist() == [0, 1]
    assert nearest_index(found, known).tolist() == [1, 1]


def test_off_beat_kicks_are_syncopated_and_kicks_on_the_beat_are_not() -> None:
    hits = np.zeros((2, 9, 16), bool)
    hits[0, 0, ::4] = True
    hits[1, 0, 2::4] = True
    straight, off = syncopation(bars_of(hits))
    assert straight == 0.0 and off > 4.0


def test_swing_is_how_late_weak_sixteenths_are() -> None:
    hits = np.zeros((2, 9, 16), bool)
    hits[0, 2] = True
    hits[1, 2, ::2] = True
    late, none = swing(bars_of(hits, offset=0.3))
    assert late == pytest.approx(0.3) and np.isnan(none)


def test_statistics_of_the_same_bars_do_not_differ_and_of_louder_ones_do() -> None:
    random = np.random.default_rng(0)
    hits = random.random((50, 9, 16)) < 0.2
    bars = bars_of(hits)
    assert all(value == pytest.approx(0, abs=1e-6) for value in statistics_distance(bars, bars).values())
    velocity = bars.velocities * random.uniform(0.5, 1, (50, 1, 1)).astype(np.float32)
    real, louder = replace(bars, velocities=velocity), replace(bars, velocities=1.5 * velocity)
    found = statistics_distance(louder, real)
    assert found["velocity"] > 1.0 and found["density"] == pytest.approx(0)
