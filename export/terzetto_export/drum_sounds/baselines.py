"""What a sceptic would try instead of a sound model: a sound that is there already, and PCA."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.analysis.drum_spectra import from_onset, mel_levels
from terzetto.audio.phase import recover
from terzetto.audio.spectra import FrameGrid, Stft
from terzetto_export.drum_sounds.one_shots import SAMPLE_RATE, OneShot

Float = NDArray[np.float32]
N_FFT, HOP_LENGTH = 1024, 256
FRAMES = 256 * HOP_LENGTH
"""Samples of a sound that are looked at: a second and a half."""
QUIETEST = 1e-4


def nearest(sounds: Sequence[OneShot], training: Sequence[OneShot]) -> list[Float]:
    """Return for each sound the training sound of its class that is nearest in mel levels, from its onset on."""
    known = np.stack([mel_levels(sound.audio).ravel() for sound in training])
    label = np.array([sound.sound_class for sound in training])
    found = []
    for sound in sounds:
        rows = np.flatnonzero(label == sound.sound_class)
        distance = ((known[rows] - mel_levels(sound.audio).ravel()) ** 2).sum(axis=1)
        found.append(from_onset(training[rows[int(distance.argmin())]].audio))
    return found


def principal_components(sounds: Sequence[OneShot], training: Sequence[OneShot], size: int) -> list[Float]:
    """Return sounds from as many principal components of log-spectra, with phases by heap integration.

    Parameters
    ----------
    sounds
        What to reconstruct.
    training
        What the components are found in.
    size
        How many components, as many as the model's latent space has.
    """
    from sklearn.decomposition import PCA

    known = np.stack([_log_spectrum(sound.audio) for sound in training])
    pca = PCA(min(size, len(training) - 1), svd_solver="randomized", iterated_power=2, random_state=0).fit(known)
    points = pca.transform(np.stack([_log_spectrum(sound.audio) for sound in sounds]))
    return [_sound(spectrum) for spectrum in pca.inverse_transform(points)]


def _transform() -> Stft:
    return Stft(FrameGrid(SAMPLE_RATE, N_FFT, HOP_LENGTH), FRAMES)


def _log_spectrum(audio: Float) -> Float:
    sound = from_onset(audio)[:FRAMES]
    spectrum = np.abs(_transform().forward(np.pad(sound, (0, FRAMES - len(sound)))))
    return np.asarray(np.log(np.maximum(spectrum / spectrum.max(), QUIETEST)).ravel(), np.float32)


def _sound(log_spectrum: Float) -> Float:
    transform = _transform()
    magnitude = np.exp(log_spectrum.reshape(transform.shape))
    magnitude[magnitude < 2 * QUIETEST] = 0.0
    sound = recover(magnitude, transform)
    return np.asarray(sound / max(float(np.abs(sound).max()), QUIETEST), np.float32)
