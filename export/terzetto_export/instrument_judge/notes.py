"""What the judge learns from: notes of sound fonts and of Medley-solos-DB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError
from terzetto_export.instrument_data.medley_solos import read_medley_solos
from terzetto_export.instrument_data.names import INSTRUMENTS
from terzetto_export.instrument_data.philharmonia import read_philharmonia
from terzetto_export.instrument_data.recordings import Recording, Tell
from terzetto_export.instrument_data.sound_font_notes import read_sound_font
from terzetto_export.instrument_judge.features import SAMPLE_RATE, spectra
from terzetto_export.instrument_judge.fonts import OF_MODELS, OF_THE_JUDGE, OTHER, programs
from terzetto_export.transcription.sound_fonts import SoundFont

CLASSES = (*INSTRUMENTS, OTHER)
VELOCITIES = (45, 80, 115)
IN_MODELS = ("trumpet", "violin")
"""Those of `OF_MODELS` that models are trained on; the judge hears the fonts' others."""


@dataclass(frozen=True)
class Notes:
    """Notes as the judge hears them.

    Attributes
    ----------
    spectra : float32 (n, PARTS, BANDS)
        See `features.spectra`.
    label : int64 (n,)
        Index into `CLASSES`.
    source : tuple of str
        Of each.
    paths : frozenset of Path
        Files that they come from.
    """

    spectra: NDArray[np.float32]
    label: NDArray[np.int64]
    source: tuple[str, ...]
    paths: frozenset[Path]

    @classmethod
    def of(cls, recordings: Iterable[Recording]) -> Notes:
        """Hear recordings.

        Raises
        ------
        InputError
            There are none.
        """
        heard = [(spectra(each.audio, each.sample_rate), each) for each in recordings]
        if not heard:
            raise InputError("there is no sound to hear: the judge needs sound fonts or recordings")
        return cls(
            np.stack([levels for levels, _ in heard]),
            np.array([label_of(each) for _, each in heard], np.int64),
            tuple(each.source for _, each in heard),
            frozenset(each.path for _, each in heard),
        )

    def __add__(self, other: Notes) -> Notes:
        """Return both."""
        return Notes(
            np.concatenate([self.spectra, other.spectra]),
            np.concatenate([self.label, other.label]),
            self.source + other.source,
            self.paths | other.paths,
        )


def label_of(recording: Recording) -> int:
    """Return the class of a recording, an index into `CLASSES`; instruments that are none of the ten are `OTHER`."""
    return CLASSES.index(recording.instrument if recording.instrument in INSTRUMENTS else OTHER)


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
    """Yield pieces of 1.2 s, half a second apart, of phrases."""
    for phrase in phrases:
        second = phrase.sample_rate
        for first in range(0, len(phrase.audio) - second, second // 2):
            piece = phrase.audio[first : first + round(1.2 * second)]
            if np.abs(piece).max() > 1e-2:
                yield replace(phrase, audio=piece)


def training_notes(tell: Tell, seed: int) -> Notes:
    """Return all that the judge learns from; a font that is not installed is named and left out."""
    random = np.random.default_rng(seed)
    notes = Notes.of(pieces(r for r in read_medley_solos(tell, sample_rate=SAMPLE_RATE) if r.split == "train"))
    for font in (*OF_THE_JUDGE, *OF_MODELS):
        try:
            heard = Notes.of(font_notes(font, IN_MODELS if font in OF_MODELS else (), random))
        except InputError as problem:
            tell(f"without its notes: {problem}")
            continue
        tell(f"{font.file}: {len(heard.label)} notes")
        notes += heard
    return notes


def fonts_among(paths: Iterable[Path]) -> list[tuple[str, str, str]]:
    """Return a card's rows on the fonts among files that were learned from: source, licence, what of it."""
    names = {path.name for path in paths}
    rows = [(font, "the ten instruments and others") for font in OF_THE_JUDGE]
    rows += [(font, f"without {' and '.join(IN_MODELS)}") for font in OF_MODELS]
    return [(font.source, font.licence, f"{font.file}: {what}") for font, what in rows if font.file in names]


def real_notes(tell: Tell, split: str) -> Notes:
    """Return real notes that the judge never learns from: the Philharmonia's, and Medley-solos-DB's own split."""
    notes = [r for r in read_philharmonia(tell, sample_rate=SAMPLE_RATE) if r.split == split]
    phrases = [r for r in read_medley_solos(tell, sample_rate=SAMPLE_RATE) if r.split == split]
    return Notes.of([*notes, *pieces(phrases)])
