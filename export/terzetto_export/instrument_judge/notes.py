"""What the judge learns from: notes of sound fonts and of Medley-solos-DB, each also transposed and in a room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError
from terzetto_export.instrument_data.medley_solos import read_medley_solos
from terzetto_export.instrument_data.names import INSTRUMENTS
from terzetto_export.instrument_data.philharmonia import read_philharmonia
from terzetto_export.instrument_data.recordings import Recording, Tell
from terzetto_export.instrument_data.sound_font_notes import read_sound_font
from terzetto_export.instrument_judge.features import FRAMES, SAMPLE_RATE, mel_levels
from terzetto_export.instrument_judge.fonts import OF_MODELS, OF_THE_JUDGE, OTHER, programs
from terzetto_export.transcription.sound_fonts import SoundFont

CLASSES = (*INSTRUMENTS, OTHER)
KEPT_FRAMES = FRAMES + 30
SILENCE = -100.0
VELOCITIES = (50, 85, 115)
TRANSPOSED = 5.0
"""Semitones, either way: so that pitch alone does not tell the instrument."""
IN_MODELS = ("trumpet", "violin")
"""Those of `OF_MODELS` that models are trained on; the judge hears the fonts' others."""
_BELOW_LOUDEST = 35.0


@dataclass(frozen=True)
class Notes:
    """Notes as levels.

    Attributes
    ----------
    levels : float16 (n, KEPT_FRAMES, BANDS)
        In dB, from the onset; silence after the end.
    label : int64 (n,)
        Index into `CLASSES`.
    source : tuple of str
        Of each.
    paths : frozenset of Path
        Files that they come from.
    """

    levels: NDArray[np.float16]
    label: NDArray[np.int64]
    source: tuple[str, ...]
    paths: frozenset[Path]

    @classmethod
    def of(cls, recordings: Iterable[Recording], random: np.random.Generator | None = None) -> Notes:
        """Hear recordings; with ``random`` each also once varied."""
        levels, label, source, paths = [], [], [], set()
        for recording in recordings:
            name = recording.instrument if recording.instrument in INSTRUMENTS else OTHER
            sounds = [recording.audio] if random is None else [recording.audio, varied(recording.audio, random)]
            for sound in sounds:
                levels.append(from_onset(mel_levels(sound)))
                label.append(CLASSES.index(name))
                source.append(recording.source)
            paths.add(recording.path)
        if not levels:
            raise InputError("there is no sound to hear: the judge needs sound fonts or recordings")
        return cls(np.stack(levels), np.array(label, np.int64), tuple(source), frozenset(paths))

    def __add__(self, other: Notes) -> Notes:
        """Return both."""
        return Notes(
            np.concatenate([self.levels, other.levels]),
            np.concatenate([self.label, other.label]),
            self.source + other.source,
            self.paths | other.paths,
        )


def from_onset(levels: NDArray[np.float32]) -> NDArray[np.float16]:
    """Return KEPT_FRAMES frames of levels from 25 ms before they are within 35 dB of the loudest."""
    loudest = levels.max(axis=1)
    first = max(int(np.argmax(loudest > loudest.max() - _BELOW_LOUDEST)) - 2, 0)
    part = np.maximum(levels[first : first + KEPT_FRAMES], SILENCE)
    return np.pad(part, ((0, KEPT_FRAMES - len(part)), (0, 0)), constant_values=SILENCE).astype(np.float16)


def varied(audio: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return a sound at 22,050 Hz transposed by up to five semitones, and half the time in a small room."""
    import scipy.signal
    import soxr

    ratio = 2.0 ** (random.uniform(-TRANSPOSED, TRANSPOSED) / 12)
    audio = soxr.resample(audio, SAMPLE_RATE * ratio, SAMPLE_RATE)
    if random.random() < 0.5:
        length = round(random.uniform(0.1, 0.5) * SAMPLE_RATE)
        room = random.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
        room *= random.uniform(0.02, 0.25) / np.sqrt(np.sum(room**2))
        room[0] += 1.0
        audio = scipy.signal.fftconvolve(audio, room)[: len(audio)]
    return np.asarray(audio, np.float32)


def font_notes(font: SoundFont, without: Sequence[str], random: np.random.Generator) -> Iterator[Recording]:
    """Yield notes of a font: every second pitch of the ten instruments, every fourth of the others."""
    for name, program, (low, high) in programs():
        if name in without:
            continue
        step = 4 if name == OTHER else 2
        pitches = range(low + int(random.integers(step)), high + 1, step)
        duration = float(random.uniform(0.6, 1.0))
        yield from read_sound_font(
            font, {name: program}, {name: pitches}, velocities=VELOCITIES, duration=duration, sample_rate=SAMPLE_RATE
        )


def pieces(phrases: Iterable[Recording]) -> Iterator[Recording]:
    """Yield pieces of 1.2 s, half a second apart, of phrases at 22,050 Hz."""
    from dataclasses import replace

    length = round(1.2 * SAMPLE_RATE)
    for phrase in phrases:
        for first in range(0, len(phrase.audio) - SAMPLE_RATE, SAMPLE_RATE // 2):
            piece = phrase.audio[first : first + length]
            if np.abs(piece).max() > 1e-2:
                yield replace(phrase, audio=piece)


def training_notes(tell: Tell, seed: int) -> Notes:
    """Return all that the judge learns from; a font that is not installed is named and left out."""
    random = np.random.default_rng(seed)
    notes = Notes.of(pieces(r for r in read_medley_solos(tell, sample_rate=SAMPLE_RATE) if r.split == "train"), random)
    for font in (*OF_THE_JUDGE, *OF_MODELS):
        try:
            heard = Notes.of(font_notes(font, IN_MODELS if font in OF_MODELS else (), random), random)
        except InputError as problem:
            tell(f"without its notes: {problem}")
            continue
        tell(f"{font.file}: {len(heard.label)} notes")
        notes += heard
    return notes


def real_notes(tell: Tell, split: str) -> Notes:
    """Return real notes that the judge never hears: the Philharmonia's, and Medley-solos-DB's own split."""
    notes = [r for r in read_philharmonia(tell, sample_rate=SAMPLE_RATE) if r.split == split]
    phrases = [r for r in read_medley_solos(tell, sample_rate=SAMPLE_RATE) if r.split == split]
    return Notes.of([*notes, *pieces(phrases)])
