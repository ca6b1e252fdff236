import heapq
from itertools import count

import numpy as np
import pytest

from terzetto import _phase
from terzetto.audio.nsgt import Nsgt
from terzetto.audio.phase import Transform, griffin_lim, heap_integration, recover, spectral_convergence
from terzetto.audio.spectra import FrameGrid, Stft
from terzetto.errors import InputError

RATE = 44100
SAMPLES = 9000


def drum() -> np.ndarray:
    """A falling tone under a noise that dies away."""
    time = np.arange(SAMPLES) / RATE
    tone = np.sin(2 * np.pi * (60 * time + 2.0 * (1 - np.exp(-60 * time)))) * np.exp(-20 * time)
    hiss = np.random.default_rng(0).standard_normal(SAMPLES) * np.exp(-60 * time)
    return (0.6 * tone + 0.2 * hiss).astype(np.float32)


def transforms() -> list[Transform]:
    return [Stft(FrameGrid(RATE, 512, 128), SAMPLES), Nsgt(RATE, SAMPLES, 120, "mel")]


@pytest.fixture(params=[0, 1], ids=["STFT", "NSGT"])
def transform(request: pytest.FixtureRequest) -> Transform:
    return transforms()[request.param]


def test_an_stft_comes_back_whole() -> None:
    signal = np.random.default_rng(0).standard_normal((3, SAMPLES)).astype(np.float32)
    stft = Stft(FrameGrid(RATE, 512, 128), SAMPLES)
    assert stft.forward(signal).shape == (3, *stft.shape)
    np.testing.assert_allclose(stft.inverse(stft.forward(signal)), signal, atol=2e-6)


def test_a_gradient_that_is_one_gives_its_potential_back() -> None:
    rows, columns = np.meshgrid(np.arange(40.0), np.arange(30.0), indexing="ij")
    potential = 0.01 * rows**2 - 0.02 * rows * columns + 0.3 * columns
    down, across = 0.02 * rows - 0.02 * columns, 0.3 - 0.02 * rows
    magnitude = np.random.default_rng(1).uniform(0.1, 1.0, potential.shape)
    magnitude[11, 7] = 2.0
    zeros = np.zeros_like(potential)
    found = _phase.integrate(*(a.astype(np.float32) for a in (magnitude, down, across, zeros)), tolerance=1e-3)
    expected = magnitude * np.exp(1j * (potential - potential[11, 7]))
    np.testing.assert_allclose(found, expected, atol=2e-4)


def reference(magnitude, down, across, start, tolerance):
    """Algorithm 1 of the paper, in words as close to it as Python's are, with the kernel's rounding of levels."""
    low, high = np.log(magnitude.max() * tolerance), np.log(magnitude.max())
    with np.errstate(divide="ignore"):
        level = np.floor((np.log(magnitude) - low) / (high - low) * 4095)
    phase, todo, order, number = start.astype(float), level >= 0, [], count()
    while todo.any():
        seed = np.unravel_index(np.where(todo, level, -1).argmax(), level.shape)
        phase[seed], todo[seed] = 0.0, False
        heap = [(-level[seed], 0, seed)]
        while heap:
            _, _, (i, j) = heapq.heappop(heap)
            for di, dj, change in ((1, 0, down), (-1, 0, down), (0, 1, across), (0, -1, across)):
                there = i + di, j + dj
                if 0 <= there[0] < level.shape[0] and 0 <= there[1] < level.shape[1] and todo[there]:
                    phase[there] = phase[i, j] + (di + dj) * 0.5 * (change[i, j] + change[there])
                    todo[there] = False
                    heapq.heappush(heap, (-level[there], -next(number), there))  # the last in is the first out
        order.append(seed)
    return magnitude * np.exp(1j * phase), len(order)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (23, 31), (64, 17)])
@pytest.mark.parametrize("tolerance", [1e-3, 0.3])
def test_the_kernel_is_the_paper_s_algorithm(shape: tuple[int, int], tolerance: float) -> None:
    random = np.random.default_rng(sum(shape))
    magnitude = np.exp(random.standard_normal(shape)).astype(np.float32)
    magnitude[random.random(shape) < 0.2] = 0.0
    magnitude.flat[0] = 3.0
    down, across, start = (random.uniform(-3, 3, shape).astype(np.float32) for _ in range(3))
    expected, regions = reference(magnitude, down, across, start, tolerance)
    found = _phase.integrate(magnitude, down, across, start, tolerance=tolerance)
    assert regions >= (3 if (shape, tolerance) == ((64, 17), 0.3) else 1)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * magnitude.max())


def test_heap_integration_beats_chance_and_a_few_rounds_better_it(transform: Transform) -> None:
    signal = drum()
    magnitude = np.abs(transform.forward(signal))

    def error(samples: np.ndarray) -> float:
        return spectral_convergence(magnitude, samples, transform)

    drawn = error(griffin_lim(magnitude, transform, iterations=0))
    once, better = error(recover(magnitude, transform)), error(recover(magnitude, transform, iterations=8))
    assert once < 0.45 * drawn and better < 0.8 * once
    assert error(signal) < 1e-5


def test_a_sine_is_recovered_but_for_its_sign_and_start(transform: Transform) -> None:
    signal = np.sin(2 * np.pi * 1500 / RATE * np.arange(SAMPLES)).astype(np.float32)
    found = recover(np.abs(transform.forward(signal)), transform)
    assert np.abs(found).max() == pytest.approx(1.0, abs=0.15)
    middle = slice(2000, 7000)
    spectrum = np.abs(np.fft.rfft(found[middle] * np.hanning(5000), 2**16))
    assert spectrum.argmax() * RATE / 2**16 == pytest.approx(1500, abs=3)
    assert spectral_convergence(np.abs(transform.forward(signal)), found, transform) < 0.05


def test_griffin_lim_gets_nearer_and_momentum_gets_there_sooner(transform: Transform) -> None:
    magnitude = np.abs(transform.forward(drum()))
    errors = {}
    for momentum in (0.0, 0.99):
        for iterations in (2, 30):
            samples = griffin_lim(magnitude, transform, iterations=iterations, momentum=momentum)
            errors[momentum, iterations] = spectral_convergence(magnitude, samples, transform)
    assert errors[0.0, 30] < 0.8 * errors[0.0, 2]
    assert errors[0.99, 30] < errors[0.0, 30]


def test_the_same_seed_gives_the_same_sound(transform: Transform) -> None:
    magnitude = np.abs(transform.forward(drum()))
    np.testing.assert_array_equal(recover(magnitude, transform, seed=3), recover(magnitude, transform, seed=3))
    assert np.any(heap_integration(magnitude, transform, seed=3) != heap_integration(magnitude, transform, seed=4))


def test_silence_stays_silent(transform: Transform) -> None:
    silence = np.zeros(transform.shape, np.float32)
    assert not recover(silence, transform, iterations=2).any()
    assert not griffin_lim(silence, transform, iterations=2).any()


def test_magnitudes_that_are_none_are_refused(transform: Transform) -> None:
    for bad, message in (
        (np.zeros((2, 3)), "this transform's are"),
        (np.full(transform.shape, -1.0), "0 or more"),
        (np.full(transform.shape, np.nan), "NaN"),
    ):
        with pytest.raises(InputError, match=message):
            recover(bad, transform)
    with pytest.raises(InputError, match="-1 iterations"):
        griffin_lim(np.zeros(transform.shape), transform, iterations=-1)
    with pytest.raises(ValueError, match="tolerance"):
        heap_integration(np.ones(transform.shape), transform, tolerance=0.0)
