"""From a model's probabilities to notes: tops of the onset curves, refined between frames, held while they sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.pitch_spectra import FRAME_RATE, LOWEST_PITCH
from terzetto.score.notes import UNKNOWN, Score

Float = NDArray[np.float32]
ONSET, SOUNDING, OFFSET, VELOCITY = range(4)
# Frames between two strokes of one key, at least: 60 ms.
_APART = 3
# A note that falls silent for less than this, in frames, goes on.
_DROPOUT = 3
_SHORTEST = 0.03


@dataclass(frozen=True)
class Thresholds:
    """From which probability on a key was struck, sounds, and is damped; and by how much reported onsets are moved."""

    onset: float = 0.4
    sounding: float = 0.4
    offset: float = 0.5
    delay: float = 0.0


def pick_notes(probabilities: Float, thresholds: Thresholds, end: float = np.inf) -> tuple[Score, Float]:
    """Return the notes in probabilities, and each one's onset probability.

    Parameters
    ----------
    probabilities : (4, frames, 88)
        Of onset, sounding, offset, and the velocity at an onset.
    end
        Of the take, in seconds: no note goes beyond.
    """
    onset, sounding, offset, velocity = probabilities
    frame, key = _tops(onset, thresholds.onset)
    order = np.lexsort((frame, key))
    frame, key = frame[order], key[order]
    begin = (frame + _refinement(onset, frame, key)) / FRAME_RATE - thresholds.delay
    last = _ends(frame, key, sounding, offset, thresholds) / FRAME_RATE
    following = np.append(begin[1:], np.inf)
    last = np.where(np.append(key[1:] == key[:-1], False) if len(key) else last > 0, np.minimum(last, following), last)
    begin = np.maximum(begin, 0.0)
    stop = np.maximum(np.minimum(last, end), begin + _SHORTEST)
    loud = np.clip(velocity[frame, key], 1 / 127, 1.0)
    count = len(frame)
    order = np.lexsort((key, begin))
    score = Score(
        begin[order], stop[order], key[order] + LOWEST_PITCH, loud[order], np.full(count, UNKNOWN),
        np.zeros(count, np.int64), ("piano",),
    )  # fmt: skip
    return score, onset[frame, key][order]


def _tops(curve: Float, threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (frame, key) of what is at least the threshold and the highest within ± 2 frames."""
    padded = np.pad(curve, ((_APART - 1, _APART - 1), (0, 0)), constant_values=-1.0)
    length = len(curve)
    top = curve >= threshold
    for shift in range(1, _APART):
        top &= curve >= padded[_APART - 1 + shift :][:length]
        top &= curve > padded[_APART - 1 - shift :][:length]
    frame, key = np.nonzero(top)
    return frame, key


def _refinement(curve: Float, frame: NDArray[np.int64], key: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return where between the frames the top of a triangular hill lies, −0.5..0.5."""
    before = curve[np.maximum(frame - 1, 0), key].astype(np.float64)
    after = curve[np.minimum(frame + 1, len(curve) - 1), key].astype(np.float64)
    here = curve[frame, key].astype(np.float64)
    return np.asarray((after - before) / np.maximum(2 * (here - np.minimum(before, after)), 1e-6)).clip(-0.5, 0.5)


def _ends(
    frame: NDArray[np.int64], key: NDArray[np.int64], sounding: Float, offset: Float, thresholds: Thresholds
) -> NDArray[np.float64]:
    """Return the frame at which each note has stopped sounding: when it is heard no more, or its damper falls."""
    length = len(sounding)
    ends = np.full(len(frame), float(length))
    for each in np.unique(key):
        notes = np.flatnonzero(key == each)
        silent = sounding[:, each] < thresholds.sounding
        run = np.convolve(silent, np.ones(_DROPOUT), "full")[_DROPOUT - 1 :] == _DROPOUT  # silent from here on
        gone = np.flatnonzero(run)
        damped = _tops(offset[:, each : each + 1], thresholds.offset)[0]
        for note in notes:
            after = gone[np.searchsorted(gone, frame[note] + 2) :]
            fall = damped[np.searchsorted(damped, frame[note] + 2) :]
            ends[note] = min(after[0] if len(after) else length, fall[0] if len(fall) else length)
    return ends
