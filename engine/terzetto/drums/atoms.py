"""Atoms to look at and to hear: which of them a beat is made of, as pictures, beats and sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terzetto.analysis.codes import most_active, total_activity
from terzetto.audio.stems import FORMATS, StemFiles
from terzetto.drums.beat import Beat
from terzetto.drums.dictionary import Dictionary
from terzetto.drums.drum_map import DrumMap
from terzetto.drums.grid import STEPS, Hvo, hvo_to_beat
from terzetto.drums.rendering import render_beat
from terzetto.errors import InputError

SAMPLE_RATE = 44100


@dataclass(frozen=True)
class UsedAtom:
    """An atom in a beat.

    Attributes
    ----------
    index : int
        Its number in the dictionary.
    share : float
        Of the beat's whole activity, 0..1; activities count by their atoms' size.
    bars : tuple of int
        Where it sounds, from 1.
    """

    index: int
    share: float
    bars: tuple[int, ...]


def used_atoms(dictionary: Dictionary, bars: Sequence[Hvo]) -> list[UsedAtom]:
    """Return the atoms that a beat is made of, the most active first."""
    code = dictionary.encode(bars)
    activity = total_activity(dictionary, code)
    whole = max(float(activity.sum()), 1e-12)
    return [
        UsedAtom(
            int(index),
            float(activity[index]) / whole,
            tuple(sorted({1 + int(column) * dictionary.kernel // STEPS for column in np.flatnonzero(code[index])})),
        )
        for index in most_active(dictionary, code)
    ]


def atoms_beat(
    dictionary: Dictionary, atoms: Sequence[int], tempo: float = 120.0, drum_map: DrumMap | None = None
) -> Beat:
    """Return atoms as music, one after another; see `Dictionary.atom_bars`.

    Raises
    ------
    InputError
        There is no such atom, or none of them adds a hit.
    """
    bars = [bar for index in atoms for bar in dictionary.atom_bars(index)]
    if not any(bar.hits.any() for bar in bars):
        numbers = ", ".join(map(str, atoms)) or "none"
        raise InputError(f"atoms {numbers}: none adds a hit, they only take hits of others away; there is no sound")
    return hvo_to_beat(bars, tempo=tempo, drum_map=drum_map)


def write_atoms_sound(path: Path, beat: Beat) -> None:
    """Render atoms by the shipped kit into a WAV of 32-bit float, stereo, 44.1 kHz; whole or not at all.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    sound = render_beat(beat, SAMPLE_RATE)
    with StemFiles({"atoms": path}, SAMPLE_RATE, {"atoms": len(sound)}, FORMATS["float32"]) as files:
        files.write("atoms", sound)
        files.commit()
