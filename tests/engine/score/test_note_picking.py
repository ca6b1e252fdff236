"""Notes out of probabilities: found, refined between frames, ended where they stop."""

from __future__ import annotations

import numpy as np

from terzetto.audio.pitch_spectra import FRAME_RATE
from terzetto.score.note_picking import OFFSET, ONSET, SOUNDING, VELOCITY, Thresholds, pick_notes


def drawn(notes: list[tuple[float, float, int, float]], frames: int = 300) -> np.ndarray:
    """What a model that knows would say: hills of ± 2.5 frames at onsets and ends."""
    answer = np.zeros((4, frames, 88), np.float32)
    time = np.arange(frames)
    for onset, end, pitch, velocity in notes:
        key = pitch - 21
        for head, at in ((ONSET, onset), (OFFSET, end)):
            hill = np.maximum(1 - np.abs(time - at * FRAME_RATE) / 2.5, 0)
            answer[head, :, key] = np.maximum(answer[head, :, key], hill)
        answer[SOUNDING, round(onset * FRAME_RATE) : round(end * FRAME_RATE), key] = 1.0
        answer[VELOCITY, hill_of(onset, time), key] = velocity
    return answer


def hill_of(onset: float, time: np.ndarray) -> np.ndarray:
    return np.abs(time - onset * FRAME_RATE) < 2.5


def test_notes_come_back_to_the_millisecond() -> None:
    notes = [(0.503, 1.21, 60, 0.5), (0.51, 2.0, 64, 0.25), (1.3117, 1.9, 60, 0.75), (3.0, 4.5, 108, 0.125)]
    score, certain = pick_notes(drawn(notes), Thresholds())
    assert score.pitch.tolist() == [60, 64, 60, 108]
    np.testing.assert_allclose(score.onset, [note[0] for note in notes], atol=1e-3)
    np.testing.assert_allclose(score.offset, [note[1] for note in notes], atol=0.011)
    np.testing.assert_allclose(score.velocity, [note[3] for note in notes], atol=1e-6)
    assert (certain > 0.75).all()


def test_a_key_struck_again_ends_the_note_before() -> None:
    answer = drawn([(0.5, 3.0, 60, 0.5), (1.5, 3.0, 60, 0.5)])
    score, _ = pick_notes(answer, Thresholds())
    np.testing.assert_allclose(score.onset, [0.5, 1.5], atol=1e-3)
    np.testing.assert_allclose(score.offset, [1.5, 3.0], atol=0.011)


def test_a_short_drop_does_not_end_a_note_and_the_take_does() -> None:
    answer = drawn([(0.5, 5.9, 60, 0.5)])
    answer[SOUNDING, 100:102, 39] = 0.0
    score, _ = pick_notes(answer, Thresholds(), end=4.0)
    np.testing.assert_allclose(score.offset, [4.0])


def test_nothing_gives_nothing() -> None:
    score, certain = pick_notes(np.zeros((4, 50, 88), np.float32), Thresholds())
    assert len(score) == len(certain) == 0
    score, _ = pick_notes(np.zeros((4, 0, 88), np.float32), Thresholds())
    assert len(score) == 0
