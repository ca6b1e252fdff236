"""What the slides say by ear or by a picture, as numbers. Sounds are mono (n,) at 22,050 Hz."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import Stft
from terzetto.evaluate.pitch_tracks import KEPT
from terzetto.evaluate.timbre import QUIETEST
from terzetto.evaluate.timbre import levels as levels_of_blocks
from terzetto_export.xsynth_paper.pitch import track
from terzetto_export.xsynth_paper.sounds import GRID, SAMPLE_RATE, Float

Real = NDArray[np.float64]
RANGE_DB = 60.0
POINTS = 4096
"""Of the DFT with which the slides look at B4 + 13 cents."""


def magnitudes(audio: Float) -> Float:
    """Return STFT magnitudes (frames, bins)."""
    return np.abs(Stft(GRID, len(audio)).forward(audio))


def levels(magnitude: Float) -> Real:
    """Return levels in dB under the loudest cell, no lower than -60."""
    loudest = max(float(magnitude.max()), 1e-9)
    return np.asarray(np.maximum(20 * np.log10(np.maximum(magnitude, 1e-9) / loudest), -RANGE_DB), np.float64)


def log_spectral_distance(first: Float, second: Float) -> float:
    """Return the mean distance of two sounds' frames in dB, each over a range of 60 dB."""
    return float(np.sqrt(((levels(magnitudes(first)) - levels(magnitudes(second))) ** 2).mean(axis=1)).mean())


@dataclass(frozen=True)
class PitchKept:
    """How far the pitch of an output follows its input.

    Attributes
    ----------
    voiced : float
        Share of the input's voiced frames in which the output has a pitch.
    kept : float
        Share of the input's voiced frames in which it has the input's, within 50 cents.
    cents : float
        Median distance where both have one, octaves counted as what they are; NaN if they never do.
    swing : float
        How much of the input's movement about its own mean is left: the slope of the output's pitch over the input's,
        where it is within a semitone; 1 follows all, 0 nothing. NaN where the input does not move.
    """

    voiced: float
    kept: float
    cents: float
    swing: float


def pitch_kept(wanted: Real, output: Float) -> PitchKept:
    """Compare an output's pitch to its input's, MIDI (frames,) with NaN where it has none."""
    got = track(output)[: len(wanted)]
    wanted = wanted[: len(got)]
    voiced = ~np.isnan(wanted)
    both = voiced & ~np.isnan(got)
    off = 100 * np.abs(got[both] - wanted[both])
    near = both & (np.abs(got - wanted) < 1.0)
    moved = wanted[near] - wanted[near].mean() if near.any() else np.zeros(0)
    swing = float(moved @ got[near] / (moved @ moved)) if len(moved) > 8 and moved.std() > 0.05 else np.nan
    return PitchKept(
        float(both.sum() / max(voiced.sum(), 1)),
        float((off <= KEPT).sum() / max(voiced.sum(), 1)),
        float(np.median(off)) if len(off) else np.nan,
        swing,
    )


def jumps(audio: Float) -> float:
    """Return how far the timbre moves from one frame to the next: the mean distance of MFCC (2 to 20), louder half."""
    cepstrum, loud = _all_cepstra(audio)
    step = np.linalg.norm(np.diff(cepstrum, axis=0), axis=1)
    return float(step[loud[1:] & loud[:-1]].mean())


def timbre_spread(sounds: Sequence[Float]) -> float:
    """Return how far the MFCC (2 to 20) of sounds, louder half of their frames, lie from their common mean: RMS."""
    cepstra = np.concatenate([_cepstrum(sound) for sound in sounds if len(sound) > GRID.n_fft])
    return float(np.sqrt(((cepstra - cepstra.mean(axis=0)) ** 2).sum(axis=1).mean()))


def bandwidth(audio: Float, share: float = 0.999) -> float:
    """Return the frequency in Hz below which lies so much of a sound's energy."""
    power = (magnitudes(audio).astype(np.float64) ** 2).sum(axis=0)
    return float(np.searchsorted(np.cumsum(power) / power.sum(), share) * GRID.bin_hz)


def loudness_slope(source: Float, output: Float) -> float:
    """Return by how many dB the level of an output rises for a dB of its input's: 1 follows, 0 stays.

    Over the blocks of 25 ms in which the input is within 40 dB of its loudest.
    """
    first, second = levels_of_blocks(source, SAMPLE_RATE), levels_of_blocks(output, SAMPLE_RATE)
    loud = first > first.max() - QUIETEST
    moved = first[loud] - first[loud].mean()
    return float(moved @ np.maximum(second[loud], first.max() - QUIETEST - 20.0) / max(float(moved @ moved), 1e-9))


def chroma_likeness(source: Float, output: Float) -> float:
    """Return the mean cosine of two sounds' chroma over the frames of the input's louder half; 1: the same chords."""
    first, second = (
        librosa.feature.chroma_cqt(y=x, sr=SAMPLE_RATE, hop_length=GRID.hop_length) for x in (source, output)
    )
    frames = min(first.shape[1], second.shape[1])
    loud = _loud(source)[:frames]
    return float((_unit(first[:, :frames]) * _unit(second[:, :frames])).sum(axis=0)[loud[:frames]].mean())


def voiced_share(audio: Float) -> float:
    """Return the share of frames of the louder half in which there is a pitch."""
    voiced = ~np.isnan(track(audio))
    return float(voiced[_loud(audio)[: len(voiced)]].mean())


def flatness(audio: Float) -> float:
    """Return the mean spectral flatness (0 a tone, 1 white noise) of the louder half of frames below 8 kHz."""
    power = magnitudes(audio)[_loud(audio), : GRID.bins_up_to(8000.0)].astype(np.float64) ** 2 + 1e-12
    return float((np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)).mean())


def spectrum_at(audio: Float, second: float) -> tuple[Real, Real]:
    """Return frequencies in Hz and levels in dB under the loudest of the slides' DFT of 4096 points at a time."""
    first = max(int(second * SAMPLE_RATE) - POINTS // 2, 0)
    piece = np.zeros(POINTS)
    cut = audio[first : first + POINTS]
    piece[: len(cut)] = cut
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(POINTS)))
    level = 20 * np.log10(np.maximum(spectrum / max(float(spectrum.max()), 1e-9), 1e-5))
    return np.asarray(np.fft.rfftfreq(POINTS, 1 / SAMPLE_RATE), np.float64), np.asarray(level, np.float64)


def _cepstrum(audio: Float) -> Real:
    cepstrum, loud = _all_cepstra(audio)
    return cepstrum[loud]


def _all_cepstra(audio: Float) -> tuple[Real, NDArray[np.bool_]]:
    level = np.asarray(audio / max(float(np.sqrt((audio**2).mean())), 1e-9) * 0.1, np.float32)
    mfcc = librosa.feature.mfcc(y=level, sr=SAMPLE_RATE, n_mfcc=20, n_fft=GRID.n_fft, hop_length=GRID.hop_length)
    return np.asarray(mfcc[1:].T, np.float64), _loud(audio)[: mfcc.shape[1]]


def _loud(audio: Float) -> NDArray[np.bool_]:
    """Return which frames belong to the louder half."""
    norm = np.linalg.norm(magnitudes(audio), axis=1)
    return np.asarray((norm >= np.median(norm)) & (norm > 0))


def _unit(columns: NDArray[np.floating[Any]]) -> Real:
    return np.asarray(columns / np.maximum(np.linalg.norm(columns, axis=0, keepdims=True), 1e-9), np.float64)
