"""Align a score that knows no times of the take: a sheet, a quantised MIDI, another performance.

Four steps: the passages of the take that play the score (`terzetto.score.structure`), in each a warping path by
chroma and onset features in multiscale DTW (synctoolbox), the moments of the notes by the keys that are struck
(`terzetto.score.timing`), and offsets and pedal carried along.
"""

from __future__ import annotations

import contextlib
import io
import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import Take
from terzetto.errors import InputError
from terzetto.progress import Progress, silent
from terzetto.score.notes import Score
from terzetto.score.passages import chain, describe, extend
from terzetto.score.structure import Passage, Structure, find_structure
from terzetto.score.synchrony import RATE, SAMPLE_RATE, Features, mono, score_features, take_features, tuning_of
from terzetto.score.timing import refine

Float = NDArray[np.float64]

THRESHOLDS = ((10.0, 0.34), (30.0, 0.4))
"""Alignment cost above which a score is another piece's, in takes up to 10 s and from 30 s on; see docs/hands.md."""
DOUBTFUL = 0.34
"""Alignment cost above which a finding says so."""
REGION = 5.0
"""Length in seconds of the regions that get a confidence."""
_QUIETEST = 1e-4  # peak of a take that is silent
_SHORTEST_TAKE = 3.0
_SHORTEST_NOTE = 0.03
_CLEAR_TUNING = 35.0  # cents
_BLOCK = 441  # samples
_AUDIBLE = 0.01  # of the loud blocks' peaks
_LEAD = 0.1  # seconds kept before the first sound
_PAD = 25  # features of nothing before and after what is warped
_STRUCK = 0.6  # strength of a strike that is beyond doubt
_FEWEST_STRUCK = 0.4  # share of the notes
_HOPELESS = 0.4  # cost of the passages alone above which nothing finer need be asked
_UNSURE, _SURE = 0.15, 0.45  # agreement of the keys that is chance, and beyond doubt
_SMOOTH = 21  # features over which keys are compared
_STAGE = "aligning"


