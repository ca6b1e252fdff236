from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from terzetto.analysis.drum_classes import DrumClassifier, open_drum_classifier
from terzetto.analysis.drum_spectra import BANDS, FRAMES, SAMPLE_RATE, from_onset, mel_levels
from terzetto.drums.drum_map import CLASSES
from terzetto.errors import InputError, ModelError

TIME = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE


def kick(rate: int = SAMPLE_RATE) -> np.ndarray:
    time = np.arange(rate // 2) / rate
    return np.sin(2 * np.pi * (50 * time + 3 * (1 - np.exp(-40 * time)))) * np.exp(-9 * time)


def closed_hat() -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(len(TIME))
    spectrum = np.fft.rfft(noise)
    spectrum[np.fft.rfftfreq(len(TIME), 1 / SAMPLE_RATE) < 7000] = 0.0
    return 0.1 * np.fft.irfft(spectrum, len(TIME)) * np.exp(-60 * TIME)


@pytest.fixture(scope="module")
def classifier() -> DrumClassifier:
    return open_drum_classifier()


def test_levels_know_neither_loudness_nor_silence_before() -> None:
    levels = mel_levels(kick())
    assert levels.shape == (FRAMES, BANDS) and levels.dtype == np.float32
    np.testing.assert_allclose(mel_levels(0.01 * kick()), levels, atol=1e-3)
    np.testing.assert_allclose(mel_levels(np.concatenate([np.zeros(12_345), kick()])), levels, atol=1e-3)
    assert levels[0].max() > 0.5 and levels[70:].max() == 0.0


def test_a_sine_is_in_its_band() -> None:
    import librosa

    centres = librosa.mel_frequencies(BANDS + 2, fmin=30.0, fmax=18_000.0)[1:-1]
    for frequency in (500.0, 2000.0, 9000.0):
        band = int(mel_levels(np.sin(2 * np.pi * frequency * TIME))[10].argmax())
        assert abs(band - np.abs(centres - frequency).argmin()) <= 1


@pytest.mark.parametrize(
    ("sound", "problem"),
    [
        (np.zeros(100), "silent"),
        (np.zeros(0), "shape"),
        (np.ones((2, 100)), "mono"),
        (np.array([1.0, np.nan]), "finite"),
        (np.array([1.0, np.inf]), "finite"),
    ],
)
def test_what_is_no_sound_is_refused(sound: np.ndarray, problem: str, classifier: DrumClassifier) -> None:
    with pytest.raises(InputError, match=problem):
        from_onset(sound)
    with pytest.raises(InputError, match=problem):
        classifier.probabilities([kick(), sound])


def test_probabilities_of_the_shipped_model(classifier: DrumClassifier) -> None:
    assert classifier.classes == CLASSES
    share = classifier.probabilities([kick(), closed_hat()])
    assert share.shape == (2, len(CLASSES)) and share.dtype == np.float32
    np.testing.assert_allclose(share.sum(axis=1), 1.0, rtol=1e-5)
    assert [CLASSES[row.argmax()] for row in share] == ["kick", "closed hat"]
    assert classifier.probabilities([]).shape == (0, len(CLASSES))
    assert classifier.classify(kick()) == CLASSES.index("kick")


def test_sample_rate_and_loudness_change_little(classifier: DrumClassifier) -> None:
    share = classifier.probabilities([kick()])
    np.testing.assert_allclose(classifier.probabilities([1e-3 * kick()]), share, atol=1e-2)
    np.testing.assert_allclose(classifier.probabilities([kick(48_000)], 48_000), share, atol=0.1)
    with pytest.raises(InputError, match="sample rate of 0"):
        classifier.probabilities([kick()], 0)


def test_another_task_s_model_is_refused() -> None:
    with pytest.raises(ModelError, match="needed is one for 'drum-classes'"):
        open_drum_classifier("hand_labels")


@pytest.mark.data
def test_real_sounds_of_kits_it_never_heard(
    data: Path, classifier: DrumClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    from terzetto.evaluate.drum_sounds import recalls
    from terzetto_export.drum_sounds.data import read_data
    from terzetto_export.drum_sounds.one_shots import in_split

    monkeypatch.setenv("TERZETTO_DATA", str(data))
    test = in_split(read_data(None, lambda line: None), "test")
    found = classifier.probabilities([sound.audio for sound in test]).argmax(axis=1)
    recall = recalls(np.array([sound.sound_class for sound in test]), found, len(CLASSES))
    assert recall.mean() > 0.5  # by chance: 0.125
