"""Warp a passage of a score into the take's time: the path, the notes' moments near it, offsets and pedal along it."""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.score.notes import Score
from terzetto.score.structure import Passage
from terzetto.score.synchrony import RATE, SAMPLE_RATE, Features
from terzetto.score.timing import refine

Float = NDArray[np.float64]

_SHORTEST_NOTE = 0.03  # seconds
_PAD = 25  # features of nothing before and after what is warped


def warping_path(heard: Features, read: Features, passage: Passage) -> Float:
    """Return the path of a passage, (n, 2): seconds of the take, seconds of the score, both strictly rising."""
    from synctoolbox.dtw.mrmsdtw import sync_via_mrmsdtw
    from synctoolbox.dtw.utils import make_path_strictly_monotonic

    starts = [round(passage.take[0] * RATE) - _PAD, round(passage.score[0] * RATE) - _PAD]
    stops = [round(passage.take[1] * RATE) + _PAD, round(passage.score[1] * RATE) + _PAD]
    a, b = (part.part(start, stop) for part, start, stop in zip((heard, read), starts, stops, strict=True))
    with contextlib.redirect_stdout(io.StringIO()):
        path = sync_via_mrmsdtw(
            a.chroma,
            b.chroma,
            a.onsets,
            b.onsets,
            input_feature_rate=RATE,
            step_weights=np.array([1.5, 1.5, 2.0]),
            threshold_rec=10**6,
        )
    return np.asarray(make_path_strictly_monotonic(path).T + np.array(starts), np.float64) / RATE


def carry(
    audio: NDArray[np.float32], score: Score, passages: tuple[Passage, ...], paths: list[Float], tuning: float
) -> tuple[Score, Float, Float]:
    """Return the notes in the take's time, how much each sounds struck, and the whole path."""
    length = len(audio) / SAMPLE_RATE
    kept: list[Score] = []
    strengths: list[Float] = []
    maps: list[Float] = []
    pedal: list[Float] = []
    bars: list[Float] = []
    for passage, path in zip(passages, paths, strict=True):
        first, last = passage.score
        notes = score.select((score.onset >= first - 1e-6) & (score.onset < last))
        if not len(notes):
            continue
        guess = np.interp(notes.onset, path[:, 1], path[:, 0])
        onset, strength = refine(audio, guess, notes.pitch, notes.onset, tuning)
        warp = _Warp(notes.onset, onset, path, length)
        offset = np.maximum(warp(notes.offset), onset + _SHORTEST_NOTE)
        kept.append(replace(notes, onset=onset, offset=offset))
        strengths.append(strength[np.lexsort((notes.pitch, onset))])  # as the score sorts them
        maps.append(warp.table)
        inside = np.clip(score.pedal, first, last)
        pedal.append(warp(inside[inside[:, 1] > inside[:, 0]]))
        here = score.bars[(score.bars[:, 0] >= first) & (score.bars[:, 0] < last)]
        bars.append(np.stack([warp(here[:, 0]), here[:, 1]], axis=1))
    if not kept:
        return score.select(np.zeros(len(score), bool)), np.zeros(0), np.zeros((0, 2))
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in kept])
        for name in ("onset", "offset", "pitch", "velocity", "hand", "track", "right")
        if getattr(score, name) is not None
    }
    order = np.lexsort((columns["pitch"], columns["onset"]))
    whole = replace(score, **columns, pedal=np.concatenate(pedal), bars=np.concatenate(bars))
    return whole, np.concatenate(strengths)[order], np.concatenate(maps)


class _Warp:
    """Seconds of the score to seconds of the take, through the events' refined moments."""

    def __init__(self, score_onset: Float, onset: Float, path: Float, length: float) -> None:
        places, inverse = np.unique(score_onset, return_inverse=True)
        moments = np.bincount(inverse, onset) / np.bincount(inverse)
        moments = np.maximum.accumulate(moments)
        rising = np.concatenate([[True], np.diff(moments) > 1e-3])
        places, moments = places[rising], moments[rising]
        # Before the first and after the last event, as the path goes.
        shift = np.interp([places[0], places[-1]], path[:, 1], path[:, 0])
        before, after = path[path[:, 1] < places[0] - 0.1], path[path[:, 1] > places[-1] + 0.1]
        table = np.concatenate(
            [
                np.stack([before[:, 0] - shift[0] + moments[0], before[:, 1]], axis=1),
                np.stack([moments, places], axis=1),
                np.stack([after[:, 0] - shift[1] + moments[-1], after[:, 1]], axis=1),
            ]
        )
        table = table[(table[:, 0] >= 0) & (table[:, 0] <= length)]
        self.table = table[np.concatenate([[True], (np.diff(table, axis=0) > 0).all(axis=1)])]

    def __call__(self, seconds: Float) -> Float:
        return np.asarray(np.interp(seconds, self.table[:, 1], self.table[:, 0]), np.float64)
