"""Activations the score allows, and which note owns how much of each.

Zunner 2021, section 2.2.1.2, allows a template wherever its note sounds, give or take a tolerance. Here the allowed
region starts at a guess of the note's decay, a note rings on after its key is up when nothing is known of the pedal,
and where two notes share a template (both hands on one pitch) their expected energies divide it: the templates of one
pitch are the same for both hands, only the activations have owners.

Conventions: activations are rows × frames (rows: `TemplateLayout`); frame n is centred on n · hop seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.hands.templates import TemplateLayout
from terzetto.score.notes import Score

Float = NDArray[np.float32]

BEFORE = 0.1
"""A note may begin this much before the score says, in seconds: alignment is never perfect."""
AFTER = 0.2
"""A note may sound this much beyond its damper, in seconds."""
ONSET = 0.12
"""How long the onset template of a note stays allowed, in seconds."""
RING = 1.5
"""How long a note may ring after its key is up when the score has no pedal, in seconds."""
UNLIKELY = 0.02
"""A hand less likely than this to have played a note gets nothing of it: it would be heard where it is alone."""

_DAMPED = 6.0  # decay per second after key up when the pedal is unknown; doubled when it is known to be up
_RESTRUCK = 20.0  # decay per second once the same hand strikes the key again
_UNKNOWN_LEVEL = 0.3
_ONSET_LEVEL = 0.2


@dataclass(frozen=True)
class NoteActivations:
    """What each note of a score is expected to do in a range of frames.

    Attributes
    ----------
    layout : TemplateLayout
    frames : int
    note : int64 (m,)
        The notes of the score that sound here.
    pitch : int64 (m,)
        Their index into ``layout.pitches``.
    first : int64 (m,)
        Their first frame.
    level : list of m float32 arrays
        Their expected amplitude, frame by frame from ``first``.
    onset_frames : int64 (m,)
        For how many of these frames the onset template is allowed.
    strength : float64 (m,)
        Their amplitude at the onset.
    stage : int8 (pitches, frames)
        Which of the pitch's stages is on; −1 where it is silent.
    """

    layout: TemplateLayout
    frames: int
    note: NDArray[np.int64]
    pitch: NDArray[np.int64]
    first: NDArray[np.int64]
    level: list[Float]
    onset_frames: NDArray[np.int64]
    strength: NDArray[np.float64]
    stage: NDArray[np.int8]

    def initial(self) -> Float:
        """Return the activations to start from, rows × frames; zero where the score allows none."""
        layout = self.layout
        harmonic, onset = self._amplitudes()
        H = np.zeros((layout.rows, self.frames), np.float32)
        for stage in range(layout.stages):
            rows = slice(stage, layout.harmonic_rows, layout.stages)
            H[rows] = np.where(self.stage == stage, harmonic, 0.0)
        H[layout.harmonic_rows :] = _ONSET_LEVEL * onset
        return H

    def sounding(self) -> NDArray[np.bool_]:
        """Return whether each pitch sounds, pitches × frames."""
        return np.asarray(self.stage >= 0)

    def _amplitudes(self) -> tuple[Float, Float]:
        """Return all notes' expected amplitude for harmonic and onset templates, pitches × frames."""
        harmonic = np.zeros((len(self.layout.pitches), self.frames), np.float32)
        onset = np.zeros_like(harmonic)
        for i, (first, pitch) in enumerate(zip(self.first, self.pitch, strict=True)):
            harmonic[pitch, first : first + len(self.level[i])] += self.level[i]
            onset[pitch, first : first + self.onset_frames[i]] += self.strength[i]
        return harmonic, onset

    def divide(self, H: Float, part: NDArray[np.int64], right: NDArray[np.float64] | None = None) -> Parts:
        """Divide activations among parts of the score: their energies as the expected energies of the notes.

        Parameters
        ----------
        H
            rows × frames.
        part
            The part each note of the score belongs to, from 0; −1 belongs to none.
        right
            How likely part 1, the right hand, owns each note of the score, and else part 0. A note's energy is then
            divided as these two, which makes the stems the best guess in the mean square; ``part`` does not count.
        """
        member, own, weight = np.arange(len(self.note)), part[self.note], np.ones(len(self.note))
        if right is not None:
            likely = right[self.note]
            likely = np.where(likely < UNLIKELY, 0.0, np.where(likely > 1.0 - UNLIKELY, 1.0, likely))
            member, own = np.tile(member, 2), np.repeat([0, 1], len(member))
            weight = np.sqrt(np.concatenate([1.0 - likely, likely]))
        claimed = (own >= 0) & (weight > 0)
        return Parts(self, H, member[claimed], own[claimed], weight[claimed])

    def _of(self, members: NDArray[np.int64], weights: NDArray[np.float64]) -> tuple[int, Float, Float]:
        """First frame and summed amplitudes (harmonic, onset) of some notes of one pitch."""
        start = int(self.first[members].min())
        stop = max(int(self.first[i]) + len(self.level[i]) for i in members)
        levels, onsets = np.zeros(stop - start, np.float32), np.zeros(stop - start, np.float32)
        for i, weight in zip(members, weights.tolist(), strict=True):
            at = int(self.first[i]) - start
            levels[at : at + len(self.level[i])] += weight * self.level[i]
            onsets[at : at + int(self.onset_frames[i])] += weight * self.strength[i]
        return start, levels, onsets


