import warnings

import numpy as np
import pytest

from terzetto.drums.grid import STEPS, Hvo
from terzetto.drums.pad import POINTS, Pad
from terzetto.drums.patterns import PatternModel, open_pattern_model
from terzetto.errors import InputError, ModelError, TerzettoWarning
from terzetto.evaluate.drum_patterns import changed_share


@pytest.fixture(scope="module")
def model() -> PatternModel:
    return open_pattern_model()


@pytest.fixture(scope="module")
def rock() -> Hvo:
    """Kick on 1 and 3, snare on 2 and 4, eighths on the closed hat."""
    hits = np.zeros((9, 16), bool)
    hits[0, [0, 8]] = hits[1, [4, 12]] = hits[2, ::2] = True
    return Hvo(hits, np.where(hits, 0.7, 0.0))


def test_a_common_beat_comes_back(model: PatternModel, rock: Hvo) -> None:
    z = model.encode([rock])
    assert z.shape == (1, model.latent_size) and model.latent_size <= 32
    back = model.pattern(z[0])
    assert (back.hits & rock.hits).sum() >= 11 and (back.hits & ~rock.hits).sum() <= 1
    assert np.abs(back.offsets).max() < 0.2
    grid = model.activation_matrix(z[0])
    assert grid.hits[1, [0, 32]].all() and grid.hits[0, [16, 48]].all()


def test_the_same_arguments_give_the_same_pattern(model: PatternModel) -> None:
    z = model.sample(3)
    style = model.styles[0]
    arguments = dict(style=style, density=0.4, variation=0.5)
    assert model.pattern(z, **arguments, seed=7) == model.pattern(z, **arguments, seed=7)  # type: ignore[arg-type]
    assert model.pattern(z, **arguments, seed=7) != model.pattern(z, **arguments, seed=8)  # type: ignore[arg-type]
    np.testing.assert_array_equal(model.sample(3), z)


def test_a_density_is_the_number_of_hits(model: PatternModel) -> None:
    z = model.sample(1)
    for density in (0.0, 0.25, 0.75):
        assert model.pattern(z, density=density).hits.sum() == round(density * model.full_density)


def test_what_is_decoded_is_in_range(model: PatternModel) -> None:
    decoded = model.decode(model.samples(0, 50))
    assert decoded.hits.shape == decoded.velocities.shape == decoded.offsets.shape == (50, 9, 16)
    assert decoded.fine.shape == (50, 8, 64)
    for part, low in ((decoded.hits, 0), (decoded.velocities, 0), (decoded.fine, 0), (decoded.offsets, -0.5)):
        assert part.min() >= low and part.max() <= low + 1


def test_samples_are_bars_and_differ(model: PatternModel) -> None:
    bars = model.to_hvo(model.decode(model.samples(0, 200)))
    assert all(bar.hits.any() for bar in bars)
    assert len(set(bars)) > 190
    assert 10 < np.mean([bar.hits.sum() for bar in bars]) < 28


def test_moving_to_no_style_and_density_stays(model: PatternModel) -> None:
    z = model.samples(0, 4)
    np.testing.assert_allclose(model.move(z), z, atol=2e-3)
    assert np.abs(model.move(z, model.styles[-1]) - z).max() > 0.1


def test_neighbours_on_the_pad_sound_alike(model: PatternModel) -> None:
    low, high = model.pad_range
    random = np.random.default_rng(0)
    here = random.uniform(low, high - (high - low) / 64, (100, 2))
    first, near, far = (
        np.stack([bar.hits for bar in model.to_hvo(model.decode(model.pad_latents(xy)))])
        for xy in (here, here + np.array([(high - low) / 64, 0.0]), here[::-1])
    )
    assert first.any(axis=(1, 2)).all()
    assert np.median(changed_share(first, near)) <= 0.2 < np.median(changed_share(first, far))


def test_points_of_the_pad_are_found_again(model: PatternModel) -> None:
    there = np.random.default_rng(1).uniform(*model.pad_range, (40, 2))
    z = model.pad_latents(there)
    first, again, other = (
        np.stack([bar.hits for bar in model.to_hvo(model.decode(points))])
        for points in (z, model.pad_latents(model.pad_positions(z)), z[::-1])
    )
    assert np.median(changed_share(first, again)) < 0.2 < 0.5 < np.median(changed_share(first, other))
    assert model.pad_position(z[3]) == tuple(model.pad_positions(z)[3])


def test_the_table_of_the_pad_in_the_file_is_what_the_model_decodes(model: PatternModel) -> None:
    shipped = Pad(model.pad_range, (0.0, 0.0), model.model.constants["pad_table"])
    low, high = model.pad_range
    chosen = np.random.default_rng(2).integers(POINTS, size=(200, 2))
    decoded = model.decode(model.pad_latents(low + chosen * (high - low) / (POINTS - 1)))
    fine = shipped.patterns[0].reshape(POINTS, POINTS, STEPS, -1)[*chosen.T]
    hits = shipped.patterns[1].reshape(POINTS, POINTS, STEPS, -1)[*chosen.T]
    expected = (decoded.hits >= model.thresholds["hits"]).transpose(0, 2, 1)
    assert expected.any() and np.mean(hits != expected) < 1e-4, "but for probabilities on the threshold itself"
    as_fine = (decoded.fine >= model.thresholds["pad"]).sum(axis=(1, 2))
    assert np.mean(fine.sum(axis=(1, 2)) != as_fine) < 0.05
    assert shipped.packed() == model.model.constants["pad_table"]
    with pytest.raises(ModelError, match="table of its pad is damaged"):
        Pad(model.pad_range, (0.0, 0.0), shipped.packed()[:-8])


def test_outside_the_pad_is_its_edge_and_said(model: PatternModel) -> None:
    with pytest.warns(TerzettoWarning, match="moved to its edge"):
        z = model.pad_latent(100.0, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(z, model.pad_latent(model.pad_range[1], 0.0))


def test_bad_input_is_refused(model: PatternModel) -> None:
    z = model.sample(0)
    with pytest.raises(InputError, match=r"no style 'polka-core'; it knows: .*jazz"):
        model.pattern(z, style="polka-core")
    with pytest.raises(InputError, match=r"a density of 1\.5"):
        model.pattern(z, density=1.5)
    with pytest.raises(InputError, match="a variation of -1"):
        model.pattern(z, variation=-1)
    with pytest.raises(InputError, match=f"has {model.latent_size} numbers"):
        model.decode(z[:5])
    with pytest.raises(InputError, match="finite"):
        model.decode(z * np.nan)
    with pytest.raises(InputError, match="finite"):
        model.pad_latent(float("nan"), 0.0)


def test_a_model_for_something_else_is_refused() -> None:
    with pytest.raises(ModelError, match=r"'hand-labels'; needed is one for 'drum-patterns'"):
        open_pattern_model("hand_labels")


def test_the_map_has_points_of_the_pad(model: PatternModel) -> None:
    low, high = model.pad_range
    assert len(model.map) >= 300
    assert all(low <= x <= high and low <= y <= high and style in model.styles for x, y, style in model.map)
