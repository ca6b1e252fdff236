"""Aligning: takes in another tempo, parts of takes, repeats, and what is no take of the score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pieces import RATE, Float, compose, performed, play, take

from terzetto.audio.files import ArrayTake, read_audio
from terzetto.errors import InputError
from terzetto.evaluate.hands_benchmark import in_condition, read_hands
from terzetto.score.alignment import Alignment, align
from terzetto.score.notes import Score
from terzetto.score.read import read_score
from terzetto.score.timing import refine

SHEET = compose(40, seed=3)  # 20 s


def rubato(seconds: Float) -> Float:
    """Time that starts at 0.7 s and runs from 0.75 to 1.3 times as long as the sheet's."""
    return np.asarray(0.7 + 1.02 * seconds + 1.2 * np.sin(seconds / 4.5))


PLAYED = performed(SHEET, rubato)
AUDIO = play(PLAYED)


def errors(found: Score, true: Score) -> Float:
    """Distances in seconds to the nearest true onset of the same pitch."""
    return np.array(
        [
            np.abs(true.onset[true.pitch == pitch] - onset).min()
            for onset, pitch in zip(found.onset, found.pitch, strict=True)
        ]
    )


@pytest.fixture(scope="module")
def aligned() -> Alignment:
    return align(take(AUDIO), SHEET)


def test_a_take_in_a_moving_tempo(aligned: Alignment) -> None:
    assert len(aligned.score) == len(SHEET) and aligned.findings == ()
    off = errors(aligned.score, PLAYED)
    assert np.median(off) < 0.012 and np.quantile(off, 0.9) < 0.05 and np.mean(off < 0.1) > 0.97
    assert (aligned.score.offset > aligned.score.onset).all()
    order = np.argsort(aligned.score.pitch, kind="stable"), np.argsort(PLAYED.pitch, kind="stable")
    lasts = [(score.offset - score.onset)[index] for score, index in zip((aligned.score, PLAYED), order, strict=True)]
    assert np.median(np.abs(lasts[0] - lasts[1])) < 0.03
    np.testing.assert_array_equal(aligned.score.hand[order[0]], PLAYED.hand[order[1]])


def test_what_an_alignment_tells(aligned: Alignment) -> None:
    assert 0 < aligned.cost < 0.3 < aligned.limit and aligned.confidence > 0.85 and abs(aligned.tuning) < 5
    assert (np.diff(aligned.path, axis=0) > 0).all()
    assert np.abs(aligned.path[:, 0] - rubato(aligned.path[:, 1])).max() < 0.5
    ends = [(region.start, region.end) for region in aligned.regions]
    assert ends[0][0] == 0 and ends[-1][1] == pytest.approx(len(AUDIO) / RATE)
    assert all(0 <= region.confidence <= 1 for region in aligned.regions)
    report = aligned.to_json()
    assert set(report) == {"cost", "threshold", "confidence", "regions", "findings"}


def test_the_keys_struck_are_nearer_than_any_path(aligned: Alignment) -> None:
    guess = PLAYED.onset + np.random.default_rng(0).normal(0, 0.03, len(PLAYED))
    found, strength = refine(AUDIO, guess, PLAYED.pitch, PLAYED.onset, 0.0)
    assert np.median(np.abs(found - PLAYED.onset)) < 0.012 < np.median(np.abs(guess - PLAYED.onset))
    wrong = refine(AUDIO, guess, PLAYED.pitch, PLAYED.onset, 50.0)[1]
    assert strength.mean() > 2 * 0.4 and strength.mean() > wrong.mean()


def test_pedal_and_bars_go_along() -> None:
    pedal, bars = np.array([[2.0, 4.0], [19.0, 25.0]]), np.array([[0.0, 1], [4.0, 2]])
    marked = Score(
        SHEET.onset, SHEET.offset, SHEET.pitch, SHEET.velocity, SHEET.hand, SHEET.track, pedal=pedal, bars=bars
    )
    found = align(take(AUDIO), marked).score
    np.testing.assert_allclose(found.pedal[0], rubato(pedal[0]), atol=0.1)
    assert found.pedal[1, 1] <= len(AUDIO) / RATE
    np.testing.assert_allclose(found.bars[:, 0], rubato(bars[:, 0]), atol=0.1)


def test_silence_and_applause_around_are_no_matter() -> None:
    random = np.random.default_rng(0)
    applause = random.normal(0, 0.02, 5 * RATE) * (1 + random.random(5 * RATE))
    found = align(take(np.zeros(4 * RATE), AUDIO, applause), SHEET)
    off = errors(found.score, performed(PLAYED, lambda seconds: seconds + 4))
    assert len(found.score) == len(SHEET) and np.quantile(off, 0.9) < 0.05


