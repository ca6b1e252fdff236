"""The ten targets: real notes to compare with, and a recording each for the methods that take one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from terzetto.evaluate.timbre import mfcc
from terzetto_export.instrument_data.names import GENERAL_MIDI, INSTRUMENTS, PITCH_RANGES
from terzetto_export.instrument_data.philharmonia import read_philharmonia
from terzetto_export.instrument_data.recordings import Recording, Tell
from terzetto_export.instrument_data.sound_font_notes import read_sound_font
from terzetto_export.instrument_judge.judge import Judge
from terzetto_export.timbre_notes.melodies import SAMPLE_RATE
from terzetto_export.transcription.sound_fonts import MUSESCORE

RENDERED = ("trumpet", "violin")
"""Not in the Philharmonia's notes here: MuseScore General's stand for them."""
ACCEPTED = 0.96
"""Share of real notes that the judge must accept: so few may be lost of real notes as should be of converted ones."""
SECONDS = 60.0
"""Of a target's recording."""
_SPACE = 0.05
_BELOW = 1e-2
Double = NDArray[np.float64]


@dataclass(frozen=True)
class Real:
    """Real notes of one target: pitch, mean MFCC and embedding of each; held out from training where they can be.

    ``accepted`` is the log probability of the target that the judge gives to 96 % of the validation notes at least.
    """

    pitch: Double
    mfcc: Double
    embedding: Double
    accepted: float

    def distances(self, pitch: int, coefficients: Double, embedding: Double) -> tuple[float, float]:
        """Return the distances (MFCC, embedding) to the mean of the notes of the nearest pitch there is."""
        off = np.abs(self.pitch - pitch)
        near = off == off.min()
        return (
            float(np.linalg.norm(self.mfcc[near].mean(axis=0) - coefficients)),
            float(np.linalg.norm(self.embedding[near].mean(axis=0) - embedding)),
        )


def read_targets(tell: Tell, instruments: Sequence[str] = INSTRUMENTS) -> list[Recording]:
    """Return single notes of the targets at 48 kHz, with their splits; those of `RENDERED` are all training.

    Raises
    ------
    InputError
        The Philharmonia's notes, the sound font or fluidsynth are missing.
    """
    notes = read_philharmonia(tell, sample_rate=SAMPLE_RATE, instruments=instruments)
    for name in RENDERED:
        if name in instruments:
            low, high = PITCH_RANGES[name]
            pitches = {name: range(low, high + 1)}
            notes += read_sound_font(MUSESCORE, {name: GENERAL_MIDI[name]}, pitches, sample_rate=SAMPLE_RATE)
    return notes


def real_notes(notes: Sequence[Recording], judge: Judge) -> dict[str, Real]:
    """Return by instrument what is measured of real notes: held-out ones, or all of those that are all training."""
    result = {}
    for name in sorted({note.instrument for note in notes}):
        own = [n for n in notes if n.instrument == name and (n.split != "train" or name in RENDERED)]
        sounds = [trimmed(note.audio) for note in own]
        verdict = judge.hear(sounds, SAMPLE_RATE, [note.pitch for note in own])
        chosen_by = [n.split == "validation" or name in RENDERED for n in own]
        likelihood = verdict.likelihood[chosen_by, judge.classes.index(name)]
        result[name] = Real(
            np.array([note.pitch for note in own], np.float64),
            np.stack([mfcc(sound, SAMPLE_RATE) for sound in sounds]),
            verdict.embeddings,
            float(np.quantile(likelihood, 1.0 - ACCEPTED)),
        )
    return result


def write_recordings(notes: Sequence[Recording], folder: Path, seed: int = 0) -> dict[str, Path]:
    """Write a minute of each target's training notes, in any order, as a user might give them; return the files."""
    random = np.random.default_rng(seed)
    silence = np.zeros(round(_SPACE * SAMPLE_RATE), np.float32)
    paths = {}
    for name in sorted({note.instrument for note in notes}):
        own = [note for note in notes if note.instrument == name and note.split == "train"]
        parts: list[NDArray[np.float32]] = []
        for row in random.permutation(len(own)):
            parts += [trimmed(own[row].audio), silence]
            if sum(map(len, parts)) > SECONDS * SAMPLE_RATE:
                break
        audio = np.concatenate(parts)
        paths[name] = folder / f"{name}.wav"
        soundfile.write(paths[name], 0.7 * audio / np.abs(audio).max(), SAMPLE_RATE, subtype="FLOAT")
    return paths


def trimmed(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a note without the silence (40 dB below its peak) before and after it."""
    heard = np.flatnonzero(np.abs(audio) > _BELOW * np.abs(audio).max())
    return audio[max(int(heard[0]) - 64, 0) : int(heard[-1]) + 1]
