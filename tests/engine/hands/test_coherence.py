import numpy as np
import pytest

from terzetto import _coherence
from terzetto.audio.spectra import FrameGrid
from terzetto.evaluate.separation import si_sdr
from terzetto.hands.coherence import PhaseAdvance, peak_bins, split_hands

GRID = FrameGrid(22050, 4096, 1024)
BINS = 100
FLOOR = 1e-6


def reference_split(X, A, B, DA, DB, kappa, floor, surprise=0.5, reach=0.5):
    """The model of native/coherence/coherence.hpp in plain NumPy, double precision."""
    frames, bins = X.shape
    left = np.zeros((frames, bins), complex)
    p = np.zeros((frames, bins))
    predicted, a_, b_ = left.copy(), left.copy(), left.copy()
    qa_, qb_ = p.copy(), p.copy()
    A2, B2 = A**2 + floor, B**2 + floor
    left[0], p[0] = A2[0] / (A2[0] + B2[0]) * X[0], A2[0] * B2[0] / (A2[0] + B2[0])
    for n in range(1, frames):
        ka = kappa * np.minimum(1, np.abs(DA[n]) / (A[n] + 1e-20))
        kb = kappa * np.minimum(1, np.abs(DB[n]) / (B[n] + 1e-20))
        ra, rb = ka * np.sqrt(np.minimum(1, A2[n] / A2[n - 1])), kb * np.sqrt(np.minimum(1, B2[n] / B2[n - 1]))
        qa, qb = A2[n] - ra**2 * A2[n - 1], B2[n] - rb**2 * B2[n - 1]
        a, b = ra * DA[n] / (np.abs(DA[n]) + 1e-20), rb * DB[n] / (np.abs(DB[n]) + 1e-20)
        lm, rm = a * left[n - 1], b * (X[n - 1] - left[n - 1])
        y = X[n] - lm - rm
        s1 = np.abs(a - b) ** 2 * p[n - 1]
        opened = np.maximum(1, surprise * (np.abs(y) ** 2 - s1) / (qa + qb))
        qa, qb = qa * opened, qb * opened
        S = s1 + qa + qb
        G = (a * np.conj(a - b) * p[n - 1] + qa) / S
        left[n] = lm + G * y
        p[n] = np.maximum(ra**2 * p[n - 1] + qa - np.abs(G) ** 2 * S, floor * 1e-5)
        predicted[n], a_[n], b_[n], qa_[n], qb_[n] = lm, a, b, qa, qb
    for n in range(frames - 2, -1, -1):
        v = left[n + 1] - predicted[n + 1]
        w = X[n + 1] - left[n + 1] - b_[n + 1] * (X[n] - left[n])
        num = np.conj(a_[n + 1]) * v / qa_[n + 1] - np.conj(b_[n + 1]) * w / qb_[n + 1]
        c = p[n] * num / (1 + p[n] * (np.abs(a_[n + 1]) ** 2 / qa_[n + 1] + np.abs(b_[n + 1]) ** 2 / qb_[n + 1]))
        size = np.abs(c) + 1e-20
        left[n] += c * np.minimum(1, reach * np.sqrt(p[n]) / size)
    return left


def random_case(frames=40, rows=7, seed=0):
    rng = np.random.default_rng(seed)
    X = (rng.standard_normal((frames, BINS)) + 1j * rng.standard_normal((frames, BINS))).astype(np.complex64)
    W = rng.random((rows, BINS), np.float32)
    H = rng.random((rows, frames), np.float32) * (rng.random((rows, frames)) < 0.4)
    share = rng.random((rows, frames), np.float32)
    turning = (W * rng.random((rows, BINS)) * np.exp(2j * np.pi * rng.random((rows, BINS)))).astype(np.complex64)
    return X, W, turning, np.ascontiguousarray(H * share), np.ascontiguousarray(H * (1 - share))


@pytest.mark.parametrize("seed", range(4))
def test_split_agrees_with_the_reference(seed: int) -> None:
    X, W, turning, HL, HR = random_case(seed=seed)
    gain = np.random.default_rng(seed).random(BINS).astype(np.float32) + 0.5
    got = _coherence.split_left(X, W, turning, HL, HR, gain, correlation=0.98, floor=FLOOR)
    expected = reference_split(
        X.astype(complex), HL.T @ W * gain, HR.T @ W * gain, HL.T @ turning * gain, HR.T @ turning * gain, 0.98, FLOOR
    )
    assert np.abs(got - expected).max() < 2e-3 * np.abs(X).max()


