"""What is put in: five melodies of twenty random notes, each played by a sound that no model or judge learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto_export.instrument_data.sound_font_notes import Note, midi_of, render_notes
from terzetto_export.instrument_judge.fonts import OF_INPUTS

SAMPLE_RATE = 48_000
PLAYERS = {"harmonica": 22, "reed organ": 20, "clean guitar": 27, "voice": 53, "saw lead": 81}
"""General MIDI programs, from 0, of `OF_INPUTS`; one plays each melody."""
NOTES = 20
LOWEST, HIGHEST = 48, 84
"""MIDI notes, both in it: C3 to C6."""
_REST, _LENGTH, _VELOCITY = (0.1, 0.3), (0.5, 0.9), (60, 115)
Float = NDArray[np.float32]


@dataclass(frozen=True)
class Melody:
    """Notes with what they sound like: mono at 48 kHz, peak 0.5."""

    name: str
    notes: tuple[Note, ...]
    audio: Float


def random_notes(seed: int, number: int = NOTES) -> tuple[Note, ...]:
    """Return random notes, one after the other: 0.5 to 0.9 s long, 0.1 to 0.3 s apart, velocity 60 to 115."""
    random = np.random.default_rng((7, seed))
    notes, time = [], 0.2
    for _ in range(number):
        length = float(random.uniform(*_LENGTH))
        notes.append(Note(time, length, int(random.integers(LOWEST, HIGHEST + 1)), int(random.integers(*_VELOCITY))))
        time += length + float(random.uniform(*_REST))
    return tuple(notes)


def melodies(number: int = NOTES, players: Sequence[str] = tuple(PLAYERS)) -> list[Melody]:
    """Return the melodies with their sound; ``number`` notes of each.

    Raises
    ------
    InputError
        fluidsynth or the sound font is missing.
    """
    font = OF_INPUTS.find()
    result = []
    for seed, player in enumerate(PLAYERS):
        if player in players:
            notes = random_notes(seed)[:number]
            result.append(
                Melody(player, notes, at_half(render_notes(notes, font, PLAYERS[player], sample_rate=SAMPLE_RATE)))
            )
    return result


def write_midi(folder: Path) -> list[Path]:
    """Write the melodies as MIDI files and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for seed, (player, program) in enumerate(PLAYERS.items()):
        notes = random_notes(seed)
        path = folder / f"{seed + 1} {player}.mid"
        midi_of(notes, program, notes[-1].onset + notes[-1].duration).save(path)
        paths.append(path)
    return paths


def at_half(audio: Float) -> Float:
    """Return a sound with a peak of 0.5."""
    return np.asarray(0.5 * audio / max(float(np.abs(audio).max()), 1e-9), np.float32)
