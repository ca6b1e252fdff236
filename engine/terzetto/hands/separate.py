"""Separate a piano take by its score: the whole way from audio and notes to stems.

A take of any length runs in bounded memory: templates are learned once (on all frames, or in long takes on frames
chosen so that every template is heard), then the take is worked through in segments, and the spectra of a segment are
rebuilt piece by piece.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.audio.files import ArrayTake, Take
from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError, TerzettoWarning
from terzetto.hands import coherence, masks, sampling
from terzetto.hands.activations import Parts, activate
from terzetto.hands.factorise import Factorisation, Options, find
from terzetto.hands.parts import GROUPINGS, Grouping, group
from terzetto.hands.templates import TemplateLayout, estimate_tuning, informed_templates
from terzetto.progress import Progress, between, silent
from terzetto.score.notes import Score

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]
Job = TypeVar("Job")
Result = TypeVar("Result")

WINDOW = 4096 / 22050
"""Length of the analysis window in seconds."""
HIGHEST = 11025.0
"""Highest frequency that is factorised, in Hz; masks are continued above it."""
MASKS = ("coherent", *masks.EXPONENTS)

_SEGMENT = 260.0  # seconds factorised and rebuilt at once
_CONTEXT = 1.5  # seconds heard around a piece that is rebuilt
_PIECE = 12.0  # seconds rebuilt at once
_ONSET_PRIOR = 10.0  # weight of the onset templates' start, in mean activations


@dataclass(frozen=True)
class Settings:
    """How to separate.

    Attributes
    ----------
    method : str
        A factoriser's name: ``nmf``, ``nae`` or one that a package adds.
    by : {'hand', 'pitch', 'note', 'track'}
        What becomes a stem.
    mask : {'coherent', 'wiener', 'ratio'}
        How the model parts the spectra; ``coherent`` uses phase and parts hands only.
    options : Options
        What the factoriser is told.
    jobs : int
        Threads; 0 for as many as there are cores.
    """

    method: str = "nmf"
    by: str = "hand"
    mask: str = "coherent"
    options: Options = field(default_factory=Options)
    jobs: int = 0

    def __post_init__(self) -> None:
        if self.by not in GROUPINGS:
            raise InputError(f"stems by {self.by!r} are not known; valid: {', '.join(GROUPINGS)}")
        if self.mask not in MASKS:
            raise InputError(f"mask {self.mask!r} is not known; valid: {', '.join(MASKS)}")
        if not 0 <= self.jobs <= 1024:
            raise InputError(f"jobs must be 0 (all cores) to 1024; given {self.jobs}")

    @property
    def threads(self) -> int:
        """Threads to use."""
        return self.jobs or os.cpu_count() or 1


@dataclass(frozen=True)
class Analysis:
    """What was found out about a take (or, for a long one, about the frames chosen to learn from).

    Attributes
    ----------
    grid, layout, tuning
        Frames, templates, and the recording's tuning in semitones from A4 = 440 Hz.
    V : float32 (frames, bins)
    W0, H0 : float32
        Templates (rows × bins) and activations (rows × frames) before factorising.
    found : Factorisation
    frame_numbers : int64 (frames,)
        Which frames of the take these are.
    """

    grid: FrameGrid
    layout: TemplateLayout
    tuning: float
    V: Float
    W0: Float
    H0: Float
    found: Factorisation
    frame_numbers: NDArray[np.int64]


class Separation:
    """A take with its score, analysed; `stems` then yields its stems piece by piece.

    Raises
    ------
    InputError
        The score does not overlap the take, or does not tell the hands apart where that is asked for.
    """

    def __init__(self, take: Take, score: Score, settings: Settings | None = None, progress: Progress = silent) -> None:
        self.take, self.settings = take, settings or Settings()
        self.score = _check_score(score, take)
        self.grouping: Grouping = group(self.score, self.settings.by)
        self.grid = FrameGrid.from_seconds(take.sample_rate, WINDOW)
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
        return (*self.grouping.names, "residual")

    def stems(self) -> Iterator[tuple[str, Float]]:
        """Yield (name, block), blocks channels × frames; the blocks of one stem follow each other in time."""
        progress = between(self._progress, 0.5, 1.0)
        done = 0
        for first, last in self._segments():
            segment = _Segment(self, first, last)
            for start, blocks in segment.pieces():
                yield from zip(self.names, blocks, strict=True)
                done = start + blocks[0].shape[1]
                progress("rebuilding", done / max(self.take.frames, 1))
        progress("done", 1.0)

    # The frames are divided into segments of equal length, none longer than _SEGMENT.
    def _segments(self) -> list[tuple[int, int]]:
        longest = max(int(_SEGMENT / self.grid.hop_seconds), 1)
        count = -(-self.frames // longest)
        edges = np.linspace(0, self.frames, count + 1).round().astype(int)
        return [(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]

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

    def spectra(self, first: int, last: int, *, whole: bool = False) -> Complex:
        """Return the spectra of frames [first, last), channels × frames × bins; ``whole``: up to half the sample rate."""
        bins = self.grid.bins if whole else self.bins
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

    def low_spectra(self, first: int, last: int) -> Complex:
        """Return the analysed part of the spectra, from the analysis if it was the whole take."""
        kept = getattr(self, "_low_spectra", None)
        if kept is not None and (first, last) == (0, self.frames):
            del self._low_spectra
            return kept  # type: ignore[no-any-return]
        return self.spectra(first, last)


class _Segment:
    """A stretch of frames, factorised with the learned templates, and how it is rebuilt."""

    def __init__(self, separation: Separation, first: int, last: int) -> None:
        self.of = separation
        grid = separation.grid
        context = int(_CONTEXT / grid.hop_seconds)
        self.first, self.last = max(first - context, 0), min(last + context, separation.frames)
        end = separation.take.frames if last == separation.frames else last * grid.hop_length
        self.samples = (first * grid.hop_length, min(end, separation.take.frames))
        analysis = separation.analysis
        notes = activate(separation.score, analysis.layout, grid, self.first, self.last)
        low = separation.low_spectra(self.first, self.last)
        if len(analysis.frame_numbers) == separation.frames:
            H = analysis.found.H[:, self.first : self.last]
        else:
            V = magnitudes(low)
            H = analysis.found.infer(V, scale_to(V, notes.initial()))
        H = np.ascontiguousarray(H)
        self.parts: Parts = notes.divide(H, separation.grouping.part)
        self.sounds: NDArray[np.bool_] = np.any(H > 0, axis=0)
        if separation.settings.mask == "coherent" and separation.grouping.hands:
            phase = separation.phase
            low = np.ascontiguousarray(low[..., : phase.bins])
            W = np.ascontiguousarray(analysis.found.W[:, : phase.bins])
            phase.hear(low, W, H, separation.settings.threads)
            self.turning = phase.turning(W, grid, analysis.layout.harmonic_rows)
            self.peak = phase.peak
            self.left, self.right = self.parts.dense(0), self.parts.dense(1)
            power = np.sum(low.real**2 + low.imag**2, axis=1)
            mean = power.mean(axis=0)
            self.gain = np.sqrt(np.divide(power, mean, out=np.ones_like(power), where=mean > 0)).astype(np.float32)

    def pieces(self) -> Iterator[tuple[int, list[Float]]]:
        """Yield (first sample, one block per stem) from the beginning to the end."""
        hop = self.of.grid.hop_length
        length = max(int(_PIECE * self.of.take.sample_rate) // hop, 1) * hop
        start, stop = self.samples

        def jobs() -> Iterator[tuple[int, int]]:
            for at in range(start, stop, length):
                yield at, min(at + length, stop)

        yield from in_parallel(self._rebuild, self._read(jobs()), self.of.settings.threads)

    def _read(self, spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int, int, int, Float]]:
        """Add to each span of samples the frames that matter for it and the samples those need."""
        of, grid = self.of, self.of.grid
        context = int(_CONTEXT / grid.hop_seconds) if hasattr(self, "turning") else 0
        for start, stop in spans:
            first, last = grid.frame_range(start, stop, of.frames)
            first, last = max(first - context, self.first), min(last + context, self.last)
            yield start, stop, first, last, of.take.read(*grid.sample_range(first, last))

    def _rebuild(self, job: tuple[int, int, int, int, Float]) -> tuple[int, list[Float]]:
        start, stop, first, last, samples = job
        grid, of = self.of.grid, self.of
        here = slice(first - self.first, last - self.first)
        origin = start - grid.sample_range(first, last)[0]
        take = samples[:, origin : origin + stop - start]
        spectra = grid.stft(samples)  # channels × frames × bins

        def sound(part: Complex) -> Float:
            return grid.istft(part)[:, origin : origin + stop - start]

        blocks: list[Float] = []
        if hasattr(self, "turning"):
            blocks.append(sound(self._left(spectra, here)))
            # What no note can explain, where no note sounds; the right hand is then the rest.
            quiet = ~self.sounds[here]
            residual = np.zeros_like(take)
            if quiet.any():
                residual = sound(spectra * quiet[:, None])
            blocks += [take - blocks[0] - residual, residual]
        else:
            for mask in self._masks(here):
                blocks.append(sound(spectra * masks.continue_to_top(mask, grid.bins, grid.bin_hz)))
            rest = take.copy()
            for block in blocks:
                rest -= block
            blocks.append(rest)
        if of.silent:
            blocks = [np.zeros_like(take) for _ in blocks]
        return start, blocks

    def _left(self, spectra: Complex, here: slice) -> Complex:
        """The left hand's spectra, all channels."""
        of, W = self.of, self.of.analysis.found.W
        H_left = np.ascontiguousarray(self.left[:, here])
        H_right = np.ascontiguousarray(self.right[:, here])
        low = self.turning.shape[1]
        models = [H.T @ W[:, low:] for H in (H_left, H_right)]
        mask = masks.continue_to_top(masks.soft_masks(models, 2.0)[0], of.grid.bins - low, of.grid.bin_hz)
        left = np.empty_like(spectra)
        left[..., low:] = spectra[..., low:] * mask
        for channel, gain in enumerate(self.gain):
            left[channel, :, :low] = coherence.split_hands(
                np.ascontiguousarray(spectra[channel, :, :low]),
                np.ascontiguousarray(W[:, :low]),
                self.turning,
                H_left,
                H_right,
                gain,
                self.peak,
            )
        # Where one hand alone sounds, all is its own; where none does, neither's.
        left_sounds, right_sounds = H_left.any(axis=0), H_right.any(axis=0)
        left[:, ~left_sounds] = 0.0
        left[:, left_sounds & ~right_sounds] = spectra[:, left_sounds & ~right_sounds]
        return left

    def _masks(self, here: slice) -> Iterator[Float]:
        """Yield the soft mask of each part, frames × analysed bins, one at a time: there may be hundreds."""
        W = self.of.analysis.found.W
        exponent = masks.EXPONENTS.get(self.of.settings.mask, 2.0)
        total = np.zeros((here.stop - here.start, self.of.bins), np.float32)

        def powers() -> Iterator[Float | None]:
            for part in range(len(self.of.grouping.names)):
                rows, H = self.parts.activations(part)
                activations = H[:, here]
                yield (activations.T @ W[rows]) ** exponent if activations.any() else None

        for power in powers():
            if power is not None:
                total += power
        nothing = np.zeros_like(total)
        for power in powers():
            if power is None:
                yield nothing
            else:
                yield np.divide(power, total, out=np.zeros_like(power), where=total > 0)


