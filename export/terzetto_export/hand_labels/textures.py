"""Made-up piano textures whose hands are known: what any player writes and Chopin's first editions have little of.

Each hand gets a pattern, a register and a rhythm by chance, over chords they share: melodies over repeated chords,
Alberti basses, broken chords, strides, octaves, scales, two and three voices, a hand alone, a melody in the left hand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.score.notes import LEFT, RIGHT
from terzetto_export.hand_labels.patterns import ACCOMPANYING, LEADING, Bar, Chord, Player

# Onsets in seconds, pitches, hands.
Notes = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11), (0, 2, 3, 5, 7, 9, 10))


def make_texture(notes: int, random: np.random.Generator) -> Notes:
    """Return about so many notes of one or two textures, as written: exact onsets, in seconds."""
    beat = float(np.exp(random.uniform(np.log(0.3), np.log(1.3))))
    beats, key = int(random.choice((2, 3, 4, 4))), int(random.integers(12))
    scale = sorted((key + step) % 12 for step in _SCALES[random.integers(len(_SCALES))])
    rows: list[tuple[float, int, int]] = []
    start, changes = 0.0, notes // int(random.integers(1, 4))
    while len(rows) < notes:
        section, until = _hands(random), min(len(rows) + max(changes, 40), notes)
        chord, held = _chord(scale, random), 0
        while len(rows) < until:
            if held >= random.integers(1, 4):
                chord, held = _chord(scale, random), 0
            held += 1
            bar = Bar(start, beats, scale, chord)
            for hand, player in section.items():
                rows += [(at * beat, pitch, hand) for at, pitch in player(bar) if 21 <= pitch <= 108]
            start += beats
            if start > 400:
                return _notes(rows)
    return _notes(rows)


def _notes(rows: list[tuple[float, int, int]]) -> Notes:
    # A key that both hands strike sounds once.
    struck = {(round(at, 4), pitch): hand for at, pitch, hand in rows}
    ordered = sorted((at, pitch, hand) for (at, pitch), hand in struck.items())
    onset, pitch, hand = (np.array(column) for column in zip(*ordered, strict=True))
    return onset.astype(np.float64), pitch.astype(np.int64), hand.astype(np.int64)


def _hands(random: np.random.Generator) -> dict[int, Player]:
    """Choose what the hands do: mostly the right leads, sometimes the left, sometimes both or one alone."""
    leads = random.choice(("right", "left", "both", "accompany", "alone"), p=(0.55, 0.15, 0.17, 0.06, 0.07))
    lead = {"right": (RIGHT,), "left": (LEFT,), "both": (LEFT, RIGHT), "accompany": (), "alone": (RIGHT, LEFT)}[leads]
    split = random.normal(61, 5)
    room = float(random.choice((1, 3, 6, 10), p=(0.25, 0.35, 0.25, 0.15)))
    players = {}
    for hand, sign in ((LEFT, -1), (RIGHT, 1)):
        kinds = LEADING if hand in lead else ACCOMPANYING
        pattern = kinds[random.integers(len(kinds))]
        nearest = split + sign * room / 2
        players[hand] = pattern(nearest, sign, random)
    if leads == "alone":
        players.pop(LEFT if random.random() < 0.6 else RIGHT)
    return players


def _chord(scale: Chord, random: np.random.Generator) -> Chord:
    first = int(random.integers(7))
    return [scale[(first + step) % 7] for step in ((0, 2, 4, 6) if random.random() < 0.3 else (0, 2, 4))]
