"""Two conversions at once, and what lies between them."""

from __future__ import annotations

import numpy as np
import pytest

from terzetto.audio.files import ArrayTake
from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.timbre.between import Between
from terzetto.timbre.conversion import Complex, Controls
from terzetto.timbre.stream import render
from tests.engine.timbre.test_conversion_stream import RATE, Louder, noise


class Times(Louder):
    """Gives back frames of some calls before, as many times as loud."""

    def __init__(self, factor: float, look_ahead: int = 0) -> None:
        self.factor = np.float32(factor)
        super().__init__(look_ahead)

    def convert(self, spectra: Complex, controls: Controls) -> Complex:
        return super().convert(spectra, Controls(0.0)) * (self.factor if controls.amount > 0 else np.float32(1))


@pytest.mark.parametrize("ahead", [(0, 0), (0, 3), (2, 0)])
@pytest.mark.parametrize(("balance", "factor"), [(0.0, 2.0), (0.25, 2.5), (1.0, 4.0)])
def test_what_lies_between_two_is_aligned(ahead: tuple[int, int], balance: float, factor: float) -> None:
    take = ArrayTake(noise(3000), RATE)
    between = Between(Times(2.0, ahead[0]), Times(4.0, ahead[1]))
    result = np.concatenate(list(render(take, between, Controls(balance=balance))), axis=1)
    np.testing.assert_allclose(result, factor * take.read(0, 3000), atol=1e-6)


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_without_amount_the_input_comes_back_exactly(balance: float) -> None:
    between, frame = Between(Times(2.0), Times(4.0)), np.ones((2, 201), np.complex64)
    np.testing.assert_array_equal(between.convert(frame, Controls(0.0, balance=balance)), frame)


def test_a_reset_forgets_the_past() -> None:
    between, frame = Between(Times(2.0, 1), Times(4.0)), np.ones((1, 201), np.complex64)
    for _ in range(2):
        assert not between.convert(frame, Controls()).any()
        assert between.convert(frame, Controls()).all()
        between.reset()


def test_models_of_different_windows_are_refused() -> None:
    other = Times(1.0)
    other.grid = FrameGrid(RATE, 200, 50)
    with pytest.raises(InputError, match="windows of 400 and 200 samples"):
        Between(Times(1.0), other)
