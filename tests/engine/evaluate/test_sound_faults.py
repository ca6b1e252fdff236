from __future__ import annotations

import doctest

import numpy as np
import pytest

from terzetto.evaluate import sound_faults
from terzetto.evaluate.sound_faults import FAULTS, count, faults

SAMPLE_RATE = 44_100


def drum(frames: int = 8820, frequency: float = 180.0) -> np.ndarray:
    """A sound without a fault: fades in over 1 ms, dies away, ends in silence, has no mean."""
    time = np.arange(frames) / SAMPLE_RATE
    sound = np.sin(2 * np.pi * frequency * time) * np.exp(-30 * time)
    fade = np.minimum(1.0, np.arange(frames) / 44) * np.minimum(1.0, np.arange(frames)[::-1] / 200)
    sound *= fade
    sound -= fade * sound.sum() / fade.sum()
    return 0.9 * sound / np.abs(sound).max()


def planted(fault: str) -> np.ndarray:
    sound = drum()
    if fault == "not_finite":
        sound[100] = np.nan
    elif fault == "silent":
        sound *= 5e-4
    elif fault == "over":
        sound *= 1.2
    elif fault == "clipped":
        sound = np.clip(1.5 * sound, -1.0, 1.0)
        sound -= np.mean(sound) * (np.abs(sound) < 0.5) * len(sound) / np.sum(np.abs(sound) < 0.5)
        sound[[0, *range(-50, 0)]] = 0.0
    elif fault == "dc":
        sound[40:-40] += 2e-3
    elif fault == "click_at_start":
        sound[1] = 0.5
    elif fault == "click_at_end":
        sound[-1] = 0.01
    return sound


def test_a_clean_drum_has_no_fault() -> None:
    assert faults(drum(), SAMPLE_RATE) == []
    assert faults(drum().astype(np.float32), SAMPLE_RATE) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_no_other(fault: str) -> None:
    assert faults(planted(fault), SAMPLE_RATE) == [fault]


@pytest.mark.parametrize("step", [0.5, -0.5])
def test_steps_at_the_ends_whatever_the_sign(step: float) -> None:
    sound = drum()
    sound[0] = step
    assert faults(sound, SAMPLE_RATE) == ["click_at_start"]
    sound = drum()
    sound[-20] = step
    assert faults(sound, SAMPLE_RATE) == ["click_at_end"]


def test_a_loud_sine_is_not_clipped_but_a_cut_one_is() -> None:
    slow = np.sin(2 * np.pi * 30 * np.arange(44_100) / SAMPLE_RATE)
    assert "clipped" not in faults(slow, SAMPLE_RATE)
    assert "clipped" in faults(np.clip(1.01 * slow, -1, 1), SAMPLE_RATE)
    assert "clipped" in faults(np.clip(1.01 * slow, -1, 0.5), SAMPLE_RATE)


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_sounds_of_hardly_any_length(frames: int) -> None:
    assert faults(np.zeros(frames), SAMPLE_RATE) == ["silent"]
    assert "click_at_start" in faults(np.ones(frames), SAMPLE_RATE) or not frames


def test_counting() -> None:
    number = count([drum(), planted("dc"), planted("not_finite"), 1.2 * planted("dc")], SAMPLE_RATE)
    assert (number["sounds"], number["faulty"], number["dc"], number["over"], number["not_finite"]) == (4, 3, 2, 1, 1)
    assert list(number) == ["sounds", "faulty", *FAULTS]


def test_examples_in_the_documentation() -> None:
    assert doctest.testmod(sound_faults).failed == 0
