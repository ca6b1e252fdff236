"""Let it Bee: activations under three restrictions, and the conversion that they make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from terzetto import _kernel
from terzetto.audio.files import ArrayTake
from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.timbre import bee_conversion
from terzetto.timbre.bee import Bands, BeeOptions, activations, activations_in_pieces, divergence, mosaic
from terzetto.timbre.bee_conversion import BeeConversion, bee_grid
from terzetto.timbre.conversion import Controls
from terzetto.timbre.methods import open_conversion
from terzetto.timbre.stream import render
from terzetto.timbre.target import Target, transposed
from tests.engine.timbre.sounds import level_db, strongest, tone

Float = NDArray[np.float32]
RATE = 8000
GRID = bee_grid(RATE)
FREE = BeeOptions(repetition=0, polyphony=100, continuity=0)


def problem(frames: int = 40, atoms: int = 30, bands: int = 25) -> tuple[Float, Float]:
    """Random atoms, and frames made of a few of them."""
    random = np.random.default_rng(0)
    W = random.random((atoms, bands)).astype(np.float32) ** 4
    H = random.random((frames, atoms)).astype(np.float32) ** 20
    return H @ W, W


def melody() -> Float:
    return np.concatenate([tone(frequency, 0.5, RATE) for frequency in (220, 262, 330, 392)])


def converted(sound: Float, conversion: BeeConversion, controls: Controls | None = None) -> Float:
    return np.concatenate(list(render(ArrayTake(sound, RATE), conversion, controls)), axis=1)


def as_in_the_paper(V: Float, W: Float, options: BeeOptions) -> Float:
    """Equations 4 to 6 and the update, cell by cell, in the paper's orientation."""
    V, W = V.T.astype(np.float64), W.T.astype(np.float64)
    atoms, frames = W.shape[1], V.shape[1]
    H = np.ones((atoms, frames))
    for number in range(1, options.iterations + 1):
        fade = 1 - number / options.iterations
        R, P, C = np.empty_like(H), np.empty_like(H), np.zeros_like(H)
        for k in range(atoms):
            for m in range(frames):
                r = options.repetition
                R[k, m] = H[k, m] * (1 if H[k, m] == H[k, max(m - r, 0) : m + r + 1].max() else fade)
        for m in range(frames):
            least = np.sort(R[:, m])[-options.polyphony]
            P[:, m] = np.where(R[:, m] >= least, R[:, m], fade * R[:, m])
        for k in range(atoms):
            for m in range(frames):
                for i in range(-options.continuity, options.continuity + 1):
                    if 0 <= k + i < atoms and 0 <= m + i < frames:
                        C[k, m] += P[k + i, m + i]
        H = C * (W.T @ (V / (W @ C + 1e-12))) / W.sum(axis=0)[:, None]
    return np.asarray(H.T, np.float32)


@pytest.mark.parametrize("options", [BeeOptions(2, 4, 2, 6), BeeOptions(0, 5, 3, 5), BeeOptions(3, 30, 0, 5)])
def test_activations_are_the_papers(options: BeeOptions) -> None:
    V, W = problem()
    np.testing.assert_allclose(activations(V, W, options), as_in_the_paper(V, W, options), rtol=2e-3, atol=1e-5)


def test_without_restrictions_it_converges_like_nmf_with_templates_held_fixed() -> None:
    V, W = problem()
    V += 0.2 * np.random.default_rng(1).random(V.shape).astype(np.float32)
    options = BeeOptions(repetition=0, polyphony=100, continuity=0, iterations=200)
    H = _kernel.nmf(V, W, np.ones((len(W), len(V)), np.float32), iterations=200, update_templates=False)[1]
    expected = divergence(V, np.ascontiguousarray(H.T), W)
    assert divergence(V, activations(V, W, options), W) < 1.01 * expected


def test_an_atom_is_not_repeated_and_few_sound_at_once() -> None:
    V, W = problem()
    H = activations(V, W, BeeOptions(repetition=3, polyphony=4, continuity=0))
    assert np.count_nonzero(H, axis=1).max() <= 4
    for atom in range(H.shape[1]):
        assert np.all(np.diff(np.flatnonzero(H[:, atom])) > 3)


def test_continuity_plays_passages() -> None:
    """A take as a mosaic of itself: one diagonal, where the free factorisation finds what is alike anywhere."""
    bands = Bands(GRID)
    V = bands(np.abs(GRID.stft(melody())))
    H = activations(V, V, BeeOptions())
    diagonal = np.trace(H) / H.sum()
    free = activations(V, V, FREE)
    assert diagonal > 0.3 > 2 * np.trace(free) / free.sum()
    assert divergence(V, H, V) < 0.05


@pytest.mark.parametrize("piece", [1, 7, 100])
def test_pieces_with_the_whole_reach_around_them_change_nothing(piece: int) -> None:
    V, W = problem(frames=60)
    options = BeeOptions(2, 5, 1, 4)
    assert options.reach == 12
    whole = activations(V, W, options)
    in_pieces = activations_in_pieces(V, W, options, piece=piece, margin=options.reach)
    np.testing.assert_allclose(in_pieces, whole, rtol=1e-3, atol=1e-5)
    if piece == 7:
        short = activations_in_pieces(V, W, options, piece=piece, margin=1)
        assert np.abs(short - whole).max() > 0.01


