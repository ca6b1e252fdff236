"""What the judge hears: levels in mel bands, relative to the loudest, of a second from where a note begins."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError

SAMPLE_RATE = 22_050
N_FFT, HOP_LENGTH = 1024, 256
BANDS, LOWEST, HIGHEST = 96, 40.0, 10_000.0
FRAMES = 80
"""0.93 s."""
RANGE = 70.0
"""dB below the loudest value that are told apart."""
Float = NDArray[np.float32]


@functools.cache
def _filters() -> Float:
    import librosa

    filters: Float = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=4 * N_FFT, n_mels=BANDS, fmin=LOWEST, fmax=HIGHEST).T
    return filters


def mel_levels(audio: NDArray[np.floating]) -> Float:
    """Return levels in dB (frames, BANDS), not normalised, of a sound at 22,050 Hz.

    Windows of 46 ms are padded fourfold so that the lowest bands each have bins.

    Raises
    ------
    InputError
        The sound is empty, not finite or not mono.
    """
    if audio.ndim != 1 or not len(audio) or not np.isfinite(audio).all():
        raise InputError(f"a sound to judge is one row of finite samples; given is the shape {audio.shape}")
    padded = np.pad(np.asarray(audio, np.float32), (N_FFT // 2, N_FFT))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[: len(audio) : HOP_LENGTH]
    power = np.abs(np.fft.rfft(frames * np.hanning(N_FFT).astype(np.float32), 4 * N_FFT)) ** 2
    return np.asarray(10.0 * np.log10(power.astype(np.float32) @ _filters() + 1e-10), np.float32)


def relative(levels: Float) -> Float:
    """Return levels (frames, bands) as 0..1 (FRAMES, bands): 1 the loudest, 0 what is 70 dB below or past the end."""
    levels = levels[:FRAMES]
    scaled = np.maximum((levels - levels.max()) / RANGE + 1.0, 0.0).astype(np.float32)
    return np.pad(scaled, ((0, FRAMES - len(scaled)), (0, 0)))


def judged(audio: NDArray[np.floating], sample_rate: float) -> Float:
    """Return what the judge hears of a note that begins where the audio does: float32 (FRAMES, BANDS), 0..1.

    Raises
    ------
    InputError
        The sound is empty, silent, not finite or not mono.
    """
    if audio.ndim != 1 or not len(audio) or not np.isfinite(audio).all():
        raise InputError(f"a sound to judge is one row of finite samples; given is the shape {audio.shape}")
    if np.abs(audio).max() < 1e-5:
        raise InputError("the sound is silent: nothing can be judged")
    if sample_rate != SAMPLE_RATE:
        import soxr

        audio = soxr.resample(np.asarray(audio, np.float32), sample_rate, SAMPLE_RATE)
    return relative(mel_levels(audio))
