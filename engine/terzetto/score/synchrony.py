"""What a take and a score are compared by: chroma and onsets per pitch class, 50 times a second.

The features are those of the synctoolbox (Müller, Özer, Krause, Prätzlich, Driedger 2021): chroma from a bank of pitch
filters, quantised; and DLNCO (decaying locally adaptive normalised chroma onsets, Ewert, Müller, Grosche 2009).
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import Take
from terzetto.score.notes import Score

Float = NDArray[np.float64]

RATE = 50
"""Features per second."""
SAMPLE_RATE = 22050
LOWEST, HIGHEST = 21, 108
_PEAK_SCALE = 1e-6 / 2  # of a score's onsets, in the measure of the recording's

_PARTIALS = ((12, 0.5), (19, 0.3), (24, 0.2), (28, 0.1), (31, 0.1))  # semitones above a key, and their energy
_COMPRESSION = 1000.0


@dataclass(frozen=True)
class Features:
    """What is compared.

    Attributes
    ----------
    chroma : float64 (12, n)
        Quantised energies of the pitch classes; frame k is centred on k / `RATE` seconds.
    onsets : float64 (12, n)
        DLNCO.
    keys : float64 (88, n)
        Energy of every key's pitch, compressed.
    """

    chroma: Float
    onsets: Float
    keys: Float

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return int(self.chroma.shape[1])

    def part(self, start: int, stop: int) -> Features:
        """Return frames [start, stop); outside are frames in which nothing sounds."""
        before, after = max(-start, 0), max(stop - self.frames, 0)
        inside = slice(max(start, 0), min(stop, self.frames))
        pad = ((0, 0), (before, after))
        return Features(*(np.pad(rows[:, inside], pad) for rows in (self.chroma, self.onsets, self.keys)))


def mono(take: Take) -> NDArray[np.float32]:
    """Return the take in mono at `SAMPLE_RATE`."""
    import soxr

    audio = take.read(0, take.frames).mean(axis=0)
    return np.asarray(soxr.resample(audio, take.sample_rate, SAMPLE_RATE), np.float32)


def take_features(audio: NDArray[np.float32], tuning: float) -> Features:
    """Return the features of mono audio at `SAMPLE_RATE`; ``tuning`` in cents."""
    from synctoolbox.feature.pitch import audio_to_pitch_features
    from synctoolbox.feature.pitch_onset import audio_to_pitch_onset_features

    with contextlib.redirect_stdout(io.StringIO()):  # a dot per pitch
        pitch = audio_to_pitch_features(audio, SAMPLE_RATE, RATE, LOWEST, HIGHEST, tuning_offset=round(tuning))
        peaks = audio_to_pitch_onset_features(audio, SAMPLE_RATE, LOWEST, HIGHEST, tuning_offset=round(tuning))
    return _features(pitch, peaks, pitch)


def tuning_of(audio: NDArray[np.float32]) -> float:
    """Estimate how many cents the take lies above 440 Hz, -50..50."""
    import librosa

    return 100 * float(librosa.estimate_tuning(y=audio, sr=SAMPLE_RATE, n_fft=8192, resolution=0.02))


def score_features(score: Score) -> Features:
    """Return the features of a score; notes outside the piano's range are moved into it by octaves."""
    frames = int(np.ceil(score.end * RATE)) + 1
    pitch = np.zeros((128, frames))
    peaks: dict[int, list[tuple[float, float]]] = {}
    for onset, offset, number in zip(score.onset, score.offset, score.pitch, strict=True):
        key = int(number)
        key += 12 * max(-(-(LOWEST - key) // 12), 0) - 12 * max(-(-(key - HIGHEST) // 12), 0)
        first, last = int(max(onset * RATE, 0)), min(int(offset * RATE) + 2, frames)
        centres = np.arange(first, last)
        share = np.minimum(offset * RATE, centres + 1) - np.maximum(onset * RATE, centres - 1)
        pitch[key, first:last] += np.maximum(share, 0) / 2
        peaks.setdefault(key, []).append((1000 * onset, _PEAK_SCALE))
    sound = pitch.copy()
    for interval, weight in _PARTIALS:
        sound[interval:] += weight * pitch[:-interval]
    return _features(pitch, {key: np.array(sorted(values)).T for key, values in peaks.items()}, sound)


def _features(pitch: Float, peaks: dict[int, Float], sound: Float) -> Features:
    from synctoolbox.feature.chroma import pitch_to_chroma, quantize_chroma
    from synctoolbox.feature.dlnco import pitch_onset_features_to_DLNCO

    frames = pitch.shape[1]
    for key, found in peaks.items():  # one beyond the end would not fit
        peaks[key] = found.reshape(2, -1)[:, found.reshape(2, -1)[0] * RATE < 1000 * (frames - 1)]
    onsets = pitch_onset_features_to_DLNCO(peaks, frames, RATE, LOWEST, HIGHEST)
    keys = sound[LOWEST : HIGHEST + 1]
    keys = np.log1p(_COMPRESSION * keys / max(float(keys.max(initial=0.0)), 1e-12))
    return Features(quantize_chroma(pitch_to_chroma(pitch)), onsets, keys)
