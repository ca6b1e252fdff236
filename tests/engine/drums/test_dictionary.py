"""The shipped dictionary: codes, atoms, and what one can do with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from terzetto.drums.dictionary import Dictionary, open_dictionary
from terzetto.drums.dictionary_drawing import draw_atoms, draw_shift_variance
from terzetto.drums.dictionary_edits import (
    denoise,
    interpolate,
    keep_atoms,
    most_active,
    most_similar,
    recurrence,
    shift_variance,
    shift_variance_of_bars,
    similarity,
    simplify,
    swap_atoms,
)
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import Hvo
from terzetto.errors import InputError, ModelError

KICK, SNARE, HAT, RIDE = (DRUMS.index(name) for name in ("kick", "snare", "closed hat", "ride"))


def bar(*hits: tuple[int, range | tuple[int, ...]]) -> Hvo:
    on = np.zeros(Hvo.SHAPE, bool)
    for drum, steps in hits:
        on[drum, list(steps)] = True
    return Hvo(on, np.full(Hvo.SHAPE, 0.7, np.float32))


ROCK = bar((KICK, (0, 8)), (SNARE, (4, 12)), (HAT, range(0, 16, 2)))
RIDING = bar((KICK, (0, 10)), (SNARE, (4, 12)), (RIDE, range(0, 16, 2)))


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return open_dictionary()


def f1(found: Hvo, truth: Hvo) -> float:
    return float(2 * (found.hits & truth.hits).sum() / (found.hits.sum() + truth.hits.sum()))


def test_a_code_is_sparse_and_decodes_to_the_beat(dictionary: Dictionary) -> None:
    code = dictionary.encode([ROCK] * 4)
    assert code.shape == (100, 64 // dictionary.kernel) and code.min() >= 0
    assert ((code > 0).sum(axis=0) <= dictionary.k).all()
    found = dictionary.decode(code)
    assert len(found) == 4 and all(f1(each, ROCK) > 0.85 for each in found)


def test_a_bar_is_coded_alike_wherever_it_is(dictionary: Dictionary) -> None:
    alone, among = dictionary.encode([ROCK]), dictionary.encode([RIDING, RIDING, ROCK])
    columns = 16 // dictionary.kernel
    assert np.allclose(alone, among[:, -columns:], atol=1e-6)


def test_an_empty_code_is_silence_and_decoding_is_linear(dictionary: Dictionary) -> None:
    silence = np.zeros((100, 16 // dictionary.kernel), np.float32)
    assert not dictionary.decode(silence)[0].hits.any()
    one, other = dictionary.encode([ROCK]), dictionary.encode([RIDING])
    together = dictionary.rows(one) + dictionary.rows(other)
    assert np.allclose(dictionary.rows(one + other), together, atol=1e-5)


def test_atoms_can_be_looked_at_and_heard(dictionary: Dictionary, tmp_path: Path) -> None:
    used = most_active(dictionary, dictionary.encode([ROCK]))
    heard = dictionary.atom_bars(int(used[0]))
    assert len(heard) == 1 and heard[0].hits.any()
    draw_atoms(dictionary, used[:5], tmp_path / "atoms.png")
    draw_shift_variance(dictionary, [ROCK, RIDING], tmp_path / "error.png")
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("atoms.png", "error.png"))
    with pytest.raises(InputError, match="no atom 100; they are numbered 0 to 99"):
        dictionary.atom_bars(100)


def test_denoising_mends_a_bar_by_those_around_it(dictionary: Dictionary) -> None:
    hits = ROCK.hits.copy()
    hits[SNARE, 4] = False
    hits[DRUMS.index("crash"), 7] = True
    damaged = Hvo(hits, np.full(Hvo.SHAPE, 0.7, np.float32))
    mended = denoise(dictionary, [ROCK, damaged, ROCK, ROCK])
    assert f1(mended[1], ROCK) > f1(damaged, ROCK)
    assert not mended[1].hits[DRUMS.index("crash"), 7]
    kept = mended[0].hits & ROCK.hits
    assert np.array_equal(mended[0].velocities[kept], ROCK.velocities[kept])


def test_denoising_obeys_its_thresholds(dictionary: Dictionary) -> None:
    assert denoise(dictionary, [ROCK], keep=-9, add=9) == [ROCK]
    assert not denoise(dictionary, [ROCK], keep=9, add=9)[0].hits.any()
    with pytest.raises(InputError, match="recurring = 2"):
        denoise(dictionary, [ROCK], recurring=2)


def test_recurrence_counts_bars_of_a_section() -> None:
    hits = np.zeros((9, 5 * 16), bool)
    hits[0, [0, 16, 64]] = True
    shares = recurrence(hits)
    assert shares[0, 0] == shares[0, 48] == 0.5 and shares[0, 64] == 1.0 and shares[0, 1] == 0.0


def test_fewer_atoms_make_a_simpler_beat(dictionary: Dictionary) -> None:
    code = dictionary.encode([RIDING, ROCK])
    order = most_active(dictionary, code)
    kept = keep_atoms(dictionary, code, 3)
    assert set(np.flatnonzero(kept.any(axis=1))) == set(order[:3])
    assert np.array_equal(keep_atoms(dictionary, code, 100), code)
    few, all_of_them = simplify(dictionary, [RIDING, ROCK], 3), simplify(dictionary, [RIDING, ROCK], 100)
    assert sum(each.hits.sum() for each in few) < sum(each.hits.sum() for each in all_of_them)
    with pytest.raises(InputError, match="keep at least 1"):
        simplify(dictionary, [ROCK], 0)


def test_interpolation_goes_from_one_to_the_other(dictionary: Dictionary) -> None:
    one, other = dictionary.encode([ROCK, ROCK]), dictionary.encode([RIDING])
    way = interpolate(one, other, 5)
    assert len(way) == 5 and np.array_equal(way[0], one)
    assert np.allclose(way[-1], np.tile(other, 2), atol=1e-6)
    half = 16 // dictionary.kernel
    part = interpolate(one, other, 3, slice(half, None))[-1]
    assert np.array_equal(part[:, :half], one[:, :half]) and np.allclose(part[:, half:], other, atol=1e-6)
    for wrong in (lambda: interpolate(one, other, 1), lambda: interpolate(one, other[:5], 3)):
        with pytest.raises(InputError):
            wrong()


def test_swapping_gives_one_beat_the_atoms_of_another(dictionary: Dictionary) -> None:
    one, other = dictionary.encode([ROCK]), dictionary.encode([RIDING])
    swapped = swap_atoms(dictionary, one, other, 4)
    gone = set(most_active(dictionary, one)[:4]) - set(most_active(dictionary, other)[:4])
    assert not swapped[sorted(gone)].any()
    assert swapped.sum() == pytest.approx(one.sum(), rel=1e-5)
    assert similarity(swapped, other) > similarity(one, other)
    assert np.allclose(swap_atoms(dictionary, one, one, 4), one)


def test_similarity_is_the_cosine_of_mean_activity(dictionary: Dictionary) -> None:
    one, other = dictionary.encode([ROCK]), dictionary.encode([RIDING])
    assert similarity(one, dictionary.encode([ROCK] * 3)) == pytest.approx(1.0, abs=1e-5)
    assert 0 <= similarity(one, other) < 0.95
    assert similarity(one, np.zeros_like(one)) == 0.0
    assert [index for index, _ in most_similar(one, [other, one])] == [1, 0]


def test_shift_variance_finds_the_bar_that_is_no_pattern(dictionary: Dictionary) -> None:
    odd = Hvo(np.random.default_rng(0).random(Hvo.SHAPE) < 0.3, np.full(Hvo.SHAPE, 0.7, np.float32))
    bars = [ROCK, ROCK, odd, ROCK]
    assert shift_variance(dictionary, bars).shape == (64,)
    assert int(shift_variance_of_bars(dictionary, bars).argmax()) == 2


def test_what_cannot_be_read_is_refused(dictionary: Dictionary) -> None:
    with pytest.raises(InputError, match="no bars"):
        dictionary.encode([])
    with pytest.raises(InputError, match="given: 27 × 5"):
        dictionary.activity(np.zeros((27, 5)))
    with pytest.raises(InputError, match="NaN"):
        dictionary.activity(np.full((27, 16), np.nan))
    with pytest.raises(InputError, match="given: 7 × 4"):
        dictionary.decode(np.zeros((7, 4)))
    with pytest.raises(ModelError, match="needed is one for 'drum-dictionary'"):
        open_dictionary("transcription")
