from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from terzetto.errors import InputError
from terzetto.evaluate.timbre import (
    NoteResult,
    attack_time,
    evaluate,
    loudness_error,
    mfcc_distance,
    validate,
)

RATE = 22_050


def tone(partials: list[float], seconds: float = 0.5, pitch: float = 220.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return 0.2 * sum(a * np.sin(2 * np.pi * pitch * (n + 1) * time) for n, a in enumerate(partials))


FLUTE, REED = [1.0, 0.3, 0.1, 0.03, 0.01], [1.0, 0.05, 0.9, 0.05, 0.8, 0.05, 0.7, 0.1, 0.5]


def test_mfcc_know_the_spectrum_and_not_the_level() -> None:
    assert mfcc_distance(tone(FLUTE), 0.1 * tone(FLUTE), RATE) < 0.5
    near = mfcc_distance(tone(FLUTE), tone(FLUTE, pitch=222.0), RATE)
    assert near < 0.5 * mfcc_distance(tone(FLUTE), tone(REED), RATE)


def test_loudness_error_is_in_decibels() -> None:
    sound = tone(FLUTE)
    assert loudness_error(sound, sound, RATE) == 0.0
    assert loudness_error(sound, sound * 10 ** (-6 / 20), RATE) == pytest.approx(6.0, abs=0.01)
    fading = sound * np.linspace(1.0, 0.2, len(sound))
    assert 3.0 < loudness_error(sound, fading, RATE) < 9.0
    assert loudness_error(sound, np.zeros(len(sound)), RATE) > 30.0


def test_attack_time_is_that_of_the_envelope() -> None:
    for seconds in (0.01, 0.08):
        envelope = np.clip(np.arange(RATE // 2) / (seconds * RATE), 0.0, 1.0)
        note = np.concatenate([np.zeros(RATE // 10), envelope * tone([1.0], 0.5, 1000.0)])
        assert attack_time(note, RATE, 0.1) == pytest.approx(0.8 * seconds, abs=0.006)
    assert np.isnan(attack_time(np.zeros(RATE), RATE, 0.2))


@pytest.mark.parametrize(
    ("reference", "estimate", "what"),
    [
        (np.ones((2, 4)), np.ones((2, 4)), "one sound"),
        (np.ones(4), np.array([1.0, np.nan, 0.0, 0.0]), "not finite"),
        (np.ones(4), np.ones(5), "as long"),
        (np.zeros(4), np.ones(4), "silent"),
    ],
)
def test_bad_sounds_are_refused(reference: np.ndarray, estimate: np.ndarray, what: str) -> None:
    with pytest.raises(InputError, match=what):
        validate(reference, estimate)


NOTE = NoteResult("a 0", "flute", True, {"pYIN": 10.0, "Praat": -60.0}, "flute", 1, True, 20.0, 0.5, 0.01, 2.0)


def test_a_note_is_kept_only_with_pitch_and_timbre() -> None:
    assert NOTE.kept
    assert not dataclasses.replace(NOTE, heard="oboe").kept
    assert not dataclasses.replace(NOTE, cents={"pYIN": float("nan"), "Praat": 0.0}).kept
    assert not dataclasses.replace(NOTE, cents={"pYIN": 51.0, "Praat": 0.0}).kept


def test_shares_are_over_input_notes() -> None:
    notes = [
        NOTE,
        dataclasses.replace(NOTE, target="oboe", heard="flute", rank=3, accepted=False),
        dataclasses.replace(NOTE, unit="a 1", cents={"pYIN": float("nan"), "Praat": 5.0}, mfcc=float("nan")),
    ]
    results = evaluate(notes)
    assert results["lost, %"]["mean"] == pytest.approx(75.0) and results["lost, %"]["units"] == 2
    assert results["pitch lost by pYIN, %"]["mean"] == pytest.approx(50.0)
    assert results["pitch lost by Praat, %"]["mean"] == pytest.approx(50.0)
    assert results["not heard as the target, %"]["mean"] == pytest.approx(25.0)
    assert results["not accepted as the target, %"]["mean"] == pytest.approx(25.0)
    assert results["pitch lost or not accepted, %"]["mean"] == pytest.approx(75.0)
    assert results["target not among the first two guesses, %"]["mean"] == pytest.approx(25.0)
    assert results["MFCC distance"] == {"mean": 20.0, "low": 20.0, "high": 20.0, "units": 1}
    assert results["lost, %"]["low"] <= 75.0 <= results["lost, %"]["high"]
    with pytest.raises(InputError, match="nothing to measure"):
        evaluate([])
