"""What the second judge hears of a note: some of its sustained frames, each a spectrum on a scale of semitones' thirds.

Each frame stands alone and has no level, so neither how a note begins nor how it dies away is heard: X-Synth leaves
both to its input, as the slides leave the energy.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from terzetto_export.instrument_judge.features import SAMPLE_RATE, note_to_judge

N_FFT, HOP_LENGTH = 4096, 1024
PER_OCTAVE, LOWEST, BINS = 36, 50.0, 276
"""The scale: 50 Hz to 9.97 kHz."""
FRAMES = 8
"""Of a note, evenly chosen among those within `SUSTAINED` of the loudest."""
SUSTAINED, DEEPEST = 15.0, 60.0
"""dB below the loudest frame, and below the loudest bin."""
Float = NDArray[np.float32]


def frames(audio: NDArray[np.floating], sample_rate: float) -> Float:
    """Return levels in dB, float32 (FRAMES, BINS), of a note; not normalised.

    Parameters
    ----------
    audio
        Mono (frames,).

    Raises
    ------
    InputError
        The sound is empty, silent, not finite or not mono.
    """
    sound = note_to_judge(audio, sample_rate)
    padded = np.pad(sound, (N_FFT // 2, N_FFT))
    windows = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[: len(sound) : HOP_LENGTH]
    spectra = np.abs(np.fft.rfft(windows * np.hanning(N_FFT).astype(np.float32), 2 * N_FFT)) ** 2
    total = spectra.sum(axis=1)
    sustained = np.flatnonzero(total > total.max() * 10 ** (-SUSTAINED / 10))
    chosen = sustained[np.linspace(0, len(sustained) - 1, FRAMES).round().astype(np.int64)]
    return np.asarray(10.0 * np.log10(spectra[chosen].astype(np.float32) @ _filters() + 1e-10), np.float32)


def shape(levels: NDArray[np.floating]) -> Float:
    """Return what the network is given of levels (…, BINS): float32, 1 at the loudest bin, 0 far below it."""
    below = levels - levels.max(axis=-1, keepdims=True)
    return np.asarray(np.maximum(1.0 + below / DEEPEST, 0.0), np.float32)


@functools.cache
def _filters() -> Float:
    """Return triangles (N_FFT + 1, BINS) between neighbouring places of the scale, at least two bins to each side."""
    hertz = np.arange(N_FFT + 1) * SAMPLE_RATE / (2 * N_FFT)
    centre = LOWEST * 2.0 ** (np.arange(BINS) / PER_OCTAVE)
    width = np.maximum(centre * (2.0 ** (1 / PER_OCTAVE) - 1.0), SAMPLE_RATE / N_FFT)
    return np.asarray(np.maximum(1.0 - np.abs(hertz[:, None] - centre) / width, 0.0), np.float32)
