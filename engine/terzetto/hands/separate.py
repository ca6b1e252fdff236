"""Separate a piano take by its score: the whole way from audio and notes to stems.

A take of any length runs in bounded memory: templates are learned once (on all frames, or in long takes on frames
chosen so that every template is heard), then the take is worked through in segments, and the spectra of a segment are
rebuilt piece by piece.
"""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.audio.files import ArrayTake, Take
from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError, TerzettoWarning
from terzetto.hands import coherence, sampling
from terzetto.hands.activations import NoteActivations, activate
from terzetto.hands.analysis import Analysis, magnitudes, scale_to
from terzetto.hands.factorise import Factorisation, Options, find
from terzetto.hands.parts import RESIDUAL, Grouping, group
from terzetto.hands.segment import Segment
from terzetto.hands.settings import Settings
from terzetto.hands.templates import TemplateLayout, estimate_tuning, informed_templates
from terzetto.parallel import in_parallel
from terzetto.progress import Progress, between, silent
from terzetto.score.notes import Score

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

WINDOW = 4096 / 22050
"""Length of the analysis window in seconds."""
HIGHEST = 11025.0
"""Highest frequency that is factorised, in Hz; masks are continued above it."""

_SEGMENT = 260.0  # seconds factorised and rebuilt at once
_ONSET_PRIOR = 10.0  # weight of the onset templates' start, in mean activations


