"""Does a score lie where the take plays it?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.engine.score.pieces import RATE, compose, performed, play

from terzetto.audio.files import ArrayTake, FileTake
from terzetto.demo.run import EXCERPT, excerpt
from terzetto.evaluate.hands_benchmark import in_condition, read_hands, validate
from terzetto.score.fit import FITS, fit
from terzetto.score.notes import Score
from terzetto.score.read import read_score


def moved(score: Score, seconds: float = 0.0, slower: float = 1.0) -> Score:
    return replace(score, onset=score.onset * slower + seconds, offset=score.offset * slower + seconds)


@pytest.fixture(scope="module")
def demo() -> tuple[ArrayTake, Score]:
    with excerpt() as folder, FileTake(folder / f"{EXCERPT}.flac") as take:
        return ArrayTake(take.read(0, take.frames), take.sample_rate), read_score(folder / f"{EXCERPT}.mid")


def test_the_takes_own_score_fits(demo: tuple[ArrayTake, Score]) -> None:
    take, score = demo
    found = fit(take, score)
    assert found is not None and 0.9 < found <= 1.0


def test_onsets_may_be_a_little_off(demo: tuple[ArrayTake, Score]) -> None:
    take, score = demo
    random = np.random.default_rng(0)
    found = fit(take, replace(score, onset=np.maximum(score.onset + random.normal(0, 0.03, len(score)), 0)))
    assert found is not None and found > FITS + 0.1


@pytest.mark.parametrize(("seconds", "slower"), [(0.2, 1.0), (1.0, 1.0), (0.0, 1.03), (0.0, 0.8)])
def test_another_time_does_not(demo: tuple[ArrayTake, Score], seconds: float, slower: float) -> None:
    take, score = demo
    found = fit(take, moved(score, seconds, slower))
    assert found is not None and found < FITS - 0.05


def test_another_piece_does_not() -> None:
    played = compose(24, seed=5)
    other = performed(compose(24, seed=6), lambda seconds: 0.93 * seconds)
    found = fit(ArrayTake(play(played), RATE), other)
    assert found is not None and found < FITS - 0.1


def test_what_tells_nothing_is_told_apart_from_a_bad_fit() -> None:
    score = compose(24, seed=5)
    silent = ArrayTake(np.zeros(10 * RATE, np.float32), RATE)
    assert fit(silent, score) is None
    assert fit(ArrayTake(play(score), RATE), moved(score, 100.0)) is None, "none of its notes is in the take"
    assert fit(ArrayTake(play(score), RATE), score.select(np.arange(len(score)) < 5)) is None


def test_a_long_take_is_compared_in_excerpts() -> None:
    """A score that is right at first and drifts away does not fit."""
    score = compose(160, seed=7)
    take = ArrayTake(play(score), RATE)
    right = fit(take, score)
    drifts = fit(take, performed(score, lambda seconds: seconds + 0.2 * np.maximum(seconds - 20, 0)))
    assert right is not None and right > 0.9
    assert drifts is not None and drifts < FITS


@pytest.mark.data
def test_real_performances_fit_and_their_sheets_do_not(data: Path) -> None:
    for index, (pair, path) in enumerate(validate(data / "piano" / "rendered_hands", "acd").values()):
        mix, _, rate = read_hands(pair)
        take, score = ArrayTake(mix, rate), read_score(path)
        found = {condition: fit(take, in_condition(score, condition, index)) for condition in "acd"}
        assert all(value is not None for value in found.values())
        assert min(found["a"], found["c"]) > FITS + 0.05, (path.name, found)  # type: ignore[type-var]
        assert found["d"] < FITS - 0.2, (path.name, found)  # type: ignore[operator]
    folder = data / "piano" / "chopin_op28no4"
    name = "FMP_C8_Audio_Chopin_Op028-04_SMD"
    with FileTake(folder / f"{name}.mp3") as recording:
        real = fit(recording, read_score(folder / f"{name}.csv"))
    assert real is not None and real > FITS + 0.1
