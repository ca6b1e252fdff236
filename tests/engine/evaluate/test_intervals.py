"""Bootstrap intervals."""

import numpy as np
import pytest

from terzetto.evaluate.intervals import interval


def test_it_is_near_the_normal_interval_for_many_values() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    found = interval(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found["mean"] == pytest.approx(values.mean())
    assert found["low"] == pytest.approx(values.mean() - half, abs=0.02)
    assert found["high"] == pytest.approx(values.mean() + half, abs=0.02)


def test_one_value_has_no_width_and_none_is_refused() -> None:
    assert interval([0.5]) == {"mean": 0.5, "low": 0.5, "high": 0.5}
    with pytest.raises(ValueError, match="one value or more"):
        interval([])
