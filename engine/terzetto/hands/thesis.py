"""The thesis's own pipeline, unchanged, as the reference the product is measured against (Zunner 2021, section 2.2).

22.05 kHz, Hann window of 4096, hop 1024; one harmonic template 1/h and one flat onset template per pitch; activations
one where the score allows them; Euclidean multiplicative updates with ε = 1e-7; ratio masks (equation 2.25).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto import _kernel
from terzetto.score.notes import LEFT, RIGHT, Score

Float = NDArray[np.float32]

SAMPLE_RATE = 22050
N_FFT, HOP = 4096, 1024
EPSILON = 1e-7
ITERATIONS = 100
_CENTS = 50.0
_BEFORE, _AFTER = 0.05, 0.2  # tolerance of the activations in seconds; the thesis does not state its own


def separate_as_in_thesis(audio: Float, score: Score, iterations: int = ITERATIONS) -> dict[str, Float]:
    """Separate a mono take at 22.05 kHz; returns ``left_hand`` and ``right_hand``, each (frames,)."""
    import librosa

    spectra = librosa.stft(audio, n_fft=N_FFT, hop_length=HOP)
    V = np.ascontiguousarray(np.abs(spectra).T)
    pitches = np.unique(score.pitch)
    W = initial_templates(pitches)
    masks = np.stack([_activation_mask(score, pitches, hand, len(V)) for hand in (LEFT, RIGHT)])
    H0 = masks.max(axis=0)
    W, H, _ = _kernel.nmf(V, W, H0, iterations=iterations, loss="euclidean", eps=EPSILON, loss_interval=0)
    shared = np.maximum(masks.sum(axis=0), 1.0)  # a template both hands use is halved
    models = [(H * mask / shared).T @ W for mask in masks]
    total = models[0] + models[1] + EPSILON
    return {
        name: librosa.istft(spectra * (model / total).T, hop_length=HOP, length=len(audio))
        for name, model in zip(("left_hand", "right_hand"), models, strict=True)
    }


def initial_templates(pitches: NDArray[np.int64]) -> Float:
    """Return harmonic rows, then onset rows, rows × bins (sections 2.2.1.1 and 2.2.1.3)."""
    frequency = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT
    W = np.zeros((2 * len(pitches), len(frequency)), np.float32)
    for row, pitch in enumerate(pitches):
        fundamental = 440.0 * 2.0 ** ((pitch - 69) / 12)
        for number in range(1, int(SAMPLE_RATE / 2 / fundamental) + 1):
            center = number * fundamental
            reach = max(center * (2 ** (_CENTS / 1200) - 1), 0.5 * SAMPLE_RATE / N_FFT)
            near = np.abs(frequency - center) <= reach
            W[row, near] = np.maximum(W[row, near], 1.0 / number)
    W[len(pitches) :] = 0.1
    return W


def _activation_mask(score: Score, pitches: NDArray[np.int64], hand: int, frames: int) -> Float:
    mask = np.zeros((2 * len(pitches), frames), np.float32)
    hop = HOP / SAMPLE_RATE
    ends = score.sounding_offset()
    for i in np.flatnonzero(score.hand == hand):
        row = int(np.searchsorted(pitches, score.pitch[i]))
        first = max(int((score.onset[i] - _BEFORE) / hop), 0)
        mask[row, first : int(np.ceil((ends[i] + _AFTER) / hop)) + 1] = 1.0
        mask[len(pitches) + row, first : int(np.ceil((score.onset[i] + _AFTER) / hop)) + 1] = 1.0
    return mask
