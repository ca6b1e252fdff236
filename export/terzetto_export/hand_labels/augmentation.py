"""From a stretch of a score to what a performance or its transcription looks like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.score.notes import LEFT, RIGHT

# Marks notes that nobody wrote: they are seen, but nothing is learned from their label.
NO_LABEL = -1


@dataclass(frozen=True)
class Notes:
    """A stretch of notes in any order: seconds, MIDI pitch, hand."""

    onset: NDArray[np.float64]
    pitch: NDArray[np.int64]
    hand: NDArray[np.int64]

    def select(self, keep: NDArray[np.bool_]) -> Notes:
        """Return some of the notes."""
        return Notes(self.onset[keep], self.pitch[keep], self.hand[keep])


@dataclass(frozen=True)
class Amount:
    """How strongly to change a stretch: the largest change of speed, and how often each of the others happens."""

    speed: float = 1.6
    textures: float = 0.5
    invert: float = 0.2
    errors: float = 0.5
    recombine: float = 0.25
    made_up: float = 0.2


def augment(notes: Notes, amount: Amount, random: np.random.Generator) -> Notes:
    """Return the stretch as another piece, another player and another transcriber might have left it."""
    if is_mechanical(notes):
        notes = play(notes, random)
    if random.random() < amount.textures:
        notes = change_texture(notes, random)
    if random.random() < amount.invert:
        notes = swap_hands(notes)
    notes = transpose(notes, random)
    if random.random() < amount.errors:
        notes = mistranscribe(notes, random)
    speed = np.exp(random.uniform(-np.log(amount.speed), np.log(amount.speed)))
    return Notes(notes.onset / speed, notes.pitch, notes.hand)


def is_mechanical(notes: Notes) -> bool:
    """Say whether notes come straight from a score: no player strikes a tenth of the notes at exactly the same time."""
    return len(notes.onset) > 1 and bool((np.diff(np.sort(notes.onset)) == 0).mean() > 0.1)


def play(notes: Notes, random: np.random.Generator) -> Notes:
    """Give a score a player's timing: a tempo that wanders, hands apart by some ms, chords spread or rolled."""
    times, event = np.unique(notes.onset, return_inverse=True)
    steps = np.diff(times, prepend=times[:1])
    wander = np.cumsum(random.normal(0, random.uniform(0.01, 0.06), len(times)))
    wander -= np.linspace(0, wander[-1], len(times)) if len(times) else 0
    played = times[0] + np.cumsum(steps * np.exp(np.clip(wander, -0.5, 0.5) + random.normal(0, 0.04, len(times))))
    onset = played[event]
    apart = random.normal(0, 0.012) + random.normal(0, 0.008, len(times))
    onset = onset + np.where(notes.hand == LEFT, np.abs(apart)[event], 0.0)
    onset = onset + random.normal(0, random.uniform(0.002, 0.01), len(onset))
    rolled = random.random(len(times)) < random.choice((0.0, 0.01, 0.05))
    spread = random.uniform(0.02, 0.08, len(times)) * rolled
    lowest = np.full(len(times), 200)
    np.minimum.at(lowest, event, notes.pitch)
    return Notes(onset + spread[event] * (notes.pitch - lowest[event]) / 7, notes.pitch, notes.hand)


