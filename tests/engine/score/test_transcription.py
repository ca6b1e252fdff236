"""Notes out of recordings: found on pianos it never heard, whatever the format; anything else is said to be so."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from tests.conftest import PianoTake

from terzetto.audio.files import ArrayTake
from terzetto.errors import InputError, ModelError, TerzettoWarning
from terzetto.evaluate.transcription import evaluate, measures
from terzetto.models import Model, find_model
from terzetto.score.notes import UNKNOWN, Score
from terzetto.score.transcription import MODEL, TASK, transcribe, transcribe_with

DEMO = Path(__file__).resolve().parents[3] / "engine" / "terzetto" / "demo" / "excerpt"


# Somewhat below what docs/hands.md tells.
RENDERED_ONSET, RENDERED_FRAME, REAL_ONSET = 0.95, 0.85, 0.82


@pytest.fixture(scope="module")
def model() -> Model:
    return find_model(TASK, MODEL, threads=1)


def f1(reference: Score, estimate: Score, measure: str = "onset") -> float:
    return measures(reference, estimate)[measure]["f1"]


def heard(model: Model, audio: np.ndarray, rate: float) -> Score:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TerzettoWarning)
        return transcribe_with(model, ArrayTake(audio, rate))


def test_a_synthetic_piano_is_heard(model: Model, piano: PianoTake) -> None:
    score = heard(model, piano.mix, piano.sample_rate)
    assert f1(piano.score, score) > 0.95
    assert (score.hand == UNKNOWN).all()
    assert score.end <= len(piano.mix) / piano.sample_rate
    assert 0 < score.velocity.min() <= score.velocity.max() <= 1


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 96000])
def test_every_rate_stereo_and_level(model: Model, make_piano: Callable[..., PianoTake], rate: int) -> None:
    piano = make_piano(6.0, rate)
    score = heard(model, np.stack([piano.left, piano.right]) * 0.02, rate)
    assert f1(piano.score, score) > 0.95


def test_cutting_the_take_changes_nothing(model: Model, make_piano: Callable[..., PianoTake]) -> None:
    piano = make_piano(20.0, 22050, seed=3)
    take = ArrayTake(piano.mix, 22050)
    whole = transcribe_with(model, take, piece=10_000)
    for piece in (61, 500):
        cut = transcribe_with(model, take, piece=piece)
        np.testing.assert_array_equal(cut.pitch, whole.pitch)
        np.testing.assert_allclose(cut.onset, whole.onset, atol=1e-4)
        np.testing.assert_allclose(cut.offset, whole.offset, atol=1e-4)
        np.testing.assert_allclose(cut.velocity, whole.velocity, atol=1e-4)


def test_progress_is_told_and_ends(model: Model, piano: PianoTake) -> None:
    told: list[float] = []
    transcribe_with(model, ArrayTake(piano.mix, 22050), lambda stage, fraction: told.append(fraction), piece=100)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_silence(model: Model) -> None:
    with pytest.raises(InputError, match="nothing is heard"):
        transcribe_with(model, ArrayTake(np.zeros(22050), 22050))


def test_what_is_no_piano_is_refused(model: Model) -> None:
    random = np.random.default_rng(0)
    rate, seconds = 22050, 8
    with pytest.raises(InputError, match="piano"):
        transcribe_with(model, ArrayTake(random.normal(0, 0.1, rate * seconds), rate))
    with pytest.raises(InputError, match="piano"):
        transcribe_with(model, ArrayTake(drums(rate, seconds, random), rate))


def test_speech_is_not_taken_for_a_piano(model: Model) -> None:
    with pytest.warns(TerzettoWarning, match="hardly sounds like a piano"):
        transcribe_with(model, ArrayTake(speech(22050, 8, np.random.default_rng(1)), 22050))


def test_a_piano_is_not_complained_of(model: Model, make_piano: Callable[..., PianoTake]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", TerzettoWarning)
        transcribe_with(model, ArrayTake(make_piano(12.0, 22050, seed=5).mix, 22050))


def test_hardly_any_notes_are_remarked(model: Model, piano: PianoTake) -> None:
    lonely = np.concatenate([np.zeros(22050 * 15), piano.right[: int(0.33 * 22050)], np.zeros(22050 * 45)])
    with pytest.warns(TerzettoWarning, match="hardly any notes"):
        transcribe_with(model, ArrayTake(lonely, 22050))


@pytest.mark.parametrize("frames", [1, 200, 2000])
def test_takes_too_short_for_a_note(model: Model, frames: int) -> None:
    with pytest.raises(InputError, match="piano"):
        transcribe_with(model, ArrayTake(np.full(frames, 0.1), 22050))


def test_models_for_other_things_are_refused(piano: PianoTake, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model 'nothing'"):
        transcribe(ArrayTake(piano.mix, 22050), model="nothing")


def test_the_demo_excerpt(model: Model) -> None:
    results = evaluate(DEMO, lambda take: transcribe_with(model, take))
    assert list(results["takes"]) == ["chopin_op28no4_opening"]
    assert results["mean"]["onset"]["mean"] > 0.97


@pytest.mark.data
def test_performances_it_never_heard(model: Model, data: Path) -> None:
    results = evaluate(data / "piano" / "rendered_hands", lambda take: transcribe_with(model, take))
    assert results["mean"]["onset"]["mean"] > RENDERED_ONSET
    assert results["mean"]["frame"]["mean"] > RENDERED_FRAME


@pytest.mark.data
def test_a_real_piano(model: Model, data: Path) -> None:
    results = evaluate(data / "piano" / "chopin_op28no4", lambda take: transcribe_with(model, take), shift=True)
    for take in results["takes"].values():
        assert take["onset"]["f1"] > REAL_ONSET


def drums(rate: int, seconds: float, random: np.random.Generator) -> np.ndarray:
    """Return snares and cymbals: bursts of noise, low and high."""
    audio = np.zeros(round(rate * seconds))
    for at in np.arange(0.1, seconds - 0.5, 0.125):
        time = np.arange(round(0.25 * rate)) / rate
        burst = random.normal(0, 1, len(time)) * np.exp(-time * random.uniform(15, 60))
        low = random.uniform(200, 2000)
        band = scipy.signal.butter(2, (low, min(4 * low, 0.45 * rate)), "bandpass", fs=rate, output="sos")
        audio[round(at * rate) :][: len(burst)] += 0.2 * scipy.signal.sosfilt(band, burst)
    return audio


def speech(rate: int, seconds: float, random: np.random.Generator) -> np.ndarray:
    """Return syllables: a voice's pulses with a gliding pitch through changing formants, and hisses between them."""
    parts = []
    while sum(map(len, parts)) < rate * seconds:
        time = np.arange(round(random.uniform(0.1, 0.25) * rate)) / rate
        pitch = random.uniform(90, 180) * (1 + random.uniform(-0.3, 0.3) * time / time[-1])
        pulses = np.diff(np.floor(np.cumsum(pitch) / rate), prepend=0.0)
        sound = np.zeros(len(time))
        for formant in (random.uniform(300, 800), random.uniform(900, 2200), random.uniform(2300, 3000)):
            b, a = scipy.signal.iirpeak(formant, formant / 90, fs=rate)
            sound += scipy.signal.lfilter(b, a, pulses)
        parts.append(sound / np.abs(sound).max() * np.hanning(len(time)))
        parts.append(0.05 * random.normal(0, 1, round(random.uniform(0.03, 0.1) * rate)))
    return 0.3 * np.concatenate(parts)
