"""The spectrum of a drum stroke on a mel scale, from its onset on, however loud it was recorded."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError

SAMPLE_RATE = 44_100
N_FFT, HOP_LENGTH, BANDS = 1024, 441, 64
FRAMES = 101
"""One second."""
ONSET, LEAD = 0.03, 44
FLOOR, RANGE = -50.0, 80.0
Float = NDArray[np.float32]


def from_onset(audio: NDArray[np.floating]) -> Float:
    """Return a sound from 1 ms before it first reaches 3 % of its peak, scaled to a peak of 1.

    Parameters
    ----------
    audio
        Mono (frames,), 44.1 kHz.

    Raises
    ------
    InputError
        Not one channel, empty, silent, or not finite.
    """
    if audio.ndim != 1 or not len(audio):
        raise InputError(f"a sound is mono (frames,); given is the shape {audio.shape}")
    size = np.abs(audio)
    peak = float(size.max())
    if not np.isfinite(peak):
        raise InputError("the sound has samples that are not finite numbers")
    if peak == 0.0:
        raise InputError("the sound is silent: there is no stroke in it")
    start = int(np.argmax(size > ONSET * peak)) - LEAD
    sound = np.asarray(audio[max(start, 0) :] / peak, np.float32)
    return sound if start >= 0 else np.concatenate([np.zeros(-start, np.float32), sound])


def mel_levels(audio: NDArray[np.floating]) -> Float:
    """Return the levels of the first second from the onset on, float32 (101 frames, 64 bands).

    Frames of 23 ms (Hann) every 10 ms; mel bands from 30 Hz to 18 kHz; 0 is -50 dB and 1 is +30 dB of the band's power
    in a sound of peak 1. Raises as `from_onset`.
    """
    sound = from_onset(audio)[: FRAMES * HOP_LENGTH]
    padded = np.zeros(N_FFT + (FRAMES - 1) * HOP_LENGTH, np.float32)
    inside = sound[: len(padded) - N_FFT // 2]
    padded[N_FFT // 2 : N_FFT // 2 + len(inside)] = inside
    power = np.abs(FrameGrid(SAMPLE_RATE, N_FFT, HOP_LENGTH).stft(padded)) ** 2
    decibels = 10.0 * np.log10(power @ mel_filters() + np.float32(1e-10))
    return np.asarray(np.maximum((decibels - FLOOR) / RANGE, 0.0), np.float32)


@functools.cache
def mel_filters() -> Float:
    """Return what makes mel bands of the powers of a frame's bins, (513, 64)."""
    import librosa

    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=BANDS, fmin=30.0, fmax=18_000.0)
    return np.ascontiguousarray(filters.T, np.float32)
