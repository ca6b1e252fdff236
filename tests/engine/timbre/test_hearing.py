"""What the networks hear, and partials read from frames and laid into them."""

from __future__ import annotations

import numpy as np
import pytest

from terzetto.audio.spectra import FrameGrid
from terzetto.timbre.conversion import stream_grid
from terzetto.timbre.hearing import FEATURES, PITCH_HZ, PITCHES, SPECTRUM_HZ, Hearing, Past
from terzetto.timbre.partials import BAND_HZ, Partials, band_density
from tests.engine.timbre.sounds import tone

RATE = 44_100


@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_axes_are_in_hz_at_every_rate(rate: int) -> None:
    hearing = Hearing(stream_grid(rate))
    stream, ear = hearing.spectra(tone(440.0, 0.3, rate))
    heard = hearing.hear(ear, hearing.autocorrelation(ear), hearing.level(stream))
    assert heard.shape == (len(stream), FEATURES)
    middle = heard[len(heard) // 2]
    spectrum, pitches = middle[: len(SPECTRUM_HZ)], middle[len(SPECTRUM_HZ) : -1]
    assert SPECTRUM_HZ[spectrum.argmax()] == pytest.approx(440.0, abs=15.0)
    # The autocorrelation peaks at the pitch, and at its half, third …
    at = int(np.abs(PITCH_HZ - 440.0).argmin())
    assert pitches[at] > 0.9 * pitches.max()
    assert len(pitches) == PITCHES


@pytest.mark.parametrize("with_past", [False, True])
@pytest.mark.parametrize("pitch", [84.0, 131.7, 440.4, 1661.0])
def test_a_pitch_is_refined_to_some_cents(pitch: float, with_past: bool) -> None:
    hearing = Hearing(stream_grid(RATE, low_latency=with_past), with_past)
    _, ear = hearing.spectra(tone(pitch, 0.4, RATE))
    middle = hearing.autocorrelation(ear)[len(ear) // 2][None]
    found = hearing.refine(middle, np.array([pitch * 2 ** (25 / 1200)], np.float32))
    assert abs(1200 * np.log2(found[0] / pitch)) < 5.0


def test_the_past_is_the_signal_that_was() -> None:
    grid = stream_grid(RATE, low_latency=True)
    hearing = Hearing(grid, with_past=True)
    past = Past(hearing)
    audio = np.random.default_rng(0).standard_normal(RATE // 2).astype(np.float32)
    # From before the first sample on: a stream begins with frames that are silent but for their end.
    stream, ear = hearing.spectra(np.pad(audio, (2 * grid.n_fft, 0)))
    found = np.stack([past.next(each) for each in stream])
    assert np.abs(found - ear).max() < 1e-5 * np.abs(ear).max()


def test_silence_is_heard_as_nothing() -> None:
    hearing = Hearing(stream_grid(RATE))
    stream, ear = hearing.spectra(np.zeros(RATE // 4, np.float32))
    heard = hearing.hear(ear, hearing.autocorrelation(ear), hearing.level(stream))
    assert np.isfinite(heard).all()
    assert np.ptp(heard[:, :-1], axis=0).max() == 0.0


def test_partials_are_read_as_they_were_written() -> None:
    partials = Partials(FrameGrid(RATE, 2048, 512))
    frequency = 200.0 * np.arange(1, 40)
    amplitude = (np.exp(1j * np.arange(39)) / np.arange(1, 40)).astype(np.complex64)
    where = partials.at(frequency)
    spectrum = partials.write(where, amplitude)
    assert np.abs(partials.read(spectrum, where) - amplitude).max() < 3e-3


def test_a_written_partial_is_a_windowed_sine() -> None:
    grid = FrameGrid(RATE, 2048, 512)
    time = (np.arange(2048) - 1024) / RATE
    for frequency in (30.0, 997.0, 15_000.0):
        sine = 0.3 * np.cos(2 * np.pi * frequency * time + 0.7)
        expected = np.fft.rfft(sine * grid.window())
        amplitude = np.array([0.3 * np.exp(0.7j)], np.complex64)
        partials = Partials(grid)
        found = partials.write(partials.at(np.array([frequency])), amplitude)
        assert np.abs(found - expected).max() < 5e-3 * np.abs(expected).max()


def test_the_density_of_white_noise_is_its_variance_over_half_the_rate() -> None:
    grid = FrameGrid(RATE, 2048, 512)
    noise = np.random.default_rng(0).standard_normal(8 * RATE).astype(np.float32)
    power = np.abs(grid.stft(noise)) ** 2
    density = 10 * np.log10(np.mean(10 ** (band_density(power, grid) / 10), axis=0))
    assert density == pytest.approx(np.full(len(BAND_HZ), 10 * np.log10(2 / RATE)), abs=1.0)
