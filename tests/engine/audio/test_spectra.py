"""`FrameGrid`: librosa's numbers, from any piece of a take."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terzetto.audio.files import ArrayTake
from terzetto.audio.spectra import FrameGrid

WINDOW = 4096 / 22050


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("grid", [FrameGrid(22050, 4096, 1024), FrameGrid(8000, 1500, 375), FrameGrid(8000, 64, 8)])
def test_the_same_numbers_as_librosa(grid: FrameGrid) -> None:
    samples = noise(2, 20_000)
    ours = grid.stft(samples)
    theirs = librosa.stft(samples, n_fft=grid.n_fft, hop_length=grid.hop_length, center=False)
    assert ours.dtype == np.complex64
    np.testing.assert_allclose(ours, theirs.swapaxes(-1, -2), atol=3e-6 * np.abs(theirs).max())


@pytest.mark.parametrize("sample_rate", [4000, 8000, 22050, 44100, 48000, 96000, 192_000, 384_000])
def test_a_window_in_seconds_at_any_sample_rate(sample_rate: int) -> None:
    grid = FrameGrid.from_seconds(sample_rate, WINDOW)
    assert grid.n_fft == 4 * grid.hop_length and grid.hop_length % 2 == 0
    assert grid.n_fft / sample_rate == pytest.approx(WINDOW, rel=0.06)
    rest = grid.n_fft
    for prime in (2, 3, 5):
        while rest % prime == 0:
            rest //= prime
    assert rest == 1
    assert grid.bins == grid.n_fft // 2 + 1 and grid.hop_seconds == grid.hop_length / sample_rate
    assert grid.bins_up_to(1e9) == grid.bins and grid.bins_up_to(0) == 1
    assert (grid.bins_up_to(1000.0) - 1) * grid.bin_hz <= 1000.0 < grid.bins_up_to(1000.0) * grid.bin_hz


def test_the_thesiss_grid() -> None:
    grid = FrameGrid.from_seconds(22050, WINDOW)
    assert (grid.n_fft, grid.hop_length) == (4096, 1024)


@settings(max_examples=40, deadline=None)
@given(samples=st.integers(1, 4000), start=st.integers(0, 3999), length=st.integers(1, 4000))
def test_pieces_of_the_grid_are_the_whole_and_come_back(samples: int, start: int, length: int) -> None:
    grid = FrameGrid(8000, 256, 64)
    take = ArrayTake(noise(2, samples), 8000)
    frames = grid.frames_for(samples)
    whole = grid.stft(take.read(*grid.sample_range(0, frames)))
    assert whole.shape == (2, frames, grid.bins)
    start = min(start, samples - 1)
    stop = min(start + length, samples)
    first, last = grid.frame_range(start, stop, frames)
    origin = grid.sample_range(first, last)[0]
    piece = grid.stft(take.read(*grid.sample_range(first, last)))
    np.testing.assert_allclose(piece, whole[:, first:last], atol=1e-4)
    rebuilt = grid.istft(piece)[:, start - origin : stop - origin]
    np.testing.assert_allclose(rebuilt, take.read(start, stop), atol=1e-5)


def test_the_inverse_is_librosas() -> None:
    grid = FrameGrid(22050, 1024, 256)
    spectra = grid.stft(noise(8192))
    spectra[:, 40:] *= 0.25  # no longer the spectra of any signal
    theirs = librosa.istft(spectra.T, n_fft=1024, hop_length=256, center=False)
    inner = slice(1024, -1024)
    np.testing.assert_allclose(grid.istft(spectra)[: len(theirs)][inner], theirs[inner], atol=1e-5)