def separate_hands(
    audio: ArrayLike,
    sample_rate: float,
    score: Score | str | os.PathLike[str],
    *,
    method: str = "nmf",
    by: str = "hand",
    mask: str = "coherent",
    options: Options | None = None,
    jobs: int = 0,
    progress: Progress = silent,
) -> dict[str, Float]:
    """Separate a piano recording into its hands by its score.

    Parameters
    ----------
    audio
        (frames,) or (channels, frames), full scale ±1, mono or stereo.
    sample_rate
        In Hz.
    score
        The notes with their hands (`terzetto.read_score`), or the path of a score file. It is aligned with the
        recording to about a tenth of a second.
    method, by, mask, options, jobs
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
    if not isinstance(score, Score):
        from terzetto.score.read import read_score

        score = read_score(score)
    separation = Separation(take, score, Settings(method, by, mask, options or Options(), jobs), progress)
    pieces: dict[str, list[Float]] = {name: [] for name in separation.names}
    for name, block in separation.stems():
        pieces[name].append(block)
    shape = np.shape(audio)
    return {name: np.concatenate(blocks, axis=1).reshape(shape) for name, blocks in pieces.items()}


def magnitudes(spectra: Complex) -> Float:
    """Return V, frames × bins: the root of the channels' mean energy (a mono sum could cancel)."""
    power = spectra[0].real ** 2 + spectra[0].imag ** 2
    for channel in spectra[1:]:
        power += channel.real**2 + channel.imag**2
    result: Float = np.sqrt(power / np.float32(len(spectra)))
    return result


def scale_to(V: Float, H: Float) -> Float:
    """Scale activations so that, with templates of sum 1, they hold the sum of V."""
    total = float(H.sum(dtype=np.float64))
    return H * np.float32(V.sum(dtype=np.float64) / total) if total > 0 else H


def in_parallel(work: Callable[[Job], Result], jobs: Iterator[Job], threads: int) -> Iterator[Result]:
    """Yield work(job) in order, a few jobs ahead on threads: memory stays bounded whatever the number of jobs."""
    if threads <= 1:
        yield from map(work, jobs)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting = []
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) > threads:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()


def _check_score(score: Score, take: Take) -> Score:
    """Check that the score and the take are of one piece in time."""
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