def test_silent_frames_and_unusable_atoms_stay_silent() -> None:
    V, W = problem()
    V[10:12] = 0.0
    usable = np.arange(len(W)) != 5
    H = activations(V, W, BeeOptions(), usable)
    assert not H[10:12].any()
    assert not H[:, 5].any()
    assert np.isfinite(H).all()


def test_the_divergence_is_zero_where_nothing_is_lost() -> None:
    V, W = problem()
    H = np.eye(len(V), dtype=np.float32)
    assert divergence(V, H, V) == pytest.approx(0.0, abs=1e-6)
    assert divergence(V, np.zeros((len(V), len(W)), np.float32), W) > 1


def test_bands_keep_the_sum_and_low_bins() -> None:
    grid = FrameGrid(44100, 4096, 1024)
    bands = Bands(grid)
    magnitudes = np.random.default_rng(0).random((3, grid.bins)).astype(np.float32)
    pooled = bands(magnitudes)
    assert pooled.shape == (3, len(bands))
    assert len(bands) < 400
    np.testing.assert_array_equal(pooled[:, :200], magnitudes[:, :200])
    np.testing.assert_allclose(pooled.sum(axis=1), magnitudes.sum(axis=1), rtol=1e-5)


def test_a_mosaic_is_the_sum_of_its_atoms() -> None:
    random = np.random.default_rng(0)
    atoms = (random.standard_normal((9, 5)) + 1j * random.standard_normal((9, 5))).astype(np.complex64)
    H = random.random((4, 9)).astype(np.float32) * (random.random((4, 9)) > 0.6)
    np.testing.assert_allclose(mosaic(H.astype(np.float32), lambda which: atoms[which]), H @ atoms, rtol=1e-5)
    assert not mosaic(np.zeros((4, 9), np.float32), lambda which: atoms[which]).any()


@pytest.mark.parametrize("look_ahead", [None, 1, 8])
def test_a_take_as_a_mosaic_of_itself_is_itself(look_ahead: int | None) -> None:
    random = np.random.default_rng(0)
    sound = melody() + 0.02 * random.standard_normal(2 * RATE).astype(np.float32)
    target = Target(np.concatenate([np.zeros(GRID.n_fft, np.float32), sound]), GRID)
    conversion = BeeConversion([target], BeeOptions(), look_ahead)
    assert look_ahead is None or conversion.look_ahead == look_ahead
    result = converted(sound, conversion)[0]
    inner = slice(GRID.n_fft, len(sound) - GRID.n_fft)
    assert level_db(result[inner] - sound[inner]) - level_db(sound) < -10


def test_transpositions_find_a_pitch_that_the_recording_lacks() -> None:
    target = Target(tone(220, 1, RATE), GRID)
    source = tone(247, 1, RATE)
    for steps, pitch in (((0,), 220), ((0, -2, 2), 247)):
        result = converted(source, BeeConversion([transposed(target, step) for step in steps]))[0]
        assert strongest(result[1000:-1000], RATE) == pytest.approx(pitch, abs=3)


def test_amount_silence_loudness_and_place() -> None:
    conversion = BeeConversion([Target(melody(), GRID)], look_ahead=4)
    sound = np.stack([tone(262, 1, RATE, level=0.02), tone(262, 1, RATE, level=0.002)])
    once = converted(sound, conversion)
    assert level_db(once[0, 1000:-1000]) == pytest.approx(level_db(sound[0]), abs=3.0)  # some of it cancels
    assert level_db(once[0]) - level_db(once[1]) == pytest.approx(20, abs=0.1)
    conversion.reset()
    np.testing.assert_array_equal(converted(sound, conversion), once)
    conversion.reset()
    np.testing.assert_allclose(converted(sound, conversion, Controls(0.0)), sound, atol=1e-6)
    conversion.reset()
    assert not converted(np.zeros((2, RATE), np.float32), conversion, Controls(follow=0.0)).any()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"polyphony": 0}, "polyphony must be from 1 to 100"),
        ({"look_ahead": 0}, "look-ahead must be 1"),
        ({"transpose": 30}, "transpose must be"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path: Path, options: dict[str, int], told: str) -> None:
    path = str(tmp_path / "target.wav")
    soundfile.write(path, tone(220, 0.5, RATE), RATE)
    with pytest.raises(InputError, match=told):
        open_conversion("bee", path, sample_rate=RATE, **options)


def test_it_opens_by_its_name_unless_there_is_too_much_to_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "target.wav")
    soundfile.write(path, tone(220, 0.5, RATE), RATE)
    conversion = open_conversion("bee", path, sample_rate=RATE, transpose=1, look_ahead=7)
    assert conversion.look_ahead == 7
    monkeypatch.setattr(bee_conversion, "MOST_ATOMS", 20)
    with pytest.raises(InputError, match="give a shorter recording or transpose less"):
        open_conversion("bee", path, sample_rate=RATE)