class Separation:
    """A take with its score, analysed; `stems` then yields its stems piece by piece.

    Raises
    ------
    InputError
        The score does not overlap the take, or does not tell the hands apart where that is asked for.
    """

    def __init__(
        self,
        take: Take,
        score: Score,
        settings: Settings | None = None,
        progress: Progress = silent,
        window: float = WINDOW,
    ) -> None:
        self.take, self.settings = take, settings or Settings()
        self.score = within_take(score, take)
        if self.settings.doubt == "decide":
            self.score = self.score.with_hands(self.score.hand)
        self.grouping: Grouping = group(self.score, self.settings.by)
        self.grid = FrameGrid.from_seconds(take.sample_rate, window)
        self.bins = self.grid.bins_up_to(HIGHEST)
        self.frames = self.grid.frames_for(take.frames)
        self.silent = True
        self._factoriser = find(self.settings.method)
        self._progress = progress
        self.analysis = self._analyse(between(progress, 0.0, 0.5))
        # What has been heard of the templates' phases so far; segments add to it.
        self.phase = coherence.PhaseAdvance.empty(
            self.analysis.layout.rows, min(self.grid.bins_up_to(coherence.HIGHEST), self.bins)
        )
        if self.silent:
            warnings.warn("the take is silent, and so are its stems", TerzettoWarning, stacklevel=2)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stems; ``residual`` comes last. They sum to the take."""
        return (*self.grouping.names, RESIDUAL)

    def stems(self) -> Iterator[tuple[str, Float]]:
        """Yield (name, block), blocks channels × frames; the blocks of one stem follow each other in time."""
        progress = between(self._progress, 0.5, 1.0)
        done = 0
        for first, last in self.segments():
            segment = Segment(self, first, last)
            for start, blocks in segment.pieces():
                yield from zip(self.names, blocks, strict=True)
                done = start + blocks[0].shape[1]
                progress("rebuilding", done / max(self.take.frames, 1))
        progress("done", 1.0)

    def segments(self) -> list[tuple[int, int]]:
        """Return the frames divided into stretches of equal length that fit into memory."""
        longest = max(int(_SEGMENT / self.grid.hop_seconds), 1)
        count = -(-self.frames // longest)
        edges = np.linspace(0, self.frames, count + 1).round().astype(int)
        return [(int(a), int(b)) for a, b in itertools.pairwise(edges)]

    def _analyse(self, progress: Progress) -> Analysis:
        layout = TemplateLayout.of(self.score)
        numbers = sampling.choose_frames(
            self.score, layout, self.grid, self.frames, int(_SEGMENT / self.grid.hop_seconds)
        )
        runs = sampling.runs(numbers)
        V = np.empty((len(numbers), self.bins), np.float32)
        H0 = np.zeros((layout.rows, len(numbers)), np.float32)
        sounding = np.zeros((len(layout.pitches), len(numbers)), np.bool_)
        at = 0
        for first, last in runs:
            here = slice(at, at + last - first)
            spectra = self.spectra(first, last)
            if len(runs) == 1:
                self._low_spectra = spectra  # the whole take: heard again when phases are learned
            V[here] = magnitudes(spectra)
            notes = activate(self.score, layout, self.grid, first, last)
            H0[:, here], sounding[:, here] = notes.initial(), notes.sounding()
            at += last - first
            progress("listening", 0.4 * at / len(numbers))
        self.silent = not V.any()
        tuning = 0.0 if self.silent else estimate_tuning(V, sounding, layout, self.grid)
        W0 = informed_templates(layout, self.grid, self.bins, tuning)
        H0 = scale_to(V, H0)
        progress("factorising", 0.4)
        return Analysis(self.grid, layout, tuning, V, W0, H0, self._factorise(V, W0, H0, layout, progress), numbers)

    def _factorise(self, V: Float, W0: Float, H0: Float, layout: TemplateLayout, progress: Progress) -> Factorisation:
        """Factorise with a prior on the onset templates: pseudo-frames that show nothing but one template each.

        A pseudo-frame adds to every update what a conjugate prior would, so any factoriser gets it for nothing.
        """
        allowed = H0 > 0
        weight = _ONSET_PRIOR * float(V.sum(dtype=np.float64)) / max(int(allowed.sum()), 1)
        onsets = np.arange(layout.harmonic_rows, layout.rows)
        shown = np.zeros((layout.rows, len(onsets)), np.float32)
        shown[onsets, np.arange(len(onsets))] = weight

        def step(done: int, total: int) -> None:
            progress("factorising", 0.4 + 0.6 * done / total)

        options = replace(self.settings.options, threads=self.settings.threads, progress=step)
        found = self._factoriser(
            np.concatenate([V, np.float32(weight) * W0[onsets]]), W0, np.concatenate([H0, shown], axis=1), options
        )
        return replace(found, H=np.ascontiguousarray(found.H[:, : len(V)]))

    def spectra(self, first: int, last: int) -> Complex:
        """Return the analysed part of the spectra of frames [first, last), channels × frames × bins."""
        bins = self.bins
        result = np.empty((self.take.channels, last - first, bins), np.complex64)
        step = 256

        def work(job: tuple[int, Float]) -> None:
            at, samples = job
            block = self.grid.stft(samples)[..., :bins]
            result[:, at : at + block.shape[1]] = block

        def jobs() -> Iterator[tuple[int, Float]]:
            for at in range(first, last, step):
                yield at - first, self.take.read(*self.grid.sample_range(at, min(at + step, last)))

        for _ in in_parallel(work, jobs(), self.settings.threads):
            pass
        return result

    def activations(self, first: int, last: int, low: Complex) -> tuple[NoteActivations, Float]:
        """Return what the score expects of the frames [first, last) and their activations; ``low``: their spectra."""
        notes = activate(self.score, self.analysis.layout, self.grid, first, last)
        if len(self.analysis.frame_numbers) == self.frames:
            H = self.analysis.found.H[:, first:last]
        else:
            V = magnitudes(low)
            H = self.analysis.found.infer(V, scale_to(V, notes.initial()))
        return notes, np.ascontiguousarray(H)

    def low_spectra(self, first: int, last: int) -> Complex:
        """Return the analysed part of the spectra, from the analysis if it was the whole take."""
        kept = getattr(self, "_low_spectra", None)
        if kept is not None and (first, last) == (0, self.frames):
            del self._low_spectra
            return kept  # type: ignore[no-any-return]
        return self.spectra(first, last)


def separate_hands(
    audio: ArrayLike,
    sample_rate: float,
    score: Score | str | os.PathLike[str] | None = None,
    *,
    method: str = "nmf",
    by: str = "hand",
    mask: str = "coherent",
    doubt: str = "share",
    options: Options | None = None,
    jobs: int = 0,
    progress: Progress = silent,
) -> dict[str, Float]:
    """Separate a piano recording into its hands, by its score or by what is heard of it.

    Parameters
    ----------
    audio
        (frames,) or (channels, frames), full scale ±1, mono or stereo.
    sample_rate
        In Hz.
    score
        The notes with their hands (`terzetto.read_score`), or the path of a score file. It is aligned with the
        recording to about a tenth of a second. None: the notes are heard from the recording.
    method, by, mask, doubt, options, jobs
        See `Settings`.

    Returns
    -------
    dict
        ``left_hand``, ``right_hand`` and ``residual`` (or the stems that ``by`` asks for), each float32 and shaped as
        ``audio``. They sum to it.

    Raises
    ------
    InputError
        Audio or score cannot be used; the message says why.
    """
    take = ArrayTake(audio, sample_rate)
    if score is None:
        from terzetto.score.hearing import hear

        score, progress = hear(take, between(progress, 0.0, 0.5)), between(progress, 0.5, 1.0)
    elif not isinstance(score, Score):
        from terzetto.score.read import read_score

        score = read_score(score)
    separation = Separation(take, score, Settings(method, by, mask, options or Options(), jobs, doubt), progress)
    pieces: dict[str, list[Float]] = {name: [] for name in separation.names}
    for name, block in separation.stems():
        pieces[name].append(block)
    shape = np.shape(audio)
    return {name: np.concatenate(blocks, axis=1).reshape(shape) for name, blocks in pieces.items()}


def within_take(score: Score, take: Take) -> Score:
    """Return the notes that begin within the take; warn when many do not, raise `InputError` when none does."""
    length = take.frames / take.sample_rate
    if not len(score):
        raise InputError("the score has no notes")
    inside = score.onset < length
    if not inside.any():
        raise InputError(
            f"the score does not overlap the audio: its first note is at {score.onset[0]:.2f} s, "
            f"the audio ends at {length:.2f} s; is it the score of another take?"
        )
    missing = int((~inside).sum())
    if missing > 0.1 * len(score):
        warnings.warn(
            f"{missing} of the score's {len(score)} notes lie after the end of the audio ({length:.1f} s)",
            TerzettoWarning,
            stacklevel=3,
        )
    return score.select(inside)
