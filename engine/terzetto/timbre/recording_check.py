"""Whether a recording is fit to learn a timbre from: how long it sounds, whether it clips, whether it is one voice.

A timbre is learned from one instrument playing one note at a time. What a recording lacks is not a fault of the
program that learns from it, so the user hears of it before, and what to expect.

One voice: in each frame, the partials (peaks of the spectrum) are held against the harmonics of one fundamental, the
one that explains most of them (a harmonic sum, Klapuri 2006, without its whitening; a candidate counts the less, the
fewer of its low harmonics are there, else the root of a chord, far below all of its notes, would explain them all).
What no harmonic explains is another voice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from terzetto.audio.files import Take, blocks

Float = NDArray[np.float32]

SHORT = 30.0
"""Seconds of sound below which a recording is short: the paper's are 30 to 120 s."""
_WINDOW = 0.16  # seconds: two partials a semitone apart at 110 Hz are two peaks
_HOP = 0.25  # seconds: enough frames to tell a share from
_SILENT = 10 ** (-70 / 20)
_SOUNDING = 10 ** (-40 / 20)  # of the loudest frames
_LOWEST, _HIGHEST = 40.0, 2000.0  # Hz, of fundamentals
_PARTIALS_UP_TO = 5000.0  # Hz
_FLOOR = 10 ** (-40 / 20)  # of the frame's largest partial
_LOW, _COMPLETE = 8, 2.0  # so many harmonics should be there; how much it counts that they are
# Chosen on sequences of single notes, dyads and triads of eight instruments, and on solo phrases of eight others: one
# voice lies below 0.52 (breathy flutes and singers highest), dyads above 0.7, triads above 0.78; octaves are one voice.
_ANOTHER_VOICE = 0.30  # of a frame's partials, unexplained
_POLYPHONIC = 0.60  # of the frames
_RUN = 1e-4  # seconds at least that a clipped peak stays flat
_FLAT = 4e-5  # of the peak: a little more than a step of 16 bits
_CLIPPED = 0.5  # clipped peaks in a second


@dataclass(frozen=True)
class RecordingCheck:
    """What was measured of a recording.

    Attributes
    ----------
    title : str
    seconds, sounding : float
        Its length; how much of it is not silence.
    clipped : float
        Flat peaks in each second that sounds.
    polyphonic : float
        Share 0..1 of the sounding frames in which more than one voice is heard.
    """

    title: str
    seconds: float
    sounding: float
    clipped: float
    polyphonic: float

    @property
    def silent(self) -> bool:
        """Whether there is nothing to learn from."""
        return self.sounding == 0.0


def check_recording(take: Take, title: str) -> RecordingCheck:
    """Measure a recording (its channels mixed).

    Parameters
    ----------
    take
        Any sample rate and length; read piece by piece.
    title
        What messages call it.
    """
    size, hop = 2 * round(_WINDOW * take.sample_rate / 2), round(_HOP * take.sample_rate)
    peak, flat, levels, unexplained = 0.0, _FlatRuns(take.sample_rate), list[Float](), list[Float]()
    held = np.zeros(0, np.float32)
    for block in blocks(take, 1 << 18):
        mono = block.mean(axis=0)
        peak = max(peak, float(np.abs(mono).max(initial=0.0)))
        flat.add(block)
        held = np.concatenate([held, mono])
        if held.size >= size:
            frames = sliding_window_view(held, size)[::hop]
            levels.append(np.sqrt(np.mean(np.square(frames), axis=1)))
            unexplained.append(np.array([_unexplained(frame, take.sample_rate) for frame in frames], np.float32))
            held = held[frames.shape[0] * hop :]
    seconds = take.frames / take.sample_rate
    level = np.concatenate([*levels, np.zeros(0, np.float32)])
    if peak < _SILENT or not level.size or level.max() < _SILENT:
        return RecordingCheck(title, seconds, 0.0, 0.0, 0.0)
    sounds = level > max(_SOUNDING * float(np.quantile(level, 0.95)), _SILENT)
    voices = np.concatenate(unexplained)[sounds] > _ANOTHER_VOICE
    sounding = seconds * float(np.mean(sounds))
    return RecordingCheck(title, seconds, sounding, flat.count(peak) / sounding, float(np.mean(voices)))


