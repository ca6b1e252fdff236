"""The meter against the EBU's test signals (Tech 3341), pyloudnorm, and itself in other blocks."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pyloudnorm
import pytest
import scipy.signal
from numpy.typing import NDArray

from terzetto.audio.layouts import default_mask, speakers
from terzetto.audio.loudness import Meter, channel_weights, k_power, k_weighting
from terzetto.errors import InputError

Double = NDArray[np.float64]


def tone(seconds: float, level: float, rate: int = 48000, frequency: float = 1000.0) -> Double:
    return 10 ** (level / 20) * np.sin(2 * np.pi * frequency / rate * np.arange(round(seconds * rate)))


def loudness(sound: Double, rate: int = 48000) -> float:
    meter = Meter(rate, sound.shape[0])
    for start in range(0, sound.shape[1], 100_000):
        meter.add(sound[:, start : start + 100_000])
    return meter.lufs


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(20, -23)], -23.0),
        ([(20, -33)], -33.0),
        ([(10, -36), (60, -23), (10, -36)], -23.0),
        ([(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)], -23.0),
        ([(20, -26), (20.1, -20), (20, -26)], -23.0),
    ],
)  # Tech 3341, signals 1 to 5
def test_the_ebus_tones(rate: int, parts: list[tuple[float, float]], expected: float) -> None:
    sound = np.concatenate([tone(seconds, level, rate) for seconds, level in parts])
    assert loudness(np.stack([sound, sound]), rate) == pytest.approx(expected, abs=0.1)


def test_the_ebus_surround_tone() -> None:  # Tech 3341, signal 6; the LFE, told by the mask of 5.1, does not count
    levels = {"FL": -28, "FR": -28, "FC": -24, "LFE": 0, "BL": -30, "BR": -30}
    sound = np.stack([tone(20, level) for level in levels.values()])
    assert loudness(sound) == pytest.approx(-23.0, abs=0.1)
    assert loudness(np.delete(sound, 3, axis=0)) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize(
    ("divisor", "phase", "level", "expected"),
    [(4, 0, 0.5, -6.0), (4, 45, 0.5, -6.0), (6, 60, 0.5, -6.0), (8, 67.5, 0.5, -6.0), (4, 45, 1.41, 3.0)],
)  # Tech 3341, signals 15 to 19
def test_the_ebus_true_peaks(rate: int, divisor: int, phase: float, level: float, expected: float) -> None:
    sound = level * np.sin(2 * np.pi / divisor * np.arange(rate) + np.radians(phase))
    sound *= np.minimum(1.0, np.minimum(np.arange(rate), np.arange(rate)[::-1]) / 1000.0)
    meter = Meter(rate, 1)
    meter.add(sound[None])
    assert expected - 0.4 <= meter.true_peak_db <= expected + 0.2
    assert meter.peak_db == pytest.approx(20 * np.log10(np.abs(sound).max()), abs=1e-5)


def test_coefficients_are_those_of_the_standard() -> None:  # BS.1770, tables 1 and 2
    first, second = k_weighting(48000.0)
    expected = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585]
    np.testing.assert_allclose(first, expected, atol=1e-9)
    np.testing.assert_allclose(second, [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621], atol=1e-9)


def test_the_weighting_of_power_is_the_filters() -> None:
    frequencies = np.linspace(0.0, 24000.0, 513)
    _, response = scipy.signal.sosfreqz(k_weighting(48000), frequencies, fs=48000)
    np.testing.assert_allclose(k_power(48000, frequencies), np.abs(response) ** 2, atol=1e-10)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_it_agrees_with_pyloudnorm(channels: int) -> None:
    random = np.random.default_rng(channels)
    swell = np.repeat(np.exp(random.standard_normal(30)), 24000)
    sound = 0.03 * swell * random.standard_normal((channels, len(swell)))
    assert loudness(sound) == pytest.approx(pyloudnorm.Meter(48000).integrated_loudness(sound.T), abs=0.1)


@pytest.mark.parametrize("size", [1, 37, 512, 16384, 50_000, 200_000])
def test_blocks_do_not_matter(size: int) -> None:
    random = np.random.default_rng(size)
    sound = random.uniform(-1, 1, (2, 60_000 if size < 37 else 200_000)).astype(np.float32)
    sound *= np.linspace(0, 1, sound.shape[1], dtype=np.float32)
    whole, parts = Meter(44100, 2), Meter(44100, 2)
    whole.add(sound)
    for start in range(0, sound.shape[1], size):
        parts.add(sound[:, start : start + size])
        if start == 5 * size:
            assert np.isfinite(parts.true_peak_db)  # asking in between changes nothing
    assert parts.lufs == pytest.approx(whole.lufs, abs=1e-9)
    assert parts.true_peak_db == pytest.approx(whole.true_peak_db, abs=1e-9)


def test_memory_does_not_grow() -> None:
    meter, block = Meter(8000, 1), np.random.default_rng(0).uniform(-1, 1, (1, 80_000)).astype(np.float32)
    meter.add(block)
    tracemalloc.start()
    try:
        for _ in range(3):
            meter.add(block)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            meter.add(block)
        assert tracemalloc.get_traced_memory()[0] - before < 4096
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("seconds", [0.0, 0.3, 5.0])
def test_silence_and_too_little_are_minus_infinity(seconds: float) -> None:
    meter = Meter(48000, 2)
    meter.add(np.zeros((2, round(48000 * seconds)), np.float32))
    assert meter.lufs == meter.true_peak_db == meter.peak_db == -np.inf
    if seconds == 0.3:
        meter.add(np.full((2, 1000), 0.5, np.float32))
        assert meter.lufs == -np.inf and meter.peak_db == pytest.approx(-6.0206, abs=1e-3)


def test_which_speakers_count() -> None:
    assert speakers(default_mask(6)) == ["FL", "FR", "FC", "LFE", "BL", "BR"]
    assert channel_weights(6).tolist() == [1, 1, 1, 0, 1.41, 1.41]
    assert channel_weights(8).tolist() == [1, 1, 1, 0, 1, 1, 1.41, 1.41]
    assert channel_weights(6, 0x60F).tolist() == [1, 1, 1, 0, 1.41, 1.41]
    assert channel_weights(12).tolist() == channel_weights(12, 0).tolist() == [1] * 12
    assert [len(speakers(default_mask(channels))) for channels in range(1, 9)] == list(range(1, 9))


def test_what_cannot_be_measured() -> None:
    for rate, channels in ((48000, 0), (0, 2), (np.nan, 2)):
        with pytest.raises(InputError, match="cannot measure"):
            Meter(rate, channels)
    with pytest.raises(InputError, match="2 channels × frames"):
        Meter(48000, 2).add(np.zeros((3, 10)))


@pytest.mark.parametrize("rate", [96_000, 192_000, 384_000])
def test_high_rates_are_measured_too(rate: int) -> None:
    sound = tone(2.0, -20.0, rate)[None]
    meter = Meter(rate, 1)
    meter.add(sound)
    assert meter.true_peak_db == pytest.approx(-20.0, abs=0.02)
    assert meter.lufs == pytest.approx(-23.0, abs=0.1)
