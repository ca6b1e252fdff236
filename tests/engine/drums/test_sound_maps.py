"""Body, noise and partials of sounds whose parts are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.drums.sound_image import from_image, to_image
from terzetto.drums.sound_maps import COLUMN_FRAMES, FLOOR, FRAMES, HOP, SAMPLE_RATE, analyse, trim
from terzetto.drums.sound_ridges import ridges
from terzetto.drums.sound_synthesis import synthesise

Float = NDArray[np.float32]
TIME = np.arange(FRAMES // 2) / SAMPLE_RATE


def sine(frequency: float, decay: float) -> Float:
    return (np.sin(2 * np.pi * frequency * TIME) * np.exp(-decay * TIME)).astype(np.float32)


def hiss(decay: float) -> Float:
    return (np.random.default_rng(0).standard_normal(len(TIME)) * 0.3 * np.exp(-decay * TIME)).astype(np.float32)


def test_a_kicks_sweep_is_its_body() -> None:
    frequency = 50 + 150 * np.exp(-TIME / 0.02)
    kick = (0.9 * np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE) * np.exp(-7 * TIME)).astype(np.float32)
    maps = analyse(kick)
    early = (COLUMN_FRAMES[:30] * HOP).astype(int)
    np.testing.assert_allclose(100 * 2 ** maps.pitch[:30], frequency[early], rtol=0.06)
    np.testing.assert_allclose(maps.body[:30], 20 * np.log10(0.9 * np.exp(-7 * TIME[early])), atol=1.0)
    assert maps.partials.max() < -60


def test_partials_are_told_from_noise() -> None:
    tones = analyse(0.5 * sine(810, 9) + 0.3 * sine(3000, 12))
    found = sorted((float(r.frequencies.mean()), float(r.decibels[0])) for r in ridges(tones.partials))
    assert [hertz for hertz, _ in found] == pytest.approx([810, 3000], rel=0.01)
    assert [level for _, level in found] == pytest.approx([20 * np.log10(0.5), 20 * np.log10(0.3)], abs=1.0)
    noise = analyse(hiss(0.0))
    assert (noise.partials > -60).mean() < 0.03
    # What is white has the density of its variance, -10.5 dB, at all frequencies above the body's.
    np.testing.assert_allclose(noise.noise[20:, 20:50].mean(axis=1), 20 * np.log10(0.3), atol=3.5)


@pytest.mark.parametrize("sound", [sine(90, 8) + 0.4 * sine(1200, 20), hiss(12.0), 0.5 * sine(200, 20) + hiss(20.0)])
def test_a_sound_comes_back(sound: Float) -> None:
    original = trim(sound)
    back = synthesise(from_image(*to_image(analyse(original))))
    assert len(back) == pytest.approx(len(original), rel=0.02)
    # All below 300 Hz, and half an octave each above, of the first 100 ms, at one energy.
    spectra = []
    for audio in (original, back):
        power = np.abs(np.fft.rfft(audio[:4410] / np.sqrt(np.sum(audio[:4410] ** 2)))) ** 2
        edges = np.r_[2, (30 * 2 ** (np.arange(12) / 2)).astype(int)]
        spectra.append(10 * np.log10(np.add.reduceat(power, edges) + 1e-12))
    heard = spectra[0] > spectra[0].max() - 40
    assert np.abs(spectra[0] - spectra[1])[heard].mean() < 2.5


def test_both_ends_are_silent_and_nothing_clips() -> None:
    for sound in (sine(60, 0.0), hiss(0.0), np.ones(3000, np.float32), sine(60, 400.0)[:900]):
        made = synthesise(analyse(sound))
        assert made[0] == 0 and not made[-40:].any()
        assert np.abs(made).max() == pytest.approx(0.95, abs=1e-4)
        assert abs(made.mean()) < 1e-5


def test_trimmed_to_onset_and_end() -> None:
    late = np.r_[np.zeros(5000), 0.01 * sine(200, 10), np.zeros(9000)].astype(np.float32)
    trimmed = trim(late)
    assert np.abs(trimmed).max() == pytest.approx(0.95)
    assert abs(trimmed[0]) < 0.02 and np.argmax(np.abs(trimmed) > 0.1) < 40
    assert len(trimmed) < len(TIME)
    assert len(trim(np.zeros(100, np.float32))) == 0


def test_an_image_is_the_sound() -> None:
    maps = analyse(0.5 * sine(200, 20) + 0.3 * sine(2500, 10) + 0.3 * hiss(20.0))
    image, strip = to_image(maps)
    assert image.min() >= 0 and image.max() <= 1 and strip.min() >= 0 and strip.max() <= 1
    back = from_image(image, strip)
    for name in ("noise", "partials", "body", "pitch"):
        ours, theirs = getattr(maps, name), getattr(back, name)
        loud = ours > FLOOR + 30
        np.testing.assert_allclose(ours[loud], theirs[loud], atol=0.1)
    assert back.seconds == pytest.approx(maps.seconds, abs=0.002)
