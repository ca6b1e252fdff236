"""Real notes put together again of partials and noise: what they are must not be told by how they were processed.

After Serra, Smith (1990): sines in the time domain with phases and a vibrato of their own, and shaped noise. What
X-Synth lays into frames is made otherwise (`terzetto.timbre.resynthesis`).
"""

from __future__ import annotations

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.timbre.partials import BAND_HZ, PARTIALS
from terzetto_export.instrument_judge.features import SAMPLE_RATE
from terzetto_export.xsynth.analysis import Sound

Float = NDArray[np.float32]

_VIBRATO, _DEPTH = (4.5, 7.0), 40.0
"""Hz, and cents at the most."""
_NOISE = 4.0
"""dB by which the noise may be stronger or weaker."""
_WINDOW = 1024


def resynthesised(sound: Sound, grid: FrameGrid, random: np.random.Generator) -> Float:
    """Return a note of a pitch, mono at the judge's `SAMPLE_RATE`, put together of what it was taken apart into.

    Parameters
    ----------
    sound
        On the grid.
    """
    samples = round(len(sound) * grid.hop_length / grid.sample_rate * SAMPLE_RATE)
    time = np.arange(samples) / SAMPLE_RATE
    frame = time * grid.sample_rate / grid.hop_length
    index = np.arange(len(sound))
    depth = random.uniform(0.0, _DEPTH) * (random.random() < 0.5)
    cents = depth * np.sin(2 * np.pi * (random.uniform(*_VIBRATO) * time + random.random()))
    pitch = np.interp(frame, index, sound.pitch) * 2.0 ** (cents / 1200)
    turn = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    made = np.zeros(samples)
    for number in range(1, PARTIALS + 1):
        if number * pitch.max() > 0.46 * SAMPLE_RATE:
            break
        level = np.interp(frame, index, sound.partials[:, number - 1] + sound.level)
        made += 10.0 ** (level / 20) * np.sin(number * turn + random.uniform(0.0, 2 * np.pi))
    return np.asarray(made + _noise(sound, samples, frame, random), np.float32)


def _noise(sound: Sound, samples: int, frame: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    white = random.standard_normal(samples + _WINDOW)
    hertz, times, spectra = scipy.signal.stft(white, SAMPLE_RATE, nperseg=_WINDOW)
    at = np.interp(times, np.arange(samples) / SAMPLE_RATE, frame).round().astype(np.int64)
    place = np.interp(np.log(np.maximum(hertz, BAND_HZ[0])), np.log(BAND_HZ), np.arange(len(BAND_HZ)))
    below = np.minimum(place.astype(np.int64), len(BAND_HZ) - 2)
    share = (place - below)[:, None]
    density = (sound.noise + sound.level[:, None])[np.clip(at, 0, len(sound) - 1)].T
    level = density[below] * (1 - share) + density[below + 1] * share + random.uniform(-_NOISE, _NOISE)
    # White noise of a variance of 1 has the density 2 / SAMPLE_RATE.
    gains = 10.0 ** (level / 20) * np.sqrt(SAMPLE_RATE / 2)
    return np.asarray(scipy.signal.istft(spectra * gains, SAMPLE_RATE, nperseg=_WINDOW)[1][:samples])
