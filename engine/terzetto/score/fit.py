"""Whether a score's times are a take's: its keys sound struck where it has its notes, or they do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake, Take
from terzetto.score.notes import Score
from terzetto.score.onsets import RATE, strike_strength
from terzetto.score.synchrony import mono

Float = NDArray[np.float64]
FITS = 0.6
"""From this fit on a score's times are the take's: such scores have 0.7 to 1 (onsets jittered by 30 ms too), those of
sheets, of other pieces, and of takes that begin 0.1 s earlier or run 3 % faster at most 0.5."""
_EXCERPT = 10.0  # seconds
_EXCERPTS = 3
_NEAR = 0.05  # seconds an onset may be off
_STRUCK = 0.6  # strength of a strike that is beyond doubt
_FEWEST_NOTES = 8
_TUNINGS = (0.0, 40.0, -40.0)  # cents; a key's partials are looked for within 33
_EVERYWHERE = 0.95  # share of strikes by chance from which nothing can be told


def fit(take: Take, score: Score) -> float | None:
    """Return how well a score's times fit a take: 1 if every key is struck at its note, 0 if no more than by chance.

    Excerpts are compared, three of 10 s at most. It is the times that are judged: another piece in the very same rhythm
    may fit as well.

    Parameters
    ----------
    take
        The recording.
    score
        In seconds of the take, if they are.

    Returns
    -------
    float or None
        At most 1, may be below 0; None where too few notes, or too little sound, tell anything.
    """
    length = take.frames / take.sample_rate
    inside = score.onset[(score.onset >= 0) & (score.onset < length)]
    if len(inside) < _FEWEST_NOTES:
        return None
    first, last = float(inside[0]), min(float(inside[-1]) + _NEAR, length)
    many = min(max(int((last - first) / _EXCERPT), 1), _EXCERPTS)
    excerpts = []
    for start in np.linspace(first, max(last - _EXCERPT, first), many):
        begin = round(start * take.sample_rate)
        audio = mono(ArrayTake(take.read(begin, begin + round(_EXCERPT * take.sample_rate)), take.sample_rate))
        notes = score.select((score.onset >= start) & (score.onset < min(start + _EXCERPT, length)))
        if len(notes) and audio.any():
            excerpts.append((audio, notes.onset - begin / take.sample_rate, notes.pitch))
    if sum(len(pitch) for _, _, pitch in excerpts) < _FEWEST_NOTES:
        return None
    best = None
    for tuning in _TUNINGS:
        found = _fit(excerpts, tuning)
        if found is not None and (best is None or found > best):
            best = found
        if best is not None and best >= FITS:
            break
    return best


def _fit(excerpts: list[tuple[NDArray[np.float32], Float, NDArray[np.int64]]], tuning: float) -> float | None:
    struck, chance = [], []
    for audio, onset, pitch in excerpts:
        pitches, row = np.unique(pitch, return_inverse=True)
        near = _nearby(strike_strength(audio, pitches, tuning))
        struck.append(near[row, np.clip(np.round(onset * RATE).astype(int), 0, near.shape[1] - 1)])
        chance.append(near[row].mean(axis=1))
    found, expected = float(np.concatenate(struck).mean()), float(np.concatenate(chance).mean())
    return None if expected > _EVERYWHERE else (found - expected) / (1.0 - expected)


def _nearby(strength: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how sure each key is struck near each frame, 0..1."""
    from scipy.ndimage import maximum_filter1d

    return np.asarray(maximum_filter1d(np.minimum(strength / _STRUCK, 1.0), 2 * round(_NEAR * RATE) + 1, axis=1))
