"""From the page to a performance: tempo that breathes, hands not quite together, touch, dynamics and pedal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.score.notes import LEFT, RIGHT, UNKNOWN, Score

LOWEST, HIGHEST = 21, 108
# Keys cannot be struck again at once; the old note ends a little before.
_GAP = 0.025
_SHORTEST = 0.04


def perform(score: Score, seconds: float, random: np.random.Generator) -> Score:
    """Play an excerpt of about so many seconds, in a key and tempo and manner of its own.

    Parameters
    ----------
    score
        As written: straight timing, hands known or not, no dynamics.
    seconds
        Of score time; the performance may be shorter or longer by its tempo.
    """
    start = random.uniform(0, max(score.end - seconds, 0.0))
    keep = (score.onset >= start) & (score.onset < start + seconds)
    excerpt = score.select(keep)
    if not len(excerpt):
        excerpt = score
        start = 0.0
    onset, offset = excerpt.onset - start, excerpt.offset - start
    pace = float(np.exp(random.uniform(np.log(0.75), np.log(1.4))))
    pace = max(pace, len(excerpt) / (22.0 * (float(onset.max()) + 1.0)))  # nobody plays more notes a second
    warp = _tempo(float(offset.max()) + 1.0, pace, random)
    written = onset
    onset, offset = (np.interp(times, *warp) for times in (onset, offset))
    onset = 0.3 + onset + _apart(written, excerpt.pitch, random)
    length = (offset - onset + 0.3) * _touch(excerpt.hand, written, random)
    pitch = excerpt.pitch + int(random.integers(-6, 7))
    velocity = _dynamics(written, excerpt.pitch, excerpt.hand, random)
    played = _playable(np.maximum(onset, 0.0), np.maximum(length, _SHORTEST), pitch, velocity)
    return _with_pedal(played, random)


def assemble(
    onset: NDArray[np.float64],
    length: NDArray[np.float64],
    pitch: NDArray[np.int64],
    velocity: NDArray[np.float64],
    pedal: NDArray[np.float64] | None = None,
) -> Score:
    """Return notes as a score that ten fingers and 88 keys can play."""
    score = _playable(onset, length, pitch, velocity)
    if pedal is None:
        return score
    return Score(
        score.onset, score.offset, score.pitch, score.velocity, score.hand, score.track, score.track_names, pedal
    )


def _tempo(end: float, pace: float, random: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return score times and the performance's: a tempo that wanders, and slows down at times."""
    times = np.arange(0, end + 1.0, 0.5)
    drift = np.convolve(random.normal(0, 1, len(times) + 12), np.hanning(13), "valid")[: len(times)]
    slow = np.exp(drift * random.uniform(0, 0.07)) * pace
    for at in random.uniform(0, end, max(int(end / 15), 1)):
        slow *= 1 + random.uniform(0, 0.5) * np.exp(-0.5 * ((times - at) / 0.8) ** 2)
    return times, np.concatenate([[0.0], np.cumsum(slow[:-1] * 0.5)])


def _apart(written: NDArray[np.float64], pitch: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return by how much notes that are written together are not played so."""
    late = random.normal(0, random.uniform(0.002, 0.016), len(written))
    rolls = random.uniform(0, 0.15)
    _, chord = np.unique(written.round(3), return_inverse=True)
    for number in np.flatnonzero(np.bincount(chord) > 2):
        if random.random() < rolls:
            notes = np.flatnonzero(chord == number)
            late[notes[np.argsort(pitch[notes])]] += random.uniform(0.02, 0.09) * np.arange(len(notes))
    return late


def _touch(hand: NDArray[np.int64], written: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return the share of its length that a key is held: legato and staccato, by hand and phrase."""
    share = np.ones(len(written))
    for each in (LEFT, RIGHT, UNKNOWN):
        phrases = np.cumsum(np.diff(written, prepend=0.0) > 0) // int(random.integers(6, 30))
        by_phrase = random.choice([0.35, 0.7, 0.9, 1.0, 1.1], phrases.max() + 1, p=[0.1, 0.15, 0.25, 0.3, 0.2])
        share = np.where(hand == each, by_phrase[phrases], share)
    return share * random.uniform(0.9, 1.05, len(written))


def _dynamics(
    written: NDArray[np.float64], pitch: NDArray[np.int64], hand: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return velocities 0..1: waves of loudness, the melody above, the left hand below."""
    loud = random.uniform(40, 88) + random.uniform(4, 22) * np.sin(
        2 * np.pi * (written / random.uniform(5, 25) + random.random())
    )
    chords, chord = np.unique(written.round(3), return_inverse=True)
    top = np.full(len(chords), -1)
    np.maximum.at(top, chord, pitch)
    loud = loud + np.where(pitch == top[chord], random.uniform(0, 20), 0.0) - np.where(hand == LEFT, 6.0, 0.0)
    loud = loud + random.normal(0, random.uniform(2, 8), len(written))
    return np.asarray(np.clip(loud, 10, 126) / 127)


def _playable(
    onset: NDArray[np.float64], length: NDArray[np.float64], pitch: NDArray[np.int64], velocity: NDArray[np.float64]
) -> Score:
    """Return notes with 88 keys, each struck again only after it was let go."""
    pitch = np.where(pitch < LOWEST, pitch + 12, np.where(pitch > HIGHEST, pitch - 12, pitch))
    order = np.argsort(onset, kind="stable")
    onset, length, pitch, velocity = onset[order], length[order], pitch[order], velocity[order]
    offset = onset + length
    keep = np.ones(len(onset), bool)
    for key in np.unique(pitch):
        last = -1
        for note in np.flatnonzero(pitch == key).tolist():
            if last >= 0:
                if onset[note] - onset[last] < _SHORTEST + _GAP:
                    keep[note] = False
                    continue
                offset[last] = min(offset[last], onset[note] - _GAP)
            last = note
    count = int(keep.sum())
    unknown = np.full(count, UNKNOWN)
    return Score(onset[keep], offset[keep], pitch[keep], velocity[keep], unknown, np.zeros(count, int), ("piano",))


def _with_pedal(score: Score, random: np.random.Generator) -> Score:
    """Return the performance with the pedal changed every so often, held long, or left alone."""
    manner, end = random.random(), score.end + 0.5
    if manner < 0.25:
        return score
    typical = random.uniform(2.5, 6.0) if manner > 0.92 else random.uniform(0.5, 2.2)
    changes = np.cumsum(typical * random.uniform(0.6, 1.5, int(end / typical * 2) + 2))
    changes = changes[changes < end]
    if not len(changes):
        return score
    at = score.onset[np.minimum(np.searchsorted(score.onset, changes), len(score) - 1)]
    at = np.unique(np.append(at, end))
    down = at[:-1] + random.uniform(0.03, 0.2, len(at) - 1)
    up = at[1:] + random.uniform(-0.12, 0.06, len(at) - 1)
    used = (random.random(len(down)) < random.uniform(0.6, 1.0)) & (up > down + 0.05)
    pedal = np.stack([down, up], axis=1)[used]
    return Score(
        score.onset, score.offset, score.pitch, score.velocity, score.hand, score.track, score.track_names, pedal
    )
