"""The shipped sound model, as a producer uses it."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sounds import SoundModel, open_sound_model, prepare
from terzetto.errors import InputError, ModelError, TerzettoWarning


@pytest.fixture(scope="module")
def model() -> SoundModel:
    return open_sound_model()


def test_what_it_says_of_itself(model: SoundModel) -> None:
    assert model.classes == CLASSES and model.sample_rate == 44_100 and model.pad_range == (0.0, 1.0)
    assert model.model.path.stat().st_size < 8e6


@pytest.mark.parametrize("sound_class", CLASSES)
def test_samples_are_sounds(model: SoundModel, sound_class: str) -> None:
    drawn = [model.decode(model.sample(sound_class, seed), sound_class, seed) for seed in range(4)]
    for sound in drawn:
        assert sound.dtype == np.float32 and 800 < len(sound) <= 66_150
        assert np.isfinite(sound).all() and np.abs(sound).max() == pytest.approx(0.95, abs=1e-3)
        assert sound[0] == 0 and not sound[-40:].any() and abs(sound.mean()) < 1e-4
    assert len({sound.tobytes() for sound in drawn}) == 4


def test_the_same_arguments_give_the_same_sound(model: SoundModel) -> None:
    z = model.sample("snare", 5)
    np.testing.assert_array_equal(z, model.sample("snare", 5))
    np.testing.assert_array_equal(model.decode(z, "snare", 1), model.decode(z, "snare", 1))
    assert not np.array_equal(model.decode(z, "snare", 1), model.decode(z, "snare", 2))


def test_the_less_may_come_the_more_alike_it_is(model: SoundModel) -> None:
    for sound_class in ("snare", "other"):
        apart = []
        for spread in (0.0, 0.5, 1.0):
            points = np.stack([model.sample(sound_class, seed, spread) for seed in range(40)])
            distance = np.linalg.norm(points[:, None] - points, axis=2) + 1e9 * np.eye(40)
            apart.append(float(distance.min(axis=1).mean()))
        assert apart[0] < 1e-3 and apart[1] < 0.9 * apart[2]
        np.testing.assert_array_equal(model.sample(sound_class, 3), model.sample(sound_class, 3, 0.5))
    with pytest.raises(InputError, match=r"spread of 1.5: give 0"):
        model.sample("kick", 0, 1.5)


def test_a_model_of_an_earlier_recipe_draws_from_all(model: SoundModel, tmp_path: Path) -> None:
    """Its file does not say what is typical, and its centres are in no order."""
    path = tmp_path / "mine.onnx"
    path.write_bytes(model.model.path.read_bytes().replace(b'"typical_first"', b'"unknown_thing"'))
    mine = open_sound_model(str(path))
    assert model.typical_first and not mine.typical_first
    for spread in (0.0, 0.5, 1.0):
        np.testing.assert_array_equal(mine.sample("snare", 3, spread), model.sample("snare", 3, 1.0))


def test_a_kick_comes_back_at_its_pitch_from_any_rate(model: SoundModel) -> None:
    for rate in (44_100, 48_000, 96_000):
        time = np.arange(int(0.4 * rate)) / rate
        phase = 2 * np.pi * (52 * time - 3 * np.exp(-time / 0.02))
        z = model.encode(0.3 * np.sin(phase) * np.exp(-7 * time), rate, "kick")
        assert z.shape == (model.latent_size,)
        sound = model.decode(z, "kick")
        spectrum = np.abs(np.fft.rfft(sound[4000:16_000], 1 << 16))
        assert np.argmax(spectrum) * 44_100 / (1 << 16) == pytest.approx(52, abs=9)
        assert np.argmax(np.abs(sound)) < 2500


def test_a_pad_is_smooth_and_finds_its_points(model: SoundModel) -> None:
    for sound_class in model.classes:
        step = np.linalg.norm(model.pad_latent(sound_class, 0.5, 0.5) - model.pad_latent(sound_class, 0.51, 0.5))
        across = np.linalg.norm(model.pad_latent(sound_class, 0.0, 0.0) - model.pad_latent(sound_class, 1.0, 1.0))
        assert 0 < step < 0.2 * across
        point = model.pad_latent(sound_class, 0.25, 0.75)
        assert model.pad_position(sound_class, point) == pytest.approx((0.25, 0.75), abs=0.04)
    with pytest.warns(TerzettoWarning, match="from 0 to 1"):
        edge = model.pad_latent("kick", 2.0, -1.0)
    np.testing.assert_array_equal(edge, model.pad_latent("kick", 1.0, 0.0))


def test_upwards_a_pads_sounds_are_longer(model: SoundModel) -> None:
    def rings(y: float) -> float:
        lengths = [len(model.decode(model.pad_latent("snare", x, y), "snare")) for x in (0.2, 0.5, 0.8)]
        return float(np.mean(lengths))

    assert rings(0.95) > 1.2 * rings(0.05)


def test_a_morph_goes_from_one_to_the_other(model: SoundModel) -> None:
    a, b = model.sample("tom", 0), model.sample("tom", 1)
    np.testing.assert_array_equal(model.morph(a, b, 0.0), a)
    np.testing.assert_array_equal(model.morph(a, b, 1.0), b)
    np.testing.assert_allclose(model.morph(a, b, 0.25), 0.75 * a + 0.25 * b, rtol=1e-5)


def test_what_is_wrong_is_said(model: SoundModel) -> None:
    z = model.sample("kick")
    for call, said in (
        (lambda: model.decode(z, "gong"), "no sounds of a class 'gong'"),
        (lambda: model.decode(z[:3], "kick"), "latent space has"),
        (lambda: model.decode(z * np.nan, "kick"), "finite"),
        (lambda: model.encode(np.zeros(1000), 44_100, "kick"), "silence"),
        (lambda: model.encode(np.zeros(0), 44_100, "kick"), "silence"),
        (lambda: model.encode(np.ones((2, 1000)), 44_100, "kick"), "mono"),
        (lambda: model.encode(np.full(1000, np.inf), 44_100, "kick"), "finite"),
        (lambda: model.encode(np.ones(1000), 0, "kick"), "sample rate"),
        (lambda: model.morph(z, z, 1.5), "amount"),
        (lambda: model.pad_latent("kick", float("nan"), 0), "finite"),
    ):
        with pytest.raises(InputError, match=said):
            call()
    with pytest.raises(ModelError, match="drum-patterns"):
        open_sound_model("drum_patterns")


def test_a_long_sound_is_cut_with_a_warning() -> None:
    tone = np.sin(np.arange(100_000) / 40).astype(np.float32)
    with pytest.warns(TerzettoWarning, match=r"behind 1\.5 s"):
        assert len(prepare(tone, 44_100)) == 66_150
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepare(tone[:60_000], 44_100)
