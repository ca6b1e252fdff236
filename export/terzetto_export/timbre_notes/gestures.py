"""Pitches that move: glissandi and vibrati, played like the melodies, with the pitch that they should have."""

from __future__ import annotations

import numpy as np

from terzetto_export.instrument_data.sound_font_notes import Note, render_notes
from terzetto_export.instrument_judge.fonts import OF_INPUTS
from terzetto_export.timbre_notes.melodies import PLAYERS, SAMPLE_RATE, Melody, at_half

PITCHES = (60, 67, 74)
SECONDS = 1.6
GLISSANDO, VIBRATO, VIBRATO_HZ = 500.0, 50.0, 5.5
"""Cents up over a second; cents either way; times a second."""
_WHEEL = 0.005
_PLAYERS = ("reed organ", "saw lead")


def gestures(kind: str) -> list[Melody]:
    """Return ``glissando`` or ``vibrato`` on three pitches by two players that hold a steady tone.

    Raises
    ------
    InputError
        fluidsynth or the sound font is missing.
    """
    time = np.arange(0.0, SECONDS, _WHEEL)
    if kind == "glissando":
        cents = GLISSANDO * np.clip((time - 0.3) / 1.0, 0.0, 1.0)
    else:
        cents = VIBRATO * np.sin(2.0 * np.pi * VIBRATO_HZ * time) * np.clip((time - 0.2) / 0.2, 0.0, 1.0)
    bend = tuple(zip(time.tolist(), cents.tolist(), strict=True))
    notes = tuple(Note(0.2 + i * (SECONDS + 0.6), SECONDS, pitch, 100, bend) for i, pitch in enumerate(PITCHES))
    font = OF_INPUTS.find()
    return [
        Melody(player, notes, at_half(render_notes(notes, font, PLAYERS[player], sample_rate=SAMPLE_RATE)))
        for player in _PLAYERS
    ]