@dataclass(frozen=True)
class Parts:
    """Activations divided among parts; see `NoteActivations.divide`.

    Attributes
    ----------
    notes : NoteActivations
    H : float32 (rows, frames)
    member, own : int64 (k,)
        Which note each claim is on, and which part makes it.
    weight : float64 (k,)
        What of the note's amplitude is claimed.
    """

    notes: NoteActivations
    H: Float
    member: NDArray[np.int64]
    own: NDArray[np.int64]
    weight: NDArray[np.float64]

    @cached_property
    def _energies(self) -> tuple[Float, Float]:
        """Expected energies of all parts for harmonic and onset templates, pitches × frames."""
        harmonic = np.zeros((len(self.notes.layout.pitches), self.notes.frames), np.float32)
        onset = np.zeros_like(harmonic)
        # Energies add per part, amplitudes within one part; most parts own few notes, so only these are visited.
        for part in np.unique(self.own):
            for pitch, start, levels, onsets in self._expected(int(part)):
                harmonic[pitch, start : start + len(levels)] += levels**2
                onset[pitch, start : start + len(onsets)] += onsets**2
        return harmonic, onset

    def _expected(self, part: int) -> Iterator[tuple[int, int, Float, Float]]:
        """Yield each pitch of a part, its first frame, and its expected amplitudes (harmonic, onset) from there."""
        claims = np.flatnonzero(self.own == part)
        pitches = self.notes.pitch[self.member[claims]]
        for pitch in np.unique(pitches):
            mine = claims[pitches == pitch]
            yield int(pitch), *self.notes._of(self.member[mine], self.weight[mine])

    def activations(self, part: int) -> tuple[NDArray[np.int64], Float]:
        """Return the rows that a part uses and its activations there, rows × frames."""
        layout = self.notes.layout
        harmonic, onset = self._energies
        rows, found = [np.zeros(0, np.int64)], [np.zeros((0, self.notes.frames), np.float32)]
        for pitch, start, levels, onsets in self._expected(part):
            span = slice(start, start + len(levels))
            mine = layout.rows_of(pitch)
            result = np.zeros((len(mine), self.notes.frames), np.float32)
            result[:-1, span] = self.H[mine[:-1], span] * _share(levels, harmonic[pitch, span])
            result[-1, span] = self.H[mine[-1], span] * _share(onsets, onset[pitch, span])
            rows.append(mine)
            found.append(result)
        return np.concatenate(rows), np.concatenate(found)

    def dense(self, part: int) -> Float:
        """Return a part's activations for all rows, rows × frames."""
        rows, activations = self.activations(part)
        result = np.zeros_like(self.H)
        result[rows] = activations
        return result


