"""Noise, filters and thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from terzetto.drums.drum_map import DRUMS
from terzetto.errors import InputError
from terzetto.evaluate import dictionary as measures

N = len(DRUMS)
FILE = np.repeat(np.arange(4), 3)


@pytest.fixture
def rows() -> np.ndarray:
    """Twelve sections, each of one bar four times, from four files."""
    random = np.random.default_rng(0)
    hits = np.tile(random.random((12, N, 16)) < 0.12, (1, 1, 4)).astype(np.float32)
    return np.concatenate([hits, 0.6 * hits, 0.1 * hits], axis=1).astype(np.float32)


def test_noise_drops_and_adds_about_as_many_hits(rows: np.ndarray) -> None:
    noisy = measures.add_noise(rows, 0.2, seed=3)
    was, now = rows[:, :N] > 0.5, noisy[:, :N] > 0.5
    assert (was & ~now).sum() / was.sum() == pytest.approx(0.2, abs=0.04)
    assert (~was & now).sum() / was.sum() == pytest.approx(0.2, abs=0.04)
    assert np.allclose(noisy[:, N : 2 * N][~was & now], 0.6) and not noisy[:, N : 2 * N][was & ~now].any()
    assert np.array_equal(noisy, measures.add_noise(rows, 0.2, seed=3))
    assert np.array_equal(measures.add_noise(rows, 0.0, seed=3), rows)


def test_majority_mends_what_repeats(rows: np.ndarray) -> None:
    keep, add, f1 = measures.choose_thresholds(measures.majority, rows, FILE)
    found = measures.denoised_f1(measures.majority, (keep, add), rows, FILE, 0.1)
    nothing = measures.denoised_f1(measures.majority, (-measures.NEVER, measures.NEVER), rows, FILE, 0.1)
    assert f1 > 0.9 and len(found) == 4 and found.mean() > nothing.mean() + 0.05
    assert nothing.mean() == pytest.approx(0.9, abs=0.03)


def test_a_value_that_knows_nothing_is_given_no_weight(rows: np.ndarray) -> None:
    blind = lambda given: np.zeros((len(given), N, 64), np.float32)  # noqa: E731
    assert measures.choose_denoising(blind, rows, FILE)[2] > 0
    half = measures.with_recurrence(blind, 0.5)(rows)
    assert np.allclose(half, 0.5 * measures.majority(rows))


def test_the_median_in_time_keeps_rolls_and_drops_single_hits(rows: np.ndarray) -> None:
    one = np.zeros_like(rows[:1])
    one[0, 0, [4, 5, 6, 20]] = 1
    assert list(np.flatnonzero(measures.median(one)[0, 0])) == [4, 5, 6]


def test_error_by_file_and_wrong_shapes(rows: np.ndarray) -> None:
    assert np.allclose(measures.squared_error(rows + 0.5, rows, FILE), 0.25)
    with pytest.raises(InputError, match="27, 64"):
        measures.validate(rows[:, :9], FILE)
    with pytest.raises(InputError, match="12 sections come with 3"):
        measures.validate(rows, FILE[:3])
