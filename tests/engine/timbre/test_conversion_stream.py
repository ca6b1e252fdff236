"""Controls, and the stream that drives a conversion."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake
from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.timbre.conversion import Complex, Controls, mid, stream_grid
from terzetto.timbre.methods import methods, open_conversion
from terzetto.timbre.stream import ConversionStream, render

Float = NDArray[np.float32]
RATE = 8000


def noise(frames: int, channels: int = 2) -> Float:
    return 0.1 * np.random.default_rng(1).standard_normal((channels, frames)).astype(np.float32)


class Louder:
    """Gives back frames of some calls before, louder by the amount; notes what it was told."""

    grid = FrameGrid(RATE, 400, 100)

    def __init__(self, look_ahead: int = 0) -> None:
        self.look_ahead = look_ahead
        self.amounts: list[float] = []
        self.reset()

    def reset(self) -> None:
        self.waiting: list[Complex] = []

    def convert(self, spectra: Complex, controls: Controls) -> Complex:
        self.amounts.append(controls.amount)
        self.waiting.append(spectra)
        if len(self.waiting) <= self.look_ahead:
            return np.zeros_like(spectra)
        return self.waiting.pop(0) * np.float32(1.0 + controls.amount)


def test_the_grid_of_a_stream_keeps_the_promised_latency() -> None:
    assert stream_grid(48000).n_fft == 2048
    assert stream_grid(48000, low_latency=True).n_fft == 1024
    for rate in (22050, 44100, 96000):
        assert stream_grid(rate).n_fft / rate == pytest.approx(2048 / 48000, rel=0.03)


@pytest.mark.parametrize("controls", [{"amount": 1.1}, {"follow": -0.1}, {"balance": np.nan}, {"pad": (0.5, 2.0)}])
def test_controls_out_of_range_are_refused(controls: dict[str, object]) -> None:
    with pytest.raises(InputError, match="from 0 to 1; given"):
        Controls(**controls)  # type: ignore[arg-type]


def test_controls_move_on_a_straight_line() -> None:
    start, end = Controls(0.0, (0.0, 1.0)), Controls(1.0, (0.5, 0.0), 0.5, 0.0)
    assert start.towards(end, 0.5) == Controls(0.5, (0.25, 0.5), 0.25, 0.5)
    assert start.towards(end, 0.0) is start
    assert start.towards(end, 1.0) is end
    assert Controls(pad=None).towards(end, 0.5).pad == end.pad


def test_the_mid_of_one_channel_is_the_channel() -> None:
    spectra = np.array([[1 + 1j, 2], [3, 4]], np.complex64)
    np.testing.assert_array_equal(mid(spectra), [2 + 0.5j, 3])
    np.testing.assert_array_equal(mid(spectra[:1]), spectra[0])


@pytest.mark.parametrize("look_ahead", [0, 3])
@pytest.mark.parametrize("hop", [64, 100, 1000, 1 << 14])
def test_a_render_is_aligned_and_does_not_depend_on_the_blocks(look_ahead: int, hop: int) -> None:
    take = ArrayTake(noise(3000), RATE)
    blocks = list(render(take, Louder(look_ahead), Controls(1.0), hop=hop))
    result = np.concatenate(blocks, axis=1)
    np.testing.assert_allclose(result, 2 * take.read(0, 3000), atol=1e-6)


@pytest.mark.parametrize("look_ahead", [0, 3])
def test_controls_hold_for_the_input_where_they_were_moved(look_ahead: int) -> None:
    stream = ConversionStream(Louder(look_ahead), 1, Controls(0.0))
    sound = np.ones((1, 6000), np.float32)
    first = stream.process(sound[:, :2000], 0)
    stream.move(500, Controls(1.0))
    rest = stream.process(sound[:, 2000:], 2000)
    result = np.concatenate([first, rest], axis=1)[0, stream.latency :]
    np.testing.assert_allclose(result[400 : 2500 - 200], 1.0, atol=1e-5)
    np.testing.assert_allclose(result[2500 + 160 + 200 :], 2.0, atol=1e-5)
    assert np.abs(np.diff(result[400:])).max() < 0.02  # no step: an unsmoothed one would be 1


def test_moves_in_quick_succession_go_on_from_where_they_are() -> None:
    conversion = Louder()
    stream = ConversionStream(conversion, 1, Controls(0.0))
    stream.process(noise(1000, 1), 0)
    for frame in range(0, 400, 40):
        stream.move(frame, Controls((frame + 40) / 400))
    stream.process(noise(2000, 1), 1000)
    assert np.all(np.diff(conversion.amounts) >= 0)
    assert conversion.amounts[-1] == 1.0
    assert max(np.diff(conversion.amounts)) < 0.4


def test_a_reset_forgets_the_past() -> None:
    stream = ConversionStream(Louder(2), 2, Controls(1.0))
    once = stream.process(noise(2000), 0)
    stream.move(0, Controls(0.3))
    stream.reset(Controls(1.0))
    np.testing.assert_array_equal(stream.process(noise(2000), 0), once)


def test_what_is_not_finite_does_not_stay() -> None:
    stream = ConversionStream(Louder(), 1, Controls(0.0))
    sound = noise(3000, 1)
    sound[0, 100] = np.nan
    assert np.isfinite(stream.process(sound, 0)).all()


def test_an_unknown_method_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"method 'vocoder' is not installed; valid: .*envelope"):
        open_conversion("vocoder", "a.wav", sample_rate=RATE)
    assert {"envelope", "mosaic", "xsynth"} <= set(methods())