def test_a_take_that_begins_later_or_ends_before_the_sheet() -> None:
    # How likely a note is the right hand's goes with it.
    found = align(take(AUDIO[: 12 * RATE]), SHEET.with_hands(SHEET.hand, SHEET.pitch / 127))
    assert len(found.score) < 0.75 * len(SHEET) and "The take ends at" in found.findings[-1]
    assert found.score.right is not None and np.array_equal(found.score.right, found.score.pitch / 127)
    assert np.quantile(errors(found.score, PLAYED), 0.9) < 0.05
    found = align(take(AUDIO[8 * RATE :]), SHEET)
    assert "The take begins at" in found.findings[0] and len(found.score) < 0.75 * len(SHEET)
    assert np.quantile(errors(found.score, performed(PLAYED, lambda seconds: np.maximum(seconds - 8, 0))), 0.9) < 0.05


def test_repeats_and_cuts_are_reported_with_their_times() -> None:
    half = round(float(rubato(np.array([10.0]))[0]) * RATE)
    found = align(take(AUDIO[:half], AUDIO), SHEET)
    assert len(found.score) == len(SHEET)
    (said,) = found.findings
    assert "once more, a repeat that is not written out" in said and "--repeats" in said
    nothing = [region.confidence for region in found.regions if region.end < half / RATE]
    assert nothing and max(nothing) == 0.0
    long = compose(80, seed=4)
    audio = play(long)
    found = align(take(audio[: 12 * RATE], audio[26 * RATE :]), long)
    assert "leaves out the score from 0:1" in found.findings[0] and "to 0:2" in found.findings[0]


@pytest.mark.parametrize("cents", [-45, 50])
def test_tunings_up_to_half_a_semitone(cents: int) -> None:
    found = align(take(play(PLAYED, cents=cents)), SHEET)
    assert np.quantile(errors(found.score, PLAYED), 0.9) < 0.05


def speech(seconds: float) -> Float:
    """Vowels at a gliding pitch, with pauses."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time) + 15 * np.sin(2 * np.pi * 2.3 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(k * phase) / k * np.exp(-((k * 120 - 700) ** 2) / 4e5) for k in range(1, 25))
    return np.asarray(0.2 * voice * (np.sin(2 * np.pi * 1.9 * time) > -0.3))


@pytest.mark.parametrize("kind", ["another piece", "noise", "speech", "one tone"])
def test_what_does_not_play_the_score_is_refused(kind: str) -> None:
    audio = {
        "another piece": lambda: play(compose(40, seed=11)),
        "noise": lambda: np.random.default_rng(0).normal(0, 0.1, 15 * RATE),
        "speech": lambda: speech(15.0),
        "one tone": lambda: 0.3 * np.sin(2 * np.pi * 440 * np.arange(15 * RATE) / RATE),
    }[kind]()
    with pytest.raises(InputError, match="the take does not play this score") as refused:
        align(take(audio), SHEET)
    assert "\n" not in str(refused.value)


def test_silence_and_scraps_are_refused() -> None:
    with pytest.raises(InputError, match="the take is silent"):
        align(take(np.zeros(10 * RATE)), SHEET)
    with pytest.raises(InputError, match="too short to be aligned"):
        align(take(AUDIO[:RATE]), SHEET)
    with pytest.raises(InputError, match="no notes"):
        align(take(AUDIO), SHEET.select(np.zeros(len(SHEET), bool)))


@pytest.mark.data
def test_quantised_scores_of_real_performances(data: Path) -> None:
    """Condition (d) of the benchmark on two of its takes, and each with the other's score."""
    folder = data / "piano" / "rendered_hands"
    sheets, takes = [], []
    for name in ("bach_bwv875_fugue", "chopin_op10no3"):
        mix, _, rate = read_hands({f"{side}_hand": folder / f"{name}.{side[0]}h.flac" for side in ("left", "right")})
        true = read_score(folder / f"{name}.mid")
        sheets.append(in_condition(true, "d", 0))
        takes.append(ArrayTake(mix, rate))
        off = errors(align(takes[-1], sheets[-1]).score, true)
        assert np.median(off) < 0.015 and np.mean(off < 0.05) > 0.9
    with pytest.raises(InputError, match="alignment cost"):
        align(takes[0], sheets[1])


@pytest.mark.data
def test_a_real_recording(data: Path) -> None:
    folder = data / "piano" / "chopin_op28no4"
    name = "FMP_C8_Audio_Chopin_Op028-04_SMD_beginning"
    true = read_score(folder / f"{name}.csv")
    audio, rate = read_audio(folder / f"{name}.wav")
    found = align(ArrayTake(audio, rate), in_condition(true, "d", 0))
    assert np.median(errors(found.score, true)) < 0.03 and found.confidence > 0.7
