import numpy as np
import pytest

from terzetto.drums.grid import ActivationMatrix, Hvo
from terzetto.drums.pattern_features import HIT_SCALE, OFFSET_SCALE, VELOCITY_SCALE, features, from_steps, stack
from terzetto.errors import InputError


def bar(seed: int) -> Hvo:
    random = np.random.default_rng(seed)
    hits = random.random((9, 16)) < 0.2
    return Hvo(hits, random.uniform(0.1, 1, (9, 16)), random.uniform(-0.4, 0.4, (9, 16)))


def test_what_the_network_reads_is_what_it_writes_but_for_the_scales() -> None:
    bars = stack([bar(0), bar(1)])
    steps = features(bars)
    assert steps.shape == (2, 16, 59)
    again = from_steps(steps)
    np.testing.assert_array_equal(again.fine, bars.fine)
    np.testing.assert_allclose(again.hits / HIT_SCALE, bars.hits)
    np.testing.assert_allclose(again.velocities / VELOCITY_SCALE, bars.velocities, rtol=1e-6)
    np.testing.assert_allclose(again.offsets / OFFSET_SCALE, bars.offsets, rtol=1e-6)


def test_a_step_holds_its_own_quarter_of_the_activation_matrix() -> None:
    fine = np.zeros((8, 64), bool)
    fine[1, 4 * 5 + 2] = True
    steps = features(stack([Hvo(np.zeros((9, 16), bool), np.zeros((9, 16)))], [ActivationMatrix(fine)]))
    assert np.argwhere(steps[0]).tolist() == [[5, 1 * 4 + 2]]


def test_the_activation_matrix_is_made_of_the_bar_where_it_is_not_given() -> None:
    hits = np.zeros((9, 16), bool)
    hits[0, 4] = True
    bars = stack([Hvo(hits, hits * 0.5, hits * 0.25)])
    assert np.argwhere(bars.fine[0]).tolist() == [[1, 17]]


def test_as_many_activation_matrices_as_bars() -> None:
    with pytest.raises(InputError, match="2 bars come with 1 activation matrices"):
        stack([bar(0), bar(1)], [ActivationMatrix(np.zeros((8, 64), bool))])
