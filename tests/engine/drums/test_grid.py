"""Beats on the grid and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from terzetto.drums.beat import Beat, Meter
from terzetto.drums.drum_map import CLASSES, DRUMS
from terzetto.drums.grid import (
    ActivationMatrix,
    Hvo,
    activations_to_beat,
    activations_to_hvo,
    from_section,
    hvo_to_activations,
    hvo_to_beat,
    to_section,
)
from terzetto.errors import InputError

KICK, SNARE, CLOSED = DRUMS.index("kick"), DRUMS.index("snare"), DRUMS.index("closed hat")


def hvo_bars(fewest: int = 1, most: int = 3) -> st.SearchStrategy[list[Hvo]]:
    shape = Hvo.SHAPE
    velocities = stn.arrays(np.float32, shape, elements=st.floats(0.0625, 1, width=32))
    offsets = stn.arrays(np.float32, shape, elements=st.floats(-0.4375, 0.4375, width=32))
    bar = st.builds(Hvo, stn.arrays(np.bool_, shape), velocities, offsets)
    return st.lists(bar, min_size=fewest, max_size=most)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(hvo_bars())
def test_hvo_comes_back_from_a_beat(bars: list[Hvo]) -> None:
    back = Hvo.bars_of(hvo_to_beat(bars, tempo=97.0))
    assert len(back) == len(bars)
    for before, after in zip(bars, back, strict=True):
        np.testing.assert_array_equal(after.hits, before.hits)
        np.testing.assert_array_equal(after.velocities, before.velocities)
        np.testing.assert_allclose(after.offsets, before.offsets, atol=1e-5)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.lists(st.builds(ActivationMatrix, stn.arrays(np.bool_, ActivationMatrix.SHAPE)), min_size=1, max_size=3))
def test_an_activation_matrix_comes_back_from_a_beat(bars: list[ActivationMatrix]) -> None:
    assert ActivationMatrix.bars_of(activations_to_beat(bars)) == bars


@settings(deadline=None, derandomize=True, max_examples=25)
@given(hvo_bars(4, 4))
def test_four_bars_are_a_section_of_27_by_64(bars: list[Hvo]) -> None:
    section = to_section(bars)
    assert section.shape == (27, 64) and section.dtype == np.float32
    assert from_section(section) == bars
    np.testing.assert_array_equal(section[:, 16:32], bars[1].as_rows())


def test_hits_go_to_the_nearest_step_with_their_distance() -> None:
    # A kick a little early on beat 2, a snare a little late on beat 3, a hat just ahead of bar 2.
    beat = Beat.of([0.98, 2.05, 3.95], [36, 38, 42], [0.5, 1.0, 0.25], bars=2)
    first, second = Hvo.bars_of(beat)
    assert sorted(zip(*np.nonzero(first.hits), strict=True)) == [(KICK, 4), (SNARE, 8)]
    assert first.offsets[KICK, 4] == pytest.approx(-0.08) and first.offsets[SNARE, 8] == pytest.approx(0.2)
    assert first.velocities[KICK, 4] == 0.5 and first.velocities[SNARE, 8] == 1.0
    assert second.hits[CLOSED, 0] and second.hits.sum() == 1
    assert second.offsets[CLOSED, 0] == pytest.approx(-0.2) and second.velocities[CLOSED, 0] == 0.25


def test_the_64_step_grid_has_the_papers_classes() -> None:
    beat = Beat.of(np.arange(9) / 4, [38, 36, 46, 42, 49, 39, 45, 56, 51], 1.0)
    (matrix,) = ActivationMatrix.bars_of(beat)
    rows, steps = np.nonzero(matrix.hits)
    played = [CLASSES[row] for _, row in sorted(zip(steps, rows, strict=True))]
    assert played == [*CLASSES, "cymbal"] and sorted(steps) == list(range(0, 36, 4))


def test_of_two_hits_on_one_step_the_louder_stays_and_of_equal_ones_the_first() -> None:
    flam = Beat.of([0.0, 0.06, 1.0, 1.05], [38, 40, 38, 40], [0.3, 0.9, 0.6, 0.6])
    (bar,) = Hvo.bars_of(flam)
    assert bar.hits.sum() == 2
    assert bar.velocities[SNARE, 0] == np.float32(0.9) and bar.offsets[SNARE, 0] == pytest.approx(0.24)
    assert bar.offsets[SNARE, 4] == 0.0


def test_hits_at_the_very_end_and_before_the_beginning_stay_in_their_bars() -> None:
    (bar,) = Hvo.bars_of(Beat.of([-0.3, 3.96], [36, 38], 0.5, bars=1))
    assert bar.hits[KICK, 0] and bar.offsets[KICK, 0] == -0.5
    assert bar.hits[SNARE, 15] and bar.offsets[SNARE, 15] == 0.5


def test_the_forms_turn_into_each_other() -> None:
    hits = np.zeros(Hvo.SHAPE, np.bool_)
    hits[KICK, 0] = hits[SNARE, 4] = True
    late = Hvo(hits, np.full(Hvo.SHAPE, 0.7, np.float32), np.where(hits, 0.25, 0))
    (fine,) = hvo_to_activations([late])
    assert sorted(zip(*np.nonzero(fine.hits), strict=True)) == [
        (CLASSES.index("snare"), 17),
        (CLASSES.index("kick"), 1),
    ]
    (back,) = activations_to_hvo([fine])
    np.testing.assert_array_equal(back.hits, late.hits)
    np.testing.assert_array_equal(back.offsets, late.offsets)
    assert (back.velocities[hits] == np.float32(0.8)).all()


def test_a_networks_output_becomes_a_bar() -> None:
    rows = np.zeros((27, 16))
    rows[0, 3], rows[1, 5] = 0.5, 0.49
    rows[9, 3], rows[18, 3] = 1.3, -0.7
    bar = Hvo.from_rows(rows)
    assert bar.hits.sum() == 1 and bar.velocities[0, 3] == 1 and bar.offsets[0, 3] == -0.5 and bar.velocities[1, 5] == 0


def test_bars_are_equal_by_what_they_hold_and_cannot_be_changed() -> None:
    hits = np.zeros(Hvo.SHAPE, np.bool_)
    hits[0, 0] = True
    bar = Hvo(hits, np.ones(Hvo.SHAPE, np.float32))
    assert bar == Hvo(hits, np.where(hits, 1, 0)) and hash(bar) == hash(Hvo(hits, np.where(hits, 1, 0)))
    assert bar != Hvo(hits, np.where(hits, 0.5, 0)) and len({bar, Hvo(~hits, np.ones(Hvo.SHAPE))}) == 2
    hits[0, 0] = False
    assert bar.hits[0, 0]
    with pytest.raises(ValueError, match="read-only"):
        bar.velocities[0, 0] = 0.5


def test_bars_that_are_not_of_four_quarters_are_refused_or_skipped() -> None:
    waltz = replace(Beat.of([0.0], [36], 1.0), meters=(Meter(0.0, 3, 4),), length=3.0)
    with pytest.raises(
        InputError, match=r"bar 1 is in 3/4 \(3 quarter notes\); the grid holds bars of 4 quarter notes"
    ):
        Hvo.bars_of(waltz)
    with pytest.raises(InputError, match="bar 1 is in 3/4"):
        ActivationMatrix.bars_of(waltz, skip_other_meters=True)  # there is nothing else
    mixed = replace(
        Beat.of([0.0, 4.0, 7.0], [36, 38, 42], 1.0),
        meters=(Meter(0.0), Meter(4.0, 3, 4), Meter(7.0, 2, 2)),
        length=11.0,
    )
    with pytest.raises(InputError, match="bar 2 is in 3/4"):
        Hvo.bars_of(mixed)
    first, second = Hvo.bars_of(mixed, skip_other_meters=True)
    assert first.hits[KICK, 0] and first.hits.sum() == 1
    assert second.hits[CLOSED, 0] and second.hits.sum() == 1


def test_a_bar_cut_short_by_a_new_time_signature_is_named() -> None:
    cut = replace(Beat.of([0.0], [36], 1.0), meters=(Meter(0.0), Meter(2.0)), length=6.0)
    with pytest.raises(InputError, match="bar 1 is in 4/4, cut short by a change of time signature"):
        Hvo.bars_of(cut)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Hvo(np.zeros((9, 17)), np.zeros((9, 16))), "the hits is 9 × 16; given: 9 × 17"),
        (lambda: Hvo(np.ones((9, 16)), np.full((9, 16), 1.1)), "velocities of a bar lie between 0 and 1"),
        (lambda: Hvo(np.ones((9, 16)), np.ones((9, 16)), np.full((9, 16), 0.6)), "offsets of a bar lie between -0.5"),
        (lambda: Hvo(np.ones((9, 16)), np.full((9, 16), np.nan)), "NaN"),
        (lambda: ActivationMatrix(np.zeros(512, np.bool_)), "8 × 64; given: 512"),
        (lambda: to_section([]), "a section is 4 bars; given: 0"),
        (lambda: from_section(np.zeros((27, 16))), "27 × 64; given: 27 × 16"),
        (lambda: Beat.of([0.0, 1.0], [36], 1.0), "2, 1 and 2 values"),
        (lambda: Beat.of([0.0], [128], 1.0), "0 to 127"),
        (lambda: Beat.of([0.0], [36], 0.0), "velocities are above 0"),
        (lambda: Beat.of([np.nan], [36], 1.0), "finite"),
        (lambda: Beat.of([0.0], [36], 1.0, tempo=0.0), "a tempo is above 0"),
    ],
)
def test_what_is_no_bar_or_beat_is_refused(make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()  # type: ignore[operator]