def filtered(X, W, turning, HL, HR, gain, frames):
    """The stream filter, frame by frame; X: channels × frames × bins."""
    stream = _coherence.Filter(W, turning, gain, correlation=0.98, floor=FLOOR)
    left = []
    for n in frames:
        rows = np.flatnonzero((HL[:, n] > 0) | (HR[:, n] > 0)).astype(np.uint32)
        x = np.ascontiguousarray(X[:, n])
        left.append(stream.next(x, rows, HL[rows, n].copy(), HR[rows, n].copy()))
    return stream, np.stack(left, axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_the_stream_filter_is_the_split_without_its_smoother(seed: int) -> None:
    X, W, turning, HL, HR = random_case(seed=seed)
    HL[:, 7] = HR[:, 7] = 0  # a frame in which nothing sounds
    stereo = np.stack([X, np.roll(X, 3, axis=0)])
    gain = np.random.default_rng(seed).random((2, BINS)).astype(np.float32) + 0.5
    stream, left = filtered(stereo, W, turning, HL, HR, gain, range(len(X)))
    for channel in range(2):
        expected = _coherence.split_left(
            stereo[channel].copy(), W, turning, HL, HR, gain[channel], correlation=0.98, floor=FLOOR, reach=0.0
        )
        assert np.array_equal(left[channel], expected)
    stream.reset()
    rows = np.arange(len(W), dtype=np.uint32)
    again = stream.next(np.ascontiguousarray(stereo[:, 0]), rows, HL[:, 0].copy(), HR[:, 0].copy())
    assert np.array_equal(again, left[:, 0]), "after a reset the first frame has no past"


def test_the_stream_filter_names_what_is_wrong() -> None:
    X, W, turning, _, _ = random_case()
    gain = np.ones((1, BINS), np.float32)
    with pytest.raises(ValueError, match="turning must have shape"):
        _coherence.Filter(W, turning[1:].copy(), gain, correlation=0.9, floor=1)
    with pytest.raises(ValueError, match="correlation"):
        _coherence.Filter(W, turning, gain, correlation=1.0, floor=1)
    stream = _coherence.Filter(W, turning, gain, correlation=0.9, floor=1)
    one, bad = np.ones(1, np.float32), np.array([len(W)], np.uint32)
    with pytest.raises(ValueError, match="template that is not there"):
        stream.next(X[:1].copy(), bad, one, one)
    with pytest.raises(ValueError, match="x must have shape"):
        stream.next(X[:2].copy(), bad, one, one)
    with pytest.raises(ValueError, match="h_left must have shape"):
        stream.next(X[:1].copy(), bad, np.ones(2, np.float32), one)


def test_without_correlation_it_is_the_wiener_filter() -> None:
    X, W, turning, HL, HR = random_case()
    floor = 1e-9
    got = _coherence.split_left(X, W, turning, HL, HR, np.ones(BINS, np.float32), correlation=0.0, floor=floor)
    a2, b2 = (HL.T @ W) ** 2 + floor, (HR.T @ W) ** 2 + floor
    assert np.allclose(got, a2 / (a2 + b2) * X, atol=1e-4)


def test_the_result_does_not_depend_on_the_threads() -> None:
    case = random_case()
    ones = np.ones(BINS, np.float32)
    results = [
        _coherence.split_left(*case, ones, correlation=0.9, floor=1e-6, threads=threads) for threads in (1, 2, 5)
    ]
    assert all(np.array_equal(results[0], other) for other in results[1:])


def test_two_tones_in_one_bin_are_told_apart_by_their_phase() -> None:
    """Where magnitudes cannot tell two steady tones apart, their phase advances can."""
    rate, seconds = 22050, 6.0
    time = np.arange(int(rate * seconds)) / rate
    bin_hz = rate / GRID.n_fft
    left = 0.5 * np.cos(2 * np.pi * 40.25 * bin_hz * time)
    right = 0.5 * np.cos(2 * np.pi * 41.0 * bin_hz * time + 1.0)
    spectra = [GRID.stft(signal.astype(np.float32))[:, :BINS].copy() for signal in (left, right)]
    W = np.stack([np.abs(s).mean(axis=0) for s in spectra]).astype(np.float32)
    frames = len(spectra[0])
    phase = PhaseAdvance.empty(2, BINS)
    for row, s in enumerate(spectra):  # each is heard alone once, as solo notes are in a take
        H = np.zeros((2, frames), np.float32)
        H[row] = 1
        phase.hear(s[None], W, H, threads=1)
    turning = phase.turning(W, GRID, 2)
    mix = spectra[0] + spectra[1]
    H = np.ones((1, frames), np.float32)
    HL, HR = np.concatenate([H, 0 * H]), np.concatenate([0 * H, H])
    found = split_hands(mix, W, turning, HL, HR, np.ones(BINS, np.float32), phase.peak)
    wiener = W[0] ** 2 / (W[0] ** 2 + W[1] ** 2) * mix

    def quality(estimate: np.ndarray) -> float:
        return si_sdr(spectra[0].view(np.float32).ravel(), np.ascontiguousarray(estimate).view(np.float32).ravel())

    assert quality(found) > quality(wiener) + 6.0


def test_the_advance_of_a_steady_tone_is_its_frequency() -> None:
    rate = 22050
    frequency = 33.3 * rate / GRID.n_fft
    tone = np.cos(2 * np.pi * frequency * np.arange(3 * rate) / rate).astype(np.float32)
    X = GRID.stft(tone)[:, :BINS].copy()
    W = np.abs(X).mean(axis=0, dtype=np.float32)[None]
    phase = PhaseAdvance.empty(1, BINS)
    phase.hear(X[None], W, np.ones((1, len(X)), np.float32), threads=1)
    turning = phase.turning(W, GRID, 1)[0, 33] / W[0, 33]
    assert abs(turning) == pytest.approx(1.0, abs=1e-3), "a steady tone is perfectly coherent"
    expected = np.exp(2j * np.pi * frequency * GRID.hop_seconds)
    assert turning == pytest.approx(expected, abs=1e-2)


def test_peaks_are_interpolated_and_far_bins_keep_their_own() -> None:
    bins = np.arange(60)
    W = np.exp(-((bins - 20.3) ** 2)).astype(np.float32)[None]
    places = peak_bins(W)[0]
    assert places[20] == pytest.approx(20.3, abs=0.02)
    assert places[22] == pytest.approx(20.3, abs=0.02)
    assert places[50] == 50


def test_wrong_shapes_are_named() -> None:
    X, W, turning, HL, HR = random_case()
    with pytest.raises(ValueError, match="H_left must have shape"):
        _coherence.split_left(X, W, turning, HL[:, 1:].copy(), HR, np.ones(BINS, np.float32), correlation=0.9, floor=1)
    with pytest.raises(ValueError, match="correlation"):
        _coherence.split_left(X, W, turning, HL, HR, np.ones(BINS, np.float32), correlation=1.5, floor=1)
