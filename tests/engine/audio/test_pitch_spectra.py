"""Spectra on a musical scale: the right bin, the right level, and nothing from how a take is cut."""

from __future__ import annotations

import numpy as np
import pytest

from terzetto.audio.files import ArrayTake
from terzetto.audio.pitch_spectra import (
    BINS,
    FRAME_RATE,
    SAMPLE_RATE,
    bin_frequencies,
    filterbank,
    frames_of,
    level_gain,
    pieces,
    resampled,
)


def whole(take: ArrayTake, frames: int = 10_000, margin: int = 5) -> np.ndarray:
    return np.concatenate([part[:, margin : margin + b - a] for a, b, part in pieces(take, frames, margin)], axis=1)


def sine(hertz: float, seconds: float, rate: int) -> np.ndarray:
    return (0.1 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
@pytest.mark.parametrize("pitch", [45, 69, 93])
def test_a_tone_is_where_it_belongs_at_every_rate(rate: int, pitch: int) -> None:
    spectra = whole(ArrayTake(sine(440.0 * 2 ** ((pitch - 69) / 12), 2.0, rate), rate))
    assert spectra.shape == (2, 101, BINS)
    assert abs(spectra[0, 50].argmax() - (3 * (pitch - 21) + 1)) <= (pitch < 57)  # the FFT is coarser below
    if pitch == 69:  # −20 dB of RMS is an amplitude of −17 dB; a triangle over many bins of the FFT shows a line lower
        np.testing.assert_allclose(spectra[0, 50].max(), 1 - 17 / 80, atol=0.03)


def test_cutting_changes_nothing() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 44100 * 7 + 123)).astype(np.float32)
    take = ArrayTake(noise, 44100)
    np.testing.assert_array_equal(whole(take), whole(take, frames=37, margin=11))


def test_a_click_is_in_its_frame() -> None:
    clicks = np.zeros(3 * SAMPLE_RATE, np.float32)
    clicks[SAMPLE_RATE] = 0.5
    short = whole(ArrayTake(clicks, SAMPLE_RATE))[1].mean(axis=-1)
    assert short.argmax() == FRAME_RATE


def test_levels() -> None:
    tone = sine(440, 3.0, 22050)
    loud, quiet = (level_gain(ArrayTake(tone * factor, 22050)) for factor in (1.0, 0.01))
    np.testing.assert_allclose(quiet, 100 * loud, rtol=1e-3)
    assert level_gain(ArrayTake(np.zeros(22050), 22050)) == 0.0
    # A stroke in a long silence counts.
    assert level_gain(ArrayTake(np.concatenate([tone[:2000], np.zeros(22050 * 60)]), 22050)) > 0


def test_the_filterbank_keeps_levels() -> None:
    for n_fft in (4096, 1024):
        np.testing.assert_allclose(filterbank(n_fft).sum(axis=1), 1.0, rtol=1e-5)
    frequencies = bin_frequencies()
    np.testing.assert_allclose([frequencies[1], frequencies[3 * 48 + 1]], [27.5, 440.0])
    assert frequencies[-1] < SAMPLE_RATE / 2


def test_short_takes() -> None:
    for length in (1, 100, 441, 5000):
        take = ArrayTake(np.full(length, 0.1, np.float32), 44100)
        assert whole(take).shape[1] == frames_of(take) >= 1
        assert sum(len(block) for block in resampled(take)) <= length