class ExpectedNotes:
    """A score's notes on a grid of frames: what `activate` lays down, prepared once for many stretches."""

    def __init__(self, score: Score, layout: TemplateLayout, grid: FrameGrid) -> None:
        self._score, self._layout, self._hop = score, layout, grid.hop_seconds
        pedal_known = len(score.pedal) > 0
        self._again = _next_strike(score)
        self._end = np.minimum(score.sounding_offset(), self._again)
        limit = (self._end if pedal_known else np.minimum(score.offset + RING, self._again)) + AFTER
        self._strength = score.velocity**2 if score.has_velocity else np.full(len(score), _UNKNOWN_LEVEL)
        self._begin = np.ceil((score.onset - BEFORE) / self._hop).astype(np.int64)
        self._limit = limit / self._hop
        self._last = np.floor(self._limit).astype(np.int64)
        self._onset_stop = np.floor((score.onset + ONSET) / self._hop).astype(np.int64) + 1
        self._pitch = np.searchsorted(layout.pitches, score.pitch)
        self._decay = np.array([_decay_time(int(pitch)) for pitch in score.pitch])
        self._damping = _DAMPED * (2.0 if pedal_known else 1.0)

    def between(self, first_frame: int, last_frame: int) -> NoteActivations:
        """Lay the notes over the frames [first_frame, last_frame)."""
        layout, onset = self._layout, self._score.onset
        begin_at = np.maximum(self._begin, first_frame)
        stop_at = np.minimum(np.maximum(np.minimum(self._last, last_frame - 1), begin_at) + 1, last_frame)
        note = np.flatnonzero((begin_at < last_frame) & (self._limit >= first_frame) & (stop_at > begin_at))
        pitch = self._pitch[note]
        stage = np.full((len(layout.pitches), last_frame - first_frame), -1, np.int8)
        level: list[Float] = []
        for i, row in zip(note, pitch, strict=True):
            time = np.arange(begin_at[i], stop_at[i]) * self._hop
            age = time - onset[i]
            decay = (
                np.maximum(age, 0.0) / self._decay[i]
                + self._damping * np.maximum(time - self._end[i], 0.0)
                + _RESTRUCK * np.maximum(time - self._again[i], 0.0)
            )
            level.append((self._strength[i] * np.exp(-decay)).astype(np.float32))
            # Notes come in order of their onsets: the latest sets the stage.
            stage[row, begin_at[i] - first_frame : stop_at[i] - first_frame] = np.searchsorted(
                layout.edges, age, side="right"
            )
        return NoteActivations(
            layout,
            last_frame - first_frame,
            note,
            pitch,
            begin_at[note] - first_frame,
            level,
            np.clip(np.minimum(self._onset_stop[note], stop_at[note]) - begin_at[note], 0, None),
            self._strength[note],
            stage,
        )


def activate(
    score: Score, layout: TemplateLayout, grid: FrameGrid, first_frame: int, last_frame: int
) -> NoteActivations:
    """Lay the notes of a score over the frames [first_frame, last_frame).

    With velocities in the score, notes start at the square of theirs; with pedal, they end where their damper falls.
    """
    return ExpectedNotes(score, layout, grid).between(first_frame, last_frame)


def _decay_time(pitch: int) -> float:
    """Typical time in seconds in which a string's amplitude falls to 1/e."""
    return float(2.5 * 2.0 ** (-(pitch - 48) / 18))


def _next_strike(score: Score) -> NDArray[np.float64]:
    """When the same hand strikes the same key again, in seconds; infinite if never."""
    result = np.full(len(score), np.inf)
    upcoming: dict[tuple[int, int], float] = {}
    for i in range(len(score) - 1, -1, -1):
        key = (int(score.pitch[i]), int(score.hand[i]))
        following = upcoming.get(key, np.inf)
        if following > score.onset[i] + 1e-4:
            result[i] = following
        upcoming[key] = float(score.onset[i])
    return result


def _share(amplitude: Float, energy: Float) -> Float:
    """Return amplitude / √energy; 0 where nothing is expected."""
    return np.divide(amplitude, np.sqrt(energy), out=np.zeros_like(amplitude), where=energy > 0)
