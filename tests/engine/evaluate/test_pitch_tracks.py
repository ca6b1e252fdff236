from __future__ import annotations

import math

import numpy as np
import pytest

from terzetto.errors import InputError
from terzetto.evaluate.pitch_tracks import STEP, TRACKERS, Track, contour_error, is_kept, pitch_error

pytest.importorskip("parselmouth")
RATE = 22_050


def voice(cents: np.ndarray, rate: int = RATE, harmonics: int = 8) -> np.ndarray:
    """A tone whose pitch in cents above MIDI note 0 is given sample by sample."""
    phase = 2 * np.pi * np.cumsum(440.0 * 2 ** ((cents - 6900) / 1200)) / rate
    return 0.1 * sum(np.sin(n * phase) / n for n in range(1, harmonics + 1))


def steady(pitch: float, seconds: float = 0.6, rate: int = RATE) -> np.ndarray:
    return voice(np.full(round(seconds * rate), 100.0 * pitch), rate)


@pytest.mark.parametrize("name", TRACKERS)
def test_a_note_is_as_far_off_as_it_is(name: str) -> None:
    silence = np.zeros(round(0.2 * RATE))
    audio = np.concatenate([silence, steady(48.0), silence, steady(83.4), silence])
    track = TRACKERS[name](audio, RATE)
    assert abs(pitch_error(track, 0.2, 0.6, 48)) < 12
    assert abs(pitch_error(track, 1.0, 0.6, 83) - 40) < 12
    assert abs(pitch_error(track, 1.0, 0.6, 71) - 1240) < 12, "an octave is an error"
    assert math.isnan(pitch_error(track, 1.65, 0.15, 83)), "silence has no pitch"


@pytest.mark.parametrize("name", TRACKERS)
def test_any_sample_rate(name: str) -> None:
    track = TRACKERS[name](steady(69.0, rate=48_000), 48_000)
    assert abs(pitch_error(track, 0.0, 0.6, 69)) < 12
    assert abs(len(track.f0) * track.step - 0.6) < 0.05


@pytest.mark.parametrize("name", TRACKERS)
def test_noise_has_no_pitch(name: str) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    assert not is_kept(pitch_error(TRACKERS[name](noise, RATE), 0.0, 1.0, 60))


def test_kept_is_within_fifty_cents() -> None:
    assert is_kept(50.0) and is_kept(-50.0) and not is_kept(50.1) and not is_kept(float("nan"))


@pytest.mark.parametrize("name", TRACKERS)
def test_a_glissando_that_is_followed_and_one_that_is_stepped(name: str) -> None:
    rise = np.linspace(6000.0, 6500.0, RATE)
    wanted, stepped = voice(rise), voice(np.round(rise / 250) * 250)
    reference = TRACKERS[name](wanted, RATE, 0.01)
    same = contour_error(reference, TRACKERS[name](wanted, RATE, 0.01), 0.1, 0.9)
    off = contour_error(reference, TRACKERS[name](stepped, RATE, 0.01), 0.1, 0.9)
    assert same == {"cents": 0.0, "lost": 0.0}
    assert 40 < off["cents"] < 90 and off["lost"] > 0.3


def test_contours_by_hand() -> None:
    hertz = np.array([440.0, 440.0, 440.0, np.nan, 440.0])
    found = np.array([440.0, 440.0 * 2 ** (20 / 1200), np.nan, 440.0, 440.0 * 2 ** (60 / 1200)])
    errors = contour_error(Track(hertz), Track(found))
    assert errors["cents"] == pytest.approx(20.0) and errors["lost"] == pytest.approx(0.5)
    assert math.isnan(contour_error(Track(hertz), Track(np.full(5, np.nan)))["cents"])
    with pytest.raises(InputError, match="no voiced frame"):
        contour_error(Track(np.full(3, np.nan)), Track(hertz))
    assert len(Track(hertz).between(STEP, 3 * STEP)) == 2


@pytest.mark.parametrize("audio", [np.zeros(0), np.zeros((2, 100)), np.array([0.0, np.inf])])
def test_what_has_no_pitch_to_track(audio: np.ndarray) -> None:
    for track in TRACKERS.values():
        with pytest.raises(InputError, match="one row of finite samples"):
            track(audio, RATE)
