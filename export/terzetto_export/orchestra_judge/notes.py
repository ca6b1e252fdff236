"""What the second judge learns from: the players' notes, sound fonts, Medley-solos-DB; as they are and resynthesised.

Of the Philharmonia's notes each fold learns the training split's of all pitches but every fourth. So whatever note is
judged, the fold that judges it never heard a player's note of that pitch, but those of its neighbours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError
from terzetto.timbre.conversion import stream_grid
from terzetto_export.instrument_data.medley_solos import read_medley_solos
from terzetto_export.instrument_data.names import INSTRUMENTS
from terzetto_export.instrument_data.philharmonia import read_philharmonia
from terzetto_export.instrument_data.recordings import SAMPLE_RATE as FULL_RATE
from terzetto_export.instrument_data.recordings import Recording, Tell
from terzetto_export.instrument_data.sms_tools import read_sms_tools
from terzetto_export.instrument_judge.features import SAMPLE_RATE
from terzetto_export.instrument_judge.fonts import OF_MODELS, OF_THE_JUDGE
from terzetto_export.instrument_judge.notes import IN_MODELS, font_notes, label_of, pieces
from terzetto_export.orchestra_judge.features import frames
from terzetto_export.orchestra_judge.network import FOLDS
from terzetto_export.orchestra_judge.resynthesis import resynthesised
from terzetto_export.transcription.sound_fonts import SoundFont
from terzetto_export.xsynth.analysis import take_apart
from terzetto_export.xsynth.data import analysis_grid

PLAYERS, AGAIN = "philharmonia", " resynthesised"
EVERY = 8
"""Of the sound fonts' notes, one in so many is resynthesised too."""


@dataclass(frozen=True)
class Notes:
    """Notes as the second judge hears them.

    Attributes
    ----------
    levels : float32 (n, FRAMES, BINS)
        See `features.frames`.
    label : int64 (n,)
        Index into `CLASSES`.
    pitch : int64 (n,)
        MIDI note, -1 where nobody says it.
    source : tuple of str
        Of each; `AGAIN` at its end if it was resynthesised.
    paths : frozenset of Path
        Files that they come from.
    """

    levels: NDArray[np.float32]
    label: NDArray[np.int64]
    pitch: NDArray[np.int64]
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
        heard = [(frames(each.audio, each.sample_rate), each) for each in recordings]
        if not heard:
            raise InputError("there is no sound to hear: the judge needs sound fonts or recordings")
        return cls(
            np.stack([levels for levels, _ in heard]),
            np.array([label_of(each) for _, each in heard], np.int64),
            np.array([-1 if each.pitch is None else each.pitch for _, each in heard], np.int64),
            tuple(each.source for _, each in heard),
            frozenset(each.path for _, each in heard),
        )

    def __add__(self, other: Notes) -> Notes:
        """Return both."""
        return Notes(
            np.concatenate([self.levels, other.levels]),
            np.concatenate([self.label, other.label]),
            np.concatenate([self.pitch, other.pitch]),
            self.source + other.source,
            self.paths | other.paths,
        )

    def of_source(self, *sources: str) -> NDArray[np.bool_]:
        """Return which notes (n,) come from some sources, resynthesised ones too."""
        return np.array([source.removesuffix(AGAIN) in sources for source in self.source], np.bool_)


def learned_by(fold: int, notes: Notes) -> NDArray[np.bool_]:
    """Return which notes (n,) a fold learns: of the players' notes all pitches but its own, and all of the others."""
    return np.asarray(~notes.of_source(PLAYERS) | (notes.pitch % FOLDS != fold))


def judging_fold(pitch: int) -> int:
    """Return the fold that judges a pitch: the one whose own it is, and which learned all others."""
    return pitch % FOLDS


def again(recordings: Iterable[Recording], random: np.random.Generator) -> list[Recording]:
    """Return notes of known pitch resynthesised, named so."""
    grid, made = analysis_grid(stream_grid(FULL_RATE, False).hop_length), []
    for each in recordings:
        assert each.pitch is not None
        audio = each.audio
        if each.sample_rate != FULL_RATE:
            import soxr

            audio = soxr.resample(audio, each.sample_rate, FULL_RATE)
        sound = take_apart(audio, 440.0 * 2.0 ** ((each.pitch - 69) / 12), grid)
        audio = resynthesised(sound, grid, random)
        if np.abs(audio).max() > 1e-4:
            made.append(replace(each, audio=audio, sample_rate=SAMPLE_RATE, source=each.source + AGAIN))
    return made


def training_notes(tell: Tell, seed: int) -> Notes:
    """Return all that the folds learn from; a font that is not installed is named and left out."""
    notes = of_phrases(tell)
    players = [r for r in read_philharmonia(tell, sample_rate=FULL_RATE) if r.split == "train"]
    for name in sorted({each.instrument for each in players}):
        notes += of_players([each for each in players if each.instrument == name], seed)
    for font in (*OF_THE_JUDGE, *OF_MODELS):
        try:
            notes += of_font(font, seed)
        except InputError as problem:
            tell(f"without its notes: {problem}")
    counts = Counter(notes.source)
    tell(", ".join(f"{source} {number}" for source, number in sorted(counts.items())))
    return notes


def of_phrases(tell: Tell) -> Notes:
    """Return pieces of Medley-solos-DB's training phrases."""
    return Notes.of(pieces(r for r in read_medley_solos(tell, sample_rate=SAMPLE_RATE) if r.split == "train"))


def of_players(recordings: Sequence[Recording], seed: int) -> Notes:
    """Return the notes of one instrument of the Philharmonia, as they are and resynthesised."""
    random = np.random.default_rng((seed, INSTRUMENTS.index(recordings[0].instrument)))
    return Notes.of([*recordings, *again(recordings, random)])


def of_font(font: SoundFont, seed: int) -> Notes:
    """Return a font's notes, some of them resynthesised too."""
    random = np.random.default_rng((seed, len(INSTRUMENTS) + (*OF_THE_JUDGE, *OF_MODELS).index(font)))
    heard = list(font_notes(font, IN_MODELS if font in OF_MODELS else (), random))
    return Notes.of([*heard, *again(heard[::EVERY], random)])


def held_out(tell: Tell, split: str, seed: int = 1) -> Notes:
    """Return the players' notes of a split, as they are and resynthesised, and Medley-solos-DB's of that split."""
    players = [r for r in read_philharmonia(tell, sample_rate=FULL_RATE) if r.split == split]
    phrases = [r for r in read_medley_solos(tell, sample_rate=SAMPLE_RATE) if r.split == split]
    return Notes.of([*players, *again(players, np.random.default_rng(seed)), *pieces(phrases)])


def other_source(tell: Tell) -> list[Recording]:
    """Return sms-tools' recordings, of which the judge has heard nothing: single notes, and pieces of its phrases."""
    recordings = read_sms_tools(tell, sample_rate=SAMPLE_RATE)
    single: Sequence[Recording] = [each for each in recordings if each.pitch is not None]
    return [*single, *pieces(each for each in recordings if each.pitch is None)]
