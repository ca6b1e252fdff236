from __future__ import annotations

import numpy as np
import pytest

from terzetto.errors import InputError
from terzetto.evaluate.drum_sounds import (
    evaluate,
    frechet_distance,
    log_spectral_distance,
    macro_recall,
    recall_lost,
    recalls,
)


def noise(seed: int, frames: int = 22_050) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(frames).astype(np.float32) * 0.1


def test_a_sound_is_no_distance_from_itself_however_loud() -> None:
    assert log_spectral_distance(noise(0), noise(0)) == 0.0
    assert log_spectral_distance(noise(0), 0.01 * noise(0)) == pytest.approx(0.0, abs=1e-4)


def test_two_noises_of_one_spectrum() -> None:
    assert 6.5 < log_spectral_distance(noise(0), noise(1)) < 8.5
    assert 3.0 < log_spectral_distance(noise(0), noise(1), bands=64) < 5.0


def test_half_a_spectrum_that_is_too_loud_is_told_in_db() -> None:
    first = noise(0)
    spectrum = np.fft.rfft(first)
    spectrum[len(spectrum) // 2 :] *= 10 ** (-20 / 20)
    second = np.fft.irfft(spectrum, len(first)).astype(np.float32)
    # Brought to one energy the lower half is 3 dB up, the upper one 17 dB down.
    expected = np.sqrt((2.97**2 + 17.03**2) / 2)
    assert log_spectral_distance(first, second) == pytest.approx(expected, abs=0.4)


def test_a_sound_that_ends_early_is_far_off_and_silence_after_both_counts_nothing() -> None:
    sound = noise(0)
    assert log_spectral_distance(sound, sound[:11_025]) > 20
    padded = np.concatenate([sound, np.zeros(44_100, np.float32)])
    assert log_spectral_distance(padded, noise(1)) == pytest.approx(log_spectral_distance(sound, noise(1)), abs=1e-6)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [(np.zeros(100), "silent"), (np.array([1.0, np.nan]), "finite"), (np.ones((2, 10)), "shape"), ([], "shape")],
)
def test_sounds_that_cannot_be_compared(bad: np.ndarray, problem: str) -> None:
    with pytest.raises(InputError, match=f"reference .*{problem}"):
        log_spectral_distance(np.asarray(bad), noise(0))
    with pytest.raises(InputError, match=f"estimate .*{problem}"):
        log_spectral_distance(noise(0), np.asarray(bad))


def test_macro_recall_counts_rare_classes_like_common_ones() -> None:
    truth = np.array([0] * 98 + [1, 1])
    found = truth.copy()
    found[-1] = 0
    np.testing.assert_allclose(recalls(truth, found, 3), [1.0, 0.5, np.nan])
    result = macro_recall(truth, found, np.arange(100) % 10, 3)
    assert result["mean"] == 0.75
    assert 0.5 <= result["low"] < 0.75 < result["high"] <= 1.0
    with pytest.raises(InputError, match="cannot be compared"):
        recalls(truth, found[:-1], 3)


def test_the_interval_is_over_kits_not_sounds() -> None:
    random = np.random.default_rng(0)
    kit = np.repeat(np.arange(10), 40)
    truth = np.tile([0, 1], 200)
    found = np.where(kit < 5, truth, 1 - truth)  # half of the kits are all wrong
    by_kit = macro_recall(truth, found, kit, 2)
    by_sound = macro_recall(truth, found, random.permutation(400), 2)
    assert by_kit["mean"] == by_sound["mean"] == 0.5
    assert by_kit["high"] - by_kit["low"] > 4 * (by_sound["high"] - by_sound["low"])
    assert macro_recall(truth, found, [f"kit {k}" for k in kit], 2) == by_kit


def test_what_is_lost_is_paired() -> None:
    kit, truth = np.repeat(np.arange(10), 40), np.tile([0, 1], 200)
    before = np.where(kit < 5, truth, 1 - truth)
    after = before.copy()
    after[::40] = 1 - truth[::40]  # one more in each kit: those of kits 5 to 9 were wrong already
    lost = recall_lost(truth, before, after, kit, 2)
    assert lost["mean"] == pytest.approx(5 / 200 / 2)
    assert lost["low"] > 0.0
    assert recall_lost(truth, before, before, kit, 2) == {"mean": 0.0, "low": 0.0, "high": 0.0}


def test_frechet_distance_of_gaussians_is_the_formula_s() -> None:
    random = np.random.default_rng(0)
    first = random.standard_normal((200_000, 3))
    second = random.standard_normal((200_000, 3)) * [2.0, 1.0, 0.5] + [1.0, 0.0, -2.0]
    # |μ|² = 5; variances (1, 4), (1, 1), (1, 0.25): Σ (σ₁ - σ₂)² = 1 + 0 + 0.25
    assert frechet_distance(first, second) == pytest.approx(6.25, rel=0.02)
    assert frechet_distance(first, first) == pytest.approx(0.0, abs=1e-9)
    rotation = np.linalg.qr(random.standard_normal((3, 3)))[0]
    assert frechet_distance(first @ rotation, second @ rotation) == pytest.approx(frechet_distance(first, second))
    with pytest.raises(InputError, match="no covariance"):
        frechet_distance(first[:3], second)
    with pytest.raises(InputError, match="given"):
        frechet_distance(first, second[:, :2])


def test_evaluate_averages_over_kits() -> None:
    sounds = [noise(i, 4410) for i in range(4)]
    estimates = [sounds[0], sounds[1], sounds[2], noise(9, 4410)]
    results = evaluate(sounds, estimates, ["a", "a", "a", "b"])
    alone = log_spectral_distance(sounds[3], estimates[3])
    assert results["log-spectral distance, dB"]["mean"] == pytest.approx(alone / 2)
    assert list(results) == ["log-spectral distance, dB", "log-spectral distance in 64 bands, dB"]
    with pytest.raises(InputError, match="give as many"):
        evaluate(sounds, estimates[:2], ["a"] * 4)