def change_texture(notes: Notes, random: np.random.Generator) -> Notes:
    """Thin out chords, or move a hand by octaves, as far as the hands do not pass through each other by it."""
    kind = random.integers(3)
    if kind == 0:  # one voice a hand: the outer, or in one of them the inner one
        event = np.round(notes.onset / 0.05).astype(np.int64)
        keep = np.ones(len(event), bool)
        for hand in (LEFT, RIGHT):
            if random.random() < 0.3:
                continue
            chosen = np.flatnonzero(notes.hand == hand)
            outer = notes.pitch[chosen] * (1 if (hand == LEFT) == (random.random() < 0.75) else -1)
            order = chosen[np.lexsort((outer, event[chosen]))]
            first = np.ones(len(order), bool)
            first[1:] = event[order][1:] != event[order][:-1]
            keep[order[~first]] = False
        return notes.select(keep)
    left, right = notes.pitch[notes.hand == LEFT], notes.pitch[notes.hand == RIGHT]
    if not len(left) or not len(right):
        return notes
    room = int(np.median(right) - np.median(left))
    shift = 12 if room >= 19 else -12
    if kind == 2 and room < 31:
        shift = -12 if room < 24 else 12
    hand = LEFT if random.random() < 0.5 else RIGHT
    pitch = np.where(notes.hand == hand, notes.pitch + (shift if hand == LEFT else -shift), notes.pitch)
    return Notes(notes.onset, pitch, notes.hand) if pitch.min() >= 21 and pitch.max() <= 108 else notes


def recombine(notes: Notes, other: Notes, random: np.random.Generator) -> Notes:
    """Give one hand of a stretch the music of another piece's same hand, put where the first one was, on its beats.

    What one hand does then says little of what the other does, as between composers.
    """
    hand = LEFT if random.random() < 0.5 else RIGHT
    mine, theirs = notes.hand == hand, other.hand == hand
    if mine.sum() < 8 or theirs.sum() < 8:
        return notes
    start = notes.onset[0] - other.onset[0]
    onset = other.onset[theirs] + np.round(start / 0.5) * 0.5
    inside = (onset >= notes.onset[0]) & (onset <= notes.onset[-1])
    apart = float(np.median(notes.pitch[mine]) - np.median(other.pitch[theirs]))
    moved = round(apart) + int(random.integers(-4, 5))
    pitch = other.pitch[theirs][inside] + moved
    if len(pitch) < 8 or pitch.min() < 21 or pitch.max() > 108:
        return notes
    kept = notes.select(~mine)
    return Notes(
        np.concatenate([kept.onset, onset[inside]]),
        np.concatenate([kept.pitch, pitch]),
        np.concatenate([kept.hand, np.full(len(pitch), hand)]),
    )


def swap_hands(notes: Notes) -> Notes:
    """Turn the keyboard around: low is high, the left hand is the right one."""
    mirrored = int(notes.pitch.min() + notes.pitch.max()) - notes.pitch
    # About the middle of the keyboard, so that registers stay those of the hands.
    mirrored += int(
        np.clip(128 - int(notes.pitch.min() + notes.pitch.max()), 21 - mirrored.min(), 108 - mirrored.max())
    )
    return Notes(notes.onset, mirrored, np.where(notes.hand == LEFT, RIGHT, LEFT))


def transpose(notes: Notes, random: np.random.Generator) -> Notes:
    """Move all notes by up to seven semitones, as far as the keyboard reaches."""
    low, high = max(-7, 21 - int(notes.pitch.min())), min(7, 108 - int(notes.pitch.max()))
    return Notes(notes.onset, notes.pitch + (int(random.integers(low, high + 1)) if low < high else 0), notes.hand)


def mistranscribe(notes: Notes, random: np.random.Generator) -> Notes:
    """Miss up to a tenth of the notes, hear up to a tenth that are none (octaves, twelfths, any), move onsets."""
    missed, invented = random.uniform(0, 0.1, 2)
    notes = notes.select(random.random(len(notes.onset)) >= missed)
    source = np.flatnonzero(random.random(len(notes.onset)) < invented)
    intervals = random.choice((12, 12, 19, 24, -12, 7, 1, -1), len(source))
    lasting = np.where(random.random(len(source)) < 0.5, 0.0, random.uniform(0.05, 1.0, len(source)))
    ghosts = (notes.pitch[source] + intervals).clip(21, 108)
    onset = np.concatenate([notes.onset, notes.onset[source] + lasting])
    onset = onset + random.normal(0, random.uniform(0.0, 0.012), len(onset))
    return Notes(
        onset,
        np.concatenate([notes.pitch, ghosts]),
        np.concatenate([notes.hand, np.full(len(source), NO_LABEL)]),
    )
