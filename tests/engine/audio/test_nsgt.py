import numpy as np
import pytest

from terzetto.audio.nsgt import SCALES, Nsgt, Scale
from terzetto.errors import InputError

RATE = 44100


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("samples", "bands"), [(18088, 410), (4410, 40), (8, 3), (999, 16)])
def test_signals_come_back_whole(scale: Scale, samples: int, bands: int) -> None:
    transform = Nsgt(RATE, samples, bands, scale, lowest=200.0 if samples > 8 else 6000.0)
    signal = noise(2, 3, samples)
    coefficients = transform.forward(signal)
    assert coefficients.shape == (2, 3, *transform.shape) and coefficients.dtype == np.complex128
    assert np.abs(transform.inverse(coefficients) - signal).max() < 1e-13
    single = signal.astype(np.float32)
    there = transform.forward(single)
    back = transform.inverse(there)
    assert there.dtype == np.complex64 and back.dtype == np.float32
    assert np.abs(back - single).max() < 1e-6 * np.abs(single).max()


def test_the_fewest_frames_are_enough_and_one_less_is_refused() -> None:
    needed = Nsgt(RATE, 5000, 30, "mel").frames_needed
    exact = Nsgt(RATE, 5000, 30, "mel", frames=needed)
    signal = noise(5000)
    assert exact.shape == (30, needed)
    assert np.abs(exact.inverse(exact.forward(signal)) - signal).max() < 1e-13
    with pytest.raises(InputError, match=f"from {needed} frames or more"):
        Nsgt(RATE, 5000, 30, "mel", frames=needed - 1)
    # The number is not merely cautious: forced below it, frequencies fall on one another.
    exact.shape = (30, needed - 1)
    exact._slot = np.arange(5000 // 2 + 1) % (needed - 1)
    assert np.abs(exact.inverse(exact.forward(signal)) - signal).max() > 1e-9


def test_the_paper_s_410_by_157_hold_0_41_seconds_on_a_mel_scale() -> None:
    longest = 18088
    assert Nsgt(RATE, longest, 410, "mel", frames=157).shape == (410, 157)
    assert longest / RATE == pytest.approx(0.410, abs=5e-4)
    with pytest.raises(InputError, match="more frames, more bands or fewer samples"):
        Nsgt(RATE, longest + 1, 410, "mel", frames=157)
    assert Nsgt(RATE, RATE, 410, "mel").frames_needed == pytest.approx(157 * RATE / longest, abs=2)


@pytest.mark.parametrize("scale", SCALES)
def test_a_sine_has_magnitude_1_at_its_band_and_its_own_phase(scale: Scale) -> None:
    transform = Nsgt(RATE, 8192, 64, scale, lowest=500.0)
    band = 30
    frequency = round(transform.frequency[band] * 8192 / RATE) * RATE / 8192
    time = np.arange(8192) / RATE
    coefficients = transform.forward(np.cos(2 * np.pi * frequency * time + 0.7))
    assert np.abs(coefficients).max(axis=1).argmax() == band
    np.testing.assert_allclose(np.abs(coefficients[band]), 1.0, atol=0.01)
    at = np.arange(transform.shape[1]) * (8192 / RATE / transform.shape[1])
    expected = np.exp(1j * (2 * np.pi * frequency * at + 0.7))
    np.testing.assert_allclose(coefficients[band] / np.abs(coefficients[band]), expected, atol=1e-6)
    assert np.all(np.diff(transform.frequency) > 0)
    assert transform.frequency[0] == 0.0 and transform.frequency[-1] == pytest.approx(RATE / 2)


def test_a_click_is_where_it_is_in_every_band_it_is_resolved_in() -> None:
    transform = Nsgt(RATE, 8820, 50, "mel")
    signal = np.zeros(8820)
    signal[3000] = 1.0
    frame = np.abs(transform.forward(signal)).argmax(axis=1)
    assert np.abs(frame - 3000 / 8820 * transform.shape[1]).max() <= 1.0


def test_the_inverse_is_the_nearest_signal() -> None:
    """Forward after inverse is an orthogonal projection: applied twice it changes nothing, and it shortens."""
    transform = Nsgt(RATE, 2000, 20, "mel")
    random = noise(2, *transform.shape)
    coefficients = random[0] + 1j * random[1]
    once = transform.forward(transform.inverse(coefficients))
    np.testing.assert_allclose(transform.forward(transform.inverse(once)), once, atol=1e-12)
    other = transform.forward(noise(2000))
    rest = coefficients - once
    weighted = np.vdot(other, rest).real
    assert abs(weighted) < 2e-2 * np.linalg.norm(other) * np.linalg.norm(rest)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((RATE, 4000, 40, "bark"), "mel, log, linear"),
        ((RATE, 1, 40, "mel"), "at least 2 samples"),
        ((RATE, 4000, 2, "mel"), "3 bands"),
        ((RATE, 400, 400, "mel"), "fewer bands or append silence"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Nsgt(*arguments)


def test_other_lengths_and_shapes_are_refused() -> None:
    transform = Nsgt(RATE, 4000, 40)
    with pytest.raises(InputError, match="this transform is for 4000"):
        transform.forward(np.zeros(3999))
    with pytest.raises(InputError, match="bands, frames"):
        transform.inverse(np.zeros((40, 3), complex))
    with pytest.raises(InputError, match="lowest 0 Hz"):
        Nsgt(RATE, 4000, 40, "log", lowest=0.0)
