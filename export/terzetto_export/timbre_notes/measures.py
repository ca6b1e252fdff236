"""Converts the melodies and measures each note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from terzetto.evaluate.pitch_tracks import STEP, TRACKERS, Track, contour_error, pitch_error
from terzetto.evaluate.timbre import NoteResult, attack_time, loudness_error, mfcc
from terzetto_export.instrument_data.names import PITCH_RANGES
from terzetto_export.instrument_data.sound_font_notes import Note
from terzetto_export.instrument_judge.judge import Judge
from terzetto_export.timbre_notes.melodies import SAMPLE_RATE, Melody
from terzetto_export.timbre_notes.methods import IDENTITY, Converter
from terzetto_export.timbre_notes.targets import Real

Float = NDArray[np.float32]
_TAIL = 0.08
"""Seconds after a note's release that still are heard with it."""
SILENT = 1e-5
NOBODY = 99
"""The rank of the target in a note that is silent."""
Bench = tuple[Judge, Mapping[str, Real]]
"""A judge, and by target what it says of real notes."""


@dataclass(frozen=True)
class Piece:
    """A converted melody: what it was, what it was turned into, and its tracks by tracker."""

    melody: Melody
    target: str
    audio: Float
    tracks: dict[str, Track]


def converted(melody: Melody, target: str, convert: Converter, step: float = STEP) -> Piece:
    """Convert a melody and track its pitch."""
    audio = convert(melody.audio, target)
    return Piece(melody, target, audio, {name: track(audio, SAMPLE_RATE, step) for name, track in TRACKERS.items()})


def measure_notes(piece: Piece, judges: Mapping[str, Bench]) -> dict[str, list[NoteResult]]:
    """Return by judge what is measured of each note of a converted melody.

    A note that is silent is heard as nothing and has no distance.
    """
    notes = piece.melody.notes
    sounds = [_note(piece.audio, note.onset, note.duration) for note in notes]
    heard = [i for i, sound in enumerate(sounds) if np.abs(sound).max() > SILENT]
    coefficients = {i: mfcc(sounds[i], SAMPLE_RATE) for i in heard}
    plain = [_without_a_judge(piece, note, sound) for note, sound in zip(notes, sounds, strict=True)]
    results: dict[str, list[NoteResult]] = {}
    for name, (judge, real) in judges.items():
        found = results[name] = list(plain)
        if not heard:
            continue
        verdict = judge.hear([sounds[i] for i in heard], SAMPLE_RATE, [notes[i].pitch for i in heard])
        target = real[piece.target]
        for row, i in enumerate(heard):
            distances = target.distances(notes[i].pitch, coefficients[i], verdict.embeddings[row])
            found[i] = replace(
                plain[i],
                heard=verdict.instruments[row],
                rank=verdict.rank(row, piece.target),
                accepted=bool(verdict.likelihood[row, judge.classes.index(piece.target)] >= target.accepted),
                mfcc=distances[0],
                embedding=distances[1],
            )
    return results


def _without_a_judge(piece: Piece, note: Note, sound: Float) -> NoteResult:
    """Return what no judge is needed for; nothing is heard."""
    original = _note(piece.melody.audio, note.onset, note.duration)
    low, high = PITCH_RANGES[piece.target]
    attack = attack_time(piece.audio, SAMPLE_RATE, note.onset)
    return NoteResult(
        unit=f"{piece.melody.name} {piece.melody.notes.index(note)}",
        target=piece.target,
        in_range=low <= note.pitch <= high,
        cents={name: pitch_error(track, note.onset, note.duration, note.pitch) for name, track in piece.tracks.items()},
        heard="",
        rank=NOBODY,
        accepted=False,
        mfcc=float("nan"),
        embedding=float("nan"),
        attack=attack - attack_time(piece.melody.audio, SAMPLE_RATE, note.onset),
        loudness=loudness_error(original, sound, SAMPLE_RATE),
    )


def measure_gesture(piece: Piece, wanted: Sequence[Track]) -> list[dict[str, float]]:
    """Return how each moving note is followed: `contour_error` to the input's own pitch, by each tracker.

    Parameters
    ----------
    piece
    wanted
        The input's tracks, in the order of `TRACKERS`.

    Returns
    -------
    list of dict
        ``TRACKER cents`` and ``TRACKER lost``; pYIN's cents know steps of 20.
    """
    results = []
    for note in piece.melody.notes:
        span = note.onset + 0.1, note.onset + note.duration - 0.05
        found: dict[str, float] = {}
        for name, track in zip(TRACKERS, wanted, strict=True):
            found |= {f"{name} {key}": value for key, value in contour_error(track, piece.tracks[name], *span).items()}
        results.append(found)
    return results


def convert_all(
    melodies: Sequence[Melody], targets: Sequence[str], convert: Converter, jobs: int = 1, step: float = STEP
) -> list[Piece]:
    """Convert each melody to each target, in ``jobs`` processes."""
    if convert.method == IDENTITY:  # whatever the target, so one conversion is enough
        once = [converted(melody, targets[0], convert, step) for melody in melodies]
        return [replace(piece, target=target) for target in targets for piece in once]
    pairs = [(melody, target) for target in targets for melody in melodies]
    if jobs == 1:
        return [converted(melody, target, convert, step) for melody, target in pairs]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        return list(pool.map(partial(_converted_pair, convert, step), pairs))


def _converted_pair(convert: Converter, step: float, pair: tuple[Melody, str]) -> Piece:
    return converted(*pair, convert, step)


def _note(audio: Float, onset: float, duration: float) -> Float:
    return audio[round(onset * SAMPLE_RATE) : round((onset + duration + _TAIL) * SAMPLE_RATE)]
