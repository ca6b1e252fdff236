"""SI-SDR against cases worked out by hand, BSS Eval against museval itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terzetto.errors import InputError
from terzetto.evaluate import separation

RATE = 4000


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def test_si_sdr_worked_out_by_hand() -> None:
    reference = np.array([1.0, 0.0, 1.0, 0.0])
    # the error is orthogonal to the reference: energies 2 and 2/100
    assert separation.si_sdr(reference, reference + np.array([0.0, 0.1, 0.0, -0.1])) == pytest.approx(20.0)
    # <e, r> / <r, r> = 3/2: target (1.5, 0, 1.5, 0), error (.5, 0, -.5, 0), 10 log10(4.5 / 0.5)
    assert separation.si_sdr(reference, np.array([2.0, 0.0, 1.0, 0.0])) == pytest.approx(10 * np.log10(9))
    assert separation.si_sdr(reference, np.array([0.0, 1.0, 0.0, 0.0])) == -np.inf
    assert separation.si_sdr(reference, np.zeros(4)) == -np.inf
    assert separation.si_sdr(np.zeros(4), reference) == -np.inf
    assert separation.si_sdr(reference, 0.5 * reference) == np.inf


@given(decibels=st.floats(-20, 60), scale=st.floats(1e-3, 1e3), sign=st.sampled_from((-1, 1)))
def test_si_sdr_is_the_noise_level_whatever_the_scale(decibels: float, scale: float, sign: int) -> None:
    reference, error = noise(2, 500)
    error -= (error @ reference) / (reference @ reference) * reference
    error *= np.sqrt((reference @ reference) / (error @ error)) * 10 ** (-decibels / 20)
    value = separation.si_sdr(reference, sign * scale * (reference + error))
    assert value == pytest.approx(decibels, abs=1e-6)


def test_bss_eval_is_musevals() -> None:
    # the module alone: its package insists on ffmpeg
    package = importlib.util.find_spec("museval")
    assert package is not None and package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0]) / "metrics.py"
    museval: dict[str, Any] = {"__name__": "metrics"}
    exec(compile(path.read_text(), str(path), "exec"), museval)
    references = noise(2, 5 * RATE)
    estimates = references + 0.1 * references[::-1] + 0.05 * noise(2, 5 * RATE, seed=1)
    ours = separation.bss_eval(references, estimates, RATE)
    sdr, _, sir, sar, _ = museval["bss_eval"](
        references[..., None], estimates[..., None], window=RATE, hop=RATE, bsseval_sources_version=False
    )
    for name, theirs in (("sdr", sdr), ("sir", sir), ("sar", sar)):
        np.testing.assert_allclose(ours[name], np.nanmedian(theirs, axis=1))
    # 0.1 of the other source is -20 dB, and 0.05 of noise -26 dB
    assert ours["sir"] == pytest.approx([20, 20], abs=1)
    assert ours["sdr"] == pytest.approx([19, 19], abs=1)


def test_nearly_perfect_estimates_score_high_and_swapped_ones_low() -> None:
    references = noise(2, 2 * RATE)
    near = separation.evaluate(references, references + 1e-4 * noise(2, 2 * RATE, seed=1), RATE, ("a", "b"))
    swapped = separation.evaluate(references, references[::-1], RATE, ("a", "b"))
    for name in ("a", "b"):
        assert list(near[name]) == ["si_sdr", "si_sdr_improvement", "sdr", "sir", "sar"]
        assert all(value > 70 for value in near[name].values())
        assert swapped[name]["si_sdr"] < -20 and swapped[name]["sir"] < 0
        # the mix of two sources of one level is at 0 dB
        assert near[name]["si_sdr_improvement"] == pytest.approx(near[name]["si_sdr"], abs=1)


def test_a_silent_estimate_and_silent_frames_are_measured_too() -> None:
    references = noise(2, 3 * RATE)
    references[0, RATE:] = 0.0
    estimates = references + 0.01 * noise(2, 3 * RATE, seed=1)
    estimates[1] = 0.0
    scores = separation.evaluate(references, estimates, RATE, ("a", "b"))
    assert scores["a"]["sdr"] == pytest.approx(40, abs=2)
    assert scores["b"]["si_sdr"] == scores["b"]["sdr"] == -np.inf and np.isnan(scores["b"]["sir"])
    alone = separation.evaluate(references, references + 0.01 * noise(2, 3 * RATE, seed=1), RATE, ("a", "b"))
    assert alone["a"]["sdr"] == pytest.approx(scores["a"]["sdr"])
    assert list(separation.evaluate(references, estimates, RATE, ("a", "b"), with_bss_eval=False)["a"]) == [
        "si_sdr",
        "si_sdr_improvement",
    ]


def test_a_take_shorter_than_a_frame_is_measured() -> None:
    references = noise(2, RATE // 4)
    values = separation.bss_eval(references, references + 0.1 * noise(2, RATE // 4, seed=1), RATE)
    assert values["sdr"] == pytest.approx([20, 20], abs=3)


@pytest.mark.parametrize(
    ("references", "estimates", "message"),
    [
        (np.ones((2, 5)), np.ones((2, 6)), r"\(2, 5\) and \(2, 6\)"),
        (np.ones(5), np.ones(5), "sources, samples"),
        (np.ones((2, 5)), np.full((2, 5), np.nan), "finite"),
        (np.stack([np.ones(5), np.zeros(5)]), np.ones((2, 5)), "reference 2 is silent"),
    ],
)
def test_signals_that_cannot_be_compared(references: np.ndarray, estimates: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        separation.validate(references, estimates)
