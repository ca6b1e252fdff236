from dataclasses import replace

import numpy as np
import pytest

from terzetto.audio.spectra import FrameGrid
from terzetto.hands import activations
from terzetto.hands.activations import activate
from terzetto.hands.parts import group
from terzetto.hands.sampling import choose_frames, runs
from terzetto.hands.templates import TemplateLayout
from terzetto.score.notes import Score

GRID = FrameGrid(22050, 4096, 1024)


def score_of(*notes: tuple[float, float, int, str]) -> Score:
    return Score.from_notes([(on, off, pitch, 0.5, hand) for on, off, pitch, hand in notes])


def test_notes_are_allowed_from_before_their_onset_until_they_have_rung() -> None:
    score = score_of((1.0, 2.0, 60, "right"))
    layout = TemplateLayout.of(score)
    H = activate(score, layout, GRID, 0, 200).initial()
    time = np.flatnonzero(H[: layout.harmonic_rows].any(axis=0)) * GRID.hop_seconds
    assert 1.0 - activations.BEFORE <= time[0] <= 1.0
    assert time[-1] == pytest.approx(2.0 + activations.RING + activations.AFTER, abs=GRID.hop_seconds)
    onset = np.flatnonzero(H[layout.harmonic_rows]) * GRID.hop_seconds
    assert onset[-1] <= 1.0 + activations.ONSET


def test_stages_follow_each_other_and_never_overlap() -> None:
    score = score_of((1.0, 2.0, 60, "right"))
    layout = TemplateLayout.of(score)
    H = activate(score, layout, GRID, 0, 200).initial()[: layout.harmonic_rows]
    assert ((H > 0).sum(axis=0) <= 1).all()
    first = [np.flatnonzero(row)[0] * GRID.hop_seconds - 1.0 for row in H]
    assert first[1] == pytest.approx(layout.edges[0], abs=GRID.hop_seconds)
    assert first[2] == pytest.approx(layout.edges[1], abs=GRID.hop_seconds)


def test_a_known_pedal_ends_the_note_where_the_damper_falls() -> None:
    score = replace(score_of((1.0, 1.5, 60, "right")), pedal=np.array([[1.2, 4.0]]))
    H = activate(score, TemplateLayout.of(score), GRID, 0, 200).initial()
    last = np.flatnonzero(H.any(axis=0))[-1] * GRID.hop_seconds
    assert last == pytest.approx(4.0 + activations.AFTER, abs=GRID.hop_seconds)


def test_a_piece_of_the_frames_is_a_piece_of_the_whole() -> None:
    score = score_of((0.0, 1.0, 60, "right"), (0.7, 2.0, 48, "left"), (2.5, 3.0, 60, "left"), (6.0, 7.0, 72, "right"))
    layout = TemplateLayout.of(score)
    whole = activate(score, layout, GRID, 0, 200)
    piece = activate(score, layout, GRID, 37, 91)
    assert np.array_equal(piece.initial(), whole.initial()[:, 37:91])
    assert np.array_equal(piece.sounding(), whole.sounding()[:, 37:91])


@pytest.mark.parametrize("by", ["hand", "pitch", "note", "track"])
def test_parts_share_every_energy_completely(by: str) -> None:
    score = score_of((0.0, 1.0, 60, "right"), (0.2, 2.0, 60, "left"), (0.5, 1.5, 48, "left"), (1.2, 2.0, 60, "right"))
    layout = TemplateLayout.of(score)
    notes = activate(score, layout, GRID, 0, 120)
    H = notes.initial() * np.random.default_rng(0).random((layout.rows, 120), np.float32)
    grouping = group(score, by)
    parts = notes.divide(H, grouping.part)
    total = sum(parts.dense(i) ** 2 for i in range(len(grouping.names)))
    assert np.allclose(total, H**2, atol=1e-6)


def test_a_key_both_hands_strike_goes_to_the_hand_that_strikes_louder() -> None:
    notes = [(0.0, 1.0, 60, 0.9, "right"), (0.0, 1.0, 60, 0.3, "left"), (2.0, 3.0, 62, 0.5, "left")]
    score = Score.from_notes(notes)
    layout = TemplateLayout.of(score)
    laid = activate(score, layout, GRID, 0, 100)
    H = laid.initial()
    parts = laid.divide(H, score.hand)
    left, right = parts.dense(0)[:, 5].sum(), parts.dense(1)[:, 5].sum()
    # Strengths are squares of velocities.
    assert right / left == pytest.approx((0.9 / 0.3) ** 2, rel=1e-3)


def test_a_note_in_doubt_is_shared_as_its_probability() -> None:
    score = score_of((0.0, 1.0, 60, "right"), (0.0, 1.0, 48, "left"), (0.0, 1.0, 72, "right"), (0.0, 0.8, 55, "left"))
    layout = TemplateLayout.of(score)
    notes = activate(score, layout, GRID, 0, 60)
    H = notes.initial()
    likely = {48: 0.0, 55: 0.3, 60: 0.5, 72: 1.0}
    parts = notes.divide(H, score.hand, np.array([likely[int(pitch)] for pitch in score.pitch]))
    left, right = parts.dense(0), parts.dense(1)
    assert np.allclose(left**2 + right**2, H**2, atol=1e-6)
    for place, pitch in enumerate(layout.pitches):
        rows = layout.rows_of(place)
        assert (right[rows] ** 2).sum() == pytest.approx(likely[int(pitch)] * (H[rows] ** 2).sum(), rel=1e-4)
    sure = notes.divide(H, score.hand, score.hand.astype(float))
    assert np.allclose(sure.dense(0), notes.divide(H, score.hand).dense(0))


def test_frames_to_learn_from_hear_every_pitch() -> None:
    common = [(float(t), t + 0.5, 60 + t % 5, "right") for t in range(600)]
    rare = [(333.3, 333.6, 30, "left"), (597.1, 597.3, 100, "right")]
    score = score_of(*common, *rare)
    layout = TemplateLayout.of(score)
    frames = GRID.frames_for(600 * 22050)
    chosen = choose_frames(score, layout, GRID, frames, 2000)
    assert len(chosen) <= 2000 and (np.diff(chosen) > 0).all() and chosen[-1] < frames
    heard = activate(score, layout, GRID, 0, frames).sounding()[:, chosen]
    assert heard.any(axis=1).all()
    assert np.array_equal(choose_frames(score, layout, GRID, 1500, 2000), np.arange(1500))


def test_runs_cover_their_numbers() -> None:
    numbers = np.array([0, 1, 2, 7, 8, 20])
    assert runs(numbers) == [(0, 3), (7, 9), (20, 21)]
