"""Align a score that knows no times of the take: a sheet, a quantised MIDI, another performance.

Four steps: the passages of the take that play the score (`terzetto.score.structure`), in each a warping path by
chroma and onset features in multiscale DTW (synctoolbox) and along it the notes, at the moments at which their keys
are struck (`terzetto.score.warping`), and how sure that is (`terzetto.score.confidence`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import Take
from terzetto.errors import InputError
from terzetto.progress import Progress, silent
from terzetto.score.confidence import Region, confidences, key_agreement, surely_struck
from terzetto.score.notes import Score
from terzetto.score.passages import chain, describe, extend
from terzetto.score.structure import Passage, Structure, find_structure
from terzetto.score.synchrony import SAMPLE_RATE, Features, mono, score_features, take_features, tuning_of
from terzetto.score.warping import carry, warping_path

Float = NDArray[np.float64]

THRESHOLDS = ((10.0, 0.34), (30.0, 0.4))
"""Alignment cost above which a score is another piece's, in takes up to 10 s and from 30 s on; see docs/hands.md."""
DOUBTFUL = 0.34
"""Alignment cost above which a finding says so."""
_QUIETEST = 1e-4  # peak of a take that is silent
_SHORTEST_TAKE = 3.0
_CLEAR_TUNING = 35.0  # cents
_BLOCK = 441  # samples
_AUDIBLE = 0.01  # of the loud blocks' peaks
_LEAD = 0.1  # seconds kept before the first sound
_FEWEST_STRUCK = 0.4  # share of the notes
_HOPELESS = 0.4  # cost of the passages alone above which nothing finer need be asked
_STAGE = "aligning"


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
    paths = [warping_path(heard, read, passage) for passage in passages]
    agreement = [key_agreement(heard, read, path) for path in paths]
    cost = 0.5 * structure.cost + 0.5 * (1.0 - float(np.concatenate(agreement).mean()))
    _check(cost, limit)
    progress(_STAGE, 0.7)
    notes, strength, path = carry(audio, score, passages, paths, tuning)
    progress(_STAGE, 0.95)
    if not len(notes) or float(surely_struck(strength).mean()) < _FEWEST_STRUCK:
        raise InputError(
            "the take does not play this score: its notes' keys do not sound struck anywhere; is it a recording of a "
            "piano, and the score of this piece?"
        )
    findings = describe(passages, others, score, length)
    if cost > DOUBTFUL:
        doubt = f"The take fits the score badly (alignment cost {cost:.2f}): is it the score of this piece?"
        findings = (doubt, *findings)
    heard_at = np.concatenate([path[:, 0] for path in paths])
    regions = confidences(notes, strength, heard_at, np.concatenate(agreement), length)
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