def faults(checks: Sequence[RecordingCheck], *, enough: float = SHORT) -> list[str]:
    """Return, as one line each, what is wrong with what will be learned from, what to expect and what to do."""
    sounding = sum(check.sounding for check in checks)
    found = [f"{check.title}: is silent, and is left out" for check in checks if check.silent]
    if 0 < sounding < enough:
        found.append(
            f"{sounding:.0f} s of sound to learn from; {enough:.0f} to 120 s are meant: expect pitches and dynamics "
            "that are not in it to be guessed; record more of them"
        )
    for check in checks:
        if check.clipped > _CLIPPED:
            found.append(
                f"{check.title}: clips ({check.clipped:.0f} flat peaks a second): expect its distortion to be learned "
                "as part of the timbre; record it with less gain"
            )
        if check.polyphonic > _POLYPHONIC:
            found.append(
                f"{check.title}: more than one note at a time in {check.polyphonic:.0%} of it (or partials that are no "
                "harmonics, as of bells): expect a blurred timbre that sounds like the chords; record single notes and "
                "melodies"
            )
    return found


class _FlatRuns:
    """Counts, piece by piece, peaks that stay on one value: those of a channel that clips."""

    def __init__(self, sample_rate: float) -> None:
        self._length = max(round(_RUN * sample_rate), 4)
        self._heights: list[Float] = []
        self._before: Float | None = None

    def add(self, block: Float) -> None:
        """Take in the next block (channels × frames)."""
        edge = block[:, :0] if self._before is None else self._before
        joined = np.concatenate([edge, block], axis=1)
        self._before = joined[:, -self._length :] if joined.shape[1] > self._length else joined
        if joined.shape[1] < self._length:
            return
        runs = sliding_window_view(joined, self._length, axis=1)
        high, low = runs.max(axis=2), runs.min(axis=2)
        magnitude = np.minimum(np.abs(high), np.abs(low))
        level = (high - low <= _FLAT * magnitude) & (magnitude > _SILENT)
        begins = level & ~np.pad(level, ((0, 0), (1, 0)))[:, :-1]
        self._heights.append(magnitude[begins])

    def count(self, peak: float) -> int:
        """Return how many runs lie at the top."""
        heights = np.concatenate([*self._heights, np.zeros(0, np.float32)])
        return int(np.count_nonzero(heights > 0.9 * peak))


def _unexplained(frame: Float, sample_rate: float) -> float:
    """Return which share 0..1 of a frame's partials the harmonics of no single fundamental explain."""
    frequencies, amplitudes = _partials(frame, sample_rate)
    if frequencies.size < 2:
        return 0.0
    candidates = np.unique(np.concatenate(list(_fundamentals(frequencies))))
    ratio = frequencies / candidates[:, None]  # (candidates, partials)
    number = np.maximum(np.round(ratio), 1.0)
    tolerance = 0.015 * frequencies + 0.5 / _WINDOW
    fits = np.abs(ratio - number) * candidates[:, None] < np.minimum(tolerance, candidates[:, None] / 4)
    explained = (fits * amplitudes).sum(axis=1)
    low = np.arange(1, _LOW + 1)
    there = (fits[:, :, None] & (number[:, :, None] == low)).any(axis=1)
    highest = np.where(fits, number, 0).max(axis=1, keepdims=True)
    complete = there.sum(axis=1) / np.maximum((low <= highest).sum(axis=1), 1)
    best = int(np.argmax(explained * complete**_COMPLETE))
    return float(1.0 - explained[best] / amplitudes.sum())


def _fundamentals(frequencies: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield candidates: whatever of these partials is a harmonic of."""
    for number in range(1, 6):
        candidates = frequencies[:12] / number
        yield candidates[(candidates >= _LOWEST) & (candidates <= _HIGHEST)]


def _partials(frame: Float, sample_rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the frequencies in Hz and square roots of the magnitudes of the peaks that stand out of a frame."""
    size = 2 * scipy.fft.next_fast_len(frame.size, real=True)
    spectrum = np.abs(scipy.fft.rfft(frame * np.hanning(frame.size), size))[: int(_PARTIALS_UP_TO * size / sample_rate)]
    # Between the peaks, across two lobes of the window, there is the noise that they must stand out of.
    floor = scipy.ndimage.median_filter(spectrum, size=max(round(120.0 * size / sample_rate), 3))
    inner = spectrum[1:-1]
    at = np.flatnonzero((inner > spectrum[:-2]) & (inner >= spectrum[2:]) & (inner > 3.0 * floor[1:-1])) + 1
    at = at[spectrum[at] > _FLOOR * spectrum.max(initial=0.0)]
    left, here, right = (np.log(spectrum[at + step] + 1e-12) for step in (-1, 0, 1))
    offset = 0.5 * (left - right) / np.minimum(left - 2 * here + right, -1e-9)
    return (at + offset) * sample_rate / size, np.sqrt(spectrum[at]).astype(np.float64)
