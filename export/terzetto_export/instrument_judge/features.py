"""What the judge hears of a note: the mean spectrum of its sustained part, in mel bands, at four times.

How a note begins and ends tells sound fonts, whose notes are looped and cut, from recordings; a judge that was taught
by the one and is asked about the other hears better without it (validation: 0.58 against 0.54 with a second's levels).
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError

SAMPLE_RATE = 22_050
N_FFT, HOP_LENGTH = 1024, 256
BANDS, LOWEST, HIGHEST = 96, 40.0, 10_000.0
HEARD = 0.93
"""Seconds from the onset."""
PARTS = ((0.0, 1.0), (0.0, 0.35), (0.35, 0.7), (0.65, 1.0))
"""Of the sustained frames: all, and the first, the middle and the last third."""
SUSTAINED = 15.0
"""dB below the loudest frame within which a frame belongs to the sustained part."""
DEEPEST = 60.0
SILENT = 1e-5
_ONSET = 35.0
_COEFFICIENTS = 30
SIZE = BANDS + _COEFFICIENTS
Float = NDArray[np.float32]


def note_to_judge(audio: NDArray[np.floating], sample_rate: float) -> Float:
    """Return a note (frames,) at `SAMPLE_RATE`, float32; both judges take it so.

    Raises
    ------
    InputError
        The sound is empty, silent, not finite or not mono.
    """
    if audio.ndim != 1 or not len(audio) or not np.isfinite(audio).all():
        raise InputError(f"a note to judge is one row of finite samples; given is the shape {audio.shape}")
    if np.abs(audio).max() < SILENT:
        raise InputError("the note is silent: nothing can be judged")
    sound = np.asarray(audio, np.float32)
    if sample_rate == SAMPLE_RATE:
        return sound
    import soxr

    return np.asarray(soxr.resample(sound, sample_rate, SAMPLE_RATE), np.float32)


def spectra(audio: NDArray[np.floating], sample_rate: float) -> Float:
    """Return levels in dB, float32 (PARTS, BANDS), of a note's sustained part; not normalised.

    Parameters
    ----------
    audio
        Mono (frames,), beginning about where the note does.

    Raises
    ------
    InputError
        The sound is empty, silent, not finite or not mono.
    """
    sound = note_to_judge(audio, sample_rate)
    padded = np.pad(sound, (N_FFT // 2, N_FFT))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[: len(sound) : HOP_LENGTH]
    # Padded fourfold, so that the lowest bands have bins each.
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(N_FFT).astype(np.float32), 4 * N_FFT))
    power = (magnitude**2).astype(np.float32) @ _filters()
    loudest = 10.0 * np.log10(power.max(axis=1) + 1e-10)
    first = max(int(np.argmax(loudest > loudest.max() - _ONSET)) - 2, 0)
    power = power[first : first + round(HEARD * SAMPLE_RATE / HOP_LENGTH)]
    total = power.sum(axis=1)
    sustained = np.flatnonzero(total > total.max() * 10 ** (-SUSTAINED / 10))
    parts = []
    for start, stop in PARTS:
        a = int(start * len(sustained))
        parts.append(power[sustained[a : max(int(np.ceil(stop * len(sustained))), a + 1)]].mean(axis=0))
    return np.asarray(10.0 * np.log10(np.stack(parts) + 1e-10), np.float32)


def features(levels: NDArray[np.floating]) -> Float:
    """Return what the network is given, float32 (…, SIZE), of spectra (…, BANDS): their shape, whatever the level.

    The levels below the loudest, and their cosine transform, which knows the envelope apart from the fine structure.
    """
    below = np.maximum(levels - levels.max(axis=-1, keepdims=True), -DEEPEST)
    return np.concatenate([below / 15.0, below @ _cosines() / BANDS / 4.0], axis=-1).astype(np.float32)


@functools.cache
def _cosines() -> NDArray[np.float64]:
    place, order = np.arange(BANDS) + 0.5, np.arange(1, _COEFFICIENTS + 1)
    return np.asarray(np.cos(np.pi * np.outer(place, order) / BANDS))


@functools.cache
def _filters() -> Float:
    import librosa

    filters: Float = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=4 * N_FFT, n_mels=BANDS, fmin=LOWEST, fmax=HIGHEST).T
    return filters