@dataclass(frozen=True)
class Region:
    """A stretch of the take, in seconds, and how sure its notes' times are, 0..1 (0: nothing of the score is there)."""

    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Alignment:
    """A score in the take's time.

    Attributes
    ----------
    score : Score
        The notes that the take plays, pedal included, in seconds of the take.
    path : float64 (n, 2)
        Seconds of the take, seconds of the score given; both rise.
    cost : float
        0..1: the mean of the chroma's cosine distance and of one less the correlation of the keys' energies along the
        path. 0.2 to 0.3 is usual, 0.5 is chance; refused above ``limit``.
    limit : float
        See `THRESHOLDS`.
    regions : tuple of Region
    findings : tuple of str
        What a user should know, a sentence each: what the take leaves out, repeats, adds.
    tuning : float
        In cents above 440 Hz.
    """

    score: Score
    path: Float
    cost: float
    limit: float
    regions: tuple[Region, ...]
    findings: tuple[str, ...]
    tuning: float

    @property
    def confidence(self) -> float:
        """The mean over the regions that hold notes."""
        sure = [region.confidence for region in self.regions if region.confidence > 0]
        return float(np.mean(sure)) if sure else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return cost, confidences and findings, ready for JSON."""
        return {
            "cost": round(self.cost, 3),
            "threshold": round(self.limit, 3),
            "confidence": round(self.confidence, 3),
            "regions": [
                {"start": round(r.start, 3), "end": round(r.end, 3), "confidence": round(r.confidence, 3)}
                for r in self.regions
            ],
            "findings": list(self.findings),
        }


def align(take: Take, score: Score, progress: Progress = silent) -> Alignment:
    """Align a score with a take of the same piece.

    Parameters
    ----------
    take
        The recording. Silence or applause before and after, tempi from half to twice the score's, and any tuning are
        tolerated.
    score
        Its times may be those of a sheet; velocities are kept and not used.

    Raises
    ------
    InputError
        The take is silent or too short, or does not play this score: another piece, or no piano.
    """
    length = take.frames / take.sample_rate
    if length < _SHORTEST_TAKE:
        raise InputError(f"a take of {length:.2f} s is too short to be aligned; it needs {_SHORTEST_TAKE:g} s at least")
    if not len(score):
        raise InputError("the score has no notes")
    audio = mono(take)
    if float(np.abs(audio).max(initial=0.0)) < _QUIETEST:
        raise InputError("the take is silent: there is nothing to align the score with")
    score = _from_zero(score)
    read = score_features(score)
    progress(_STAGE, 0.05)
    lengths, limits = zip(*THRESHOLDS, strict=True)
    limit = float(np.interp(length, np.array(lengths), np.array(limits)))
    tuning, heard, structure = _listen(audio, read)
    if structure.cost > _HOPELESS:
        _check(structure.cost, limit)
    progress(_STAGE, 0.6)
    passages, others = chain(structure.passages)
    passages = _from_first_sound(audio, extend(passages, length, score))
    paths = [_within(heard, read, passage) for passage in passages]
    agreement = [_agreement(heard, read, path) for path in paths]
    cost = 0.5 * structure.cost + 0.5 * (1.0 - float(np.concatenate(agreement).mean()))
    _check(cost, limit)
    progress(_STAGE, 0.7)
    notes, strength, path = _place(audio, score, passages, paths, tuning)
    progress(_STAGE, 0.95)
    if not len(notes) or float(np.clip(strength / _STRUCK, 0.0, 1.0).mean()) < _FEWEST_STRUCK:
        raise InputError(
            "the take does not play this score: its notes' keys do not sound struck anywhere; is it a recording of a "
            "piano, and the score of this piece?"
        )
    findings = describe(passages, others, score, length)
    if cost > DOUBTFUL:
        doubt = f"The take fits the score badly (alignment cost {cost:.2f}): is it the score of this piece?"
        findings = (doubt, *findings)
    heard_at = np.concatenate([path[:, 0] for path in paths])
    regions = _regions(notes, strength, heard_at, np.concatenate(agreement), length)
    progress(_STAGE, 1.0)
    return Alignment(notes, path, cost, limit, regions, findings, tuning)


def _listen(audio: NDArray[np.float32], read: Features) -> tuple[float, Features, Structure]:
    """Return the tuning in cents, the take's features, and its passages.

    Half a semitone too high may be taken for half a semitone too low: near there, both are tried.
    """
    tuning = tuning_of(audio)
    tunings = [tuning] if abs(tuning) <= _CLEAR_TUNING else [tuning, tuning - np.copysign(100.0, tuning)]
    tried = []
    for cents in tunings:
        heard = take_features(audio, cents)
        tried.append((float(cents), heard, find_structure(heard, read)))
    return min(tried, key=lambda one: one[2].cost)


def _from_first_sound(audio: NDArray[np.float32], passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """Let the first passage begin where the take begins to sound: there the score's first note is likeliest."""
    first = passages[0]
    start, stop = (round(seconds * SAMPLE_RATE) for seconds in first.take)
    blocks = audio[start:stop]
    blocks = np.abs(blocks[: len(blocks) // _BLOCK * _BLOCK]).reshape(-1, _BLOCK).max(axis=1)
    loud = np.flatnonzero(blocks > _AUDIBLE * np.quantile(blocks, 0.95)) if len(blocks) else np.zeros(0)
    if not len(loud):
        return passages
    begin = (start + int(loud[0]) * _BLOCK) / SAMPLE_RATE - _LEAD
    return (replace(first, take=(min(max(first.take[0], begin), first.take[1] - _LEAD), first.take[1])), *passages[1:])


def _check(cost: float, limit: float) -> None:
    """Refuse an alignment that costs too much."""
    if cost > limit:
        raise InputError(
            f"the take does not play this score: the alignment cost is {cost:.2f}, and at most {limit:.2f} is "
            "accepted (0.2 to 0.3 is usual); is it the score of another piece, or not a recording of a piano?"
        )


def _from_zero(score: Score) -> Score:
    """Return the score with nothing before 0."""
    first = min(float(score.onset[0]), 0.0)
    bars = score.bars - np.array([first, 0.0]) if len(score.bars) else score.bars
    return replace(score, onset=score.onset - first, offset=score.offset - first, pedal=score.pedal - first, bars=bars)


def _within(heard: Features, read: Features, passage: Passage) -> Float:
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


def _place(
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
        for name in ("onset", "offset", "pitch", "velocity", "hand", "track")
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


def _agreement(heard: Features, read: Features, path: Float) -> Float:
    """Return the correlation of the keys' energies at every point of a path, -1..1."""
    from scipy.ndimage import uniform_filter1d

    sides = []
    for features, seconds in zip((heard, read), path.T, strict=True):
        frames = np.clip(np.round(seconds * RATE).astype(np.int64), 0, features.frames - 1)
        energies = uniform_filter1d(features.keys, _SMOOTH, axis=1)[:, frames]
        energies = energies - energies.mean(axis=0)
        sides.append(energies / np.maximum(np.linalg.norm(energies, axis=0), 1e-6))
    return np.asarray((sides[0] * sides[1]).sum(axis=0), np.float64)


def _regions(notes: Score, strength: Float, heard_at: Float, agreement: Float, length: float) -> tuple[Region, ...]:
    """Return how sure the times are: by the agreement of the keys and by how many of them sound struck."""
    edges = np.linspace(0.0, length, max(round(length / REGION), 1) + 1)
    struck = np.clip(strength / _STRUCK, 0.0, 1.0)
    regions = []
    for start, end in itertools.pairwise(edges):
        here = (notes.onset >= start) & (notes.onset < end)
        near = (heard_at >= start) & (heard_at < end)
        confidence = 0.0
        if here.any() and near.any():
            agreed = (float(agreement[near].mean()) - _UNSURE) / (_SURE - _UNSURE)
            confidence = float(struck[here].mean()) * min(max(agreed, 0.0), 1.0)
        regions.append(Region(float(start), float(end), confidence))
    return tuple(regions)
