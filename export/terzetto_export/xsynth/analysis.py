"""Recordings of the target, taken apart: per frame its pitch, level, partials, noise and spectral envelope.

These are what the network learns to give out (spectral modelling, Serra & Smith 1990). Below 140 Hz frames of twice
the length part the partials; what is learned is always on the stream's hop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.timbre.hearing import Hearing
from terzetto.timbre.partials import BAND_HZ, PARTIALS, band_density

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

FLOOR = -75.0
"""dB below the frame's level: weaker partials count as this weak."""
DENSITY_FLOOR = -110.0
"""dB a Hz below the frame's level: weaker noise counts as this weak."""
LOW_NOTE = 140.0
"""Hz, below which a frame of the usual length does not part the partials."""
_ASIDE = 8.0  # bins from a partial beyond which its side lobes do not matter
ENVELOPE_HOP = 120
"""Samples from one value of the fine envelope to the next."""


@dataclass(frozen=True)
class Sound:
    """A sound taken apart. Levels are in dB, K-weighted; the others in dB relative to them.

    Attributes
    ----------
    pitch : float32 (frames,)
        Fundamental in Hz; 0 where there is none.
    level : float32 (frames,)
    partials : float32 (frames, PARTIALS)
        Amplitudes.
    noise, bands : float32 (frames, BANDS)
        Density a Hz between the partials, and of everything.
    envelope : float32 (n,)
        Root mean square, every `ENVELOPE_HOP` samples.
    hop : int
        Samples from frame to frame.
    """

    pitch: Float
    level: Float
    partials: Float
    noise: Float
    bands: Float
    envelope: Float
    hop: int

    def __len__(self) -> int:
        return len(self.level)


def take_apart(audio: Float, pitch: Float | float, grid: FrameGrid) -> Sound:
    """Take a sound apart.

    Parameters
    ----------
    audio : float32 (samples,)
        At the grid's sample rate.
    pitch : float32 (frames,) or float
        Fundamental in Hz, right to a semitone, 0 for none; a number for a sound of one note.
    grid : FrameGrid
        Of the usual window; its hop is the stream's.
    """
    frames = grid.frames_for(len(audio))
    known = np.full(frames, pitch, np.float32) if np.ndim(pitch) == 0 else np.asarray(pitch, np.float32)
    voiced = known > 0
    low = bool(voiced.any()) and float(np.median(known[voiced])) < LOW_NOTE
    used = FrameGrid(grid.sample_rate, 2 * grid.n_fft, grid.hop_length) if low else grid
    spectra = _frames(audio, used, frames)
    hearing = Hearing(used)
    correlation = hearing.autocorrelation(spectra)
    level = hearing.level(spectra)
    exact = known.copy()
    if np.ndim(pitch) == 0 and voiced.any():
        loud = level > level.max() - 20.0
        near = hearing.refine(correlation[loud], known[loud], reach=65.0)
        known = np.full(frames, np.median(near), np.float32)
    if voiced.any():
        exact[voiced] = hearing.refine(correlation[voiced], known[voiced], reach=60.0)
        # Where it is faint, what is around it makes the pitch.
        exact = np.where(voiced & (level < level.max() - 30.0), known, exact).astype(np.float32)
    partials, noise = _parts(spectra, exact, used)
    bands = band_density(np.abs(spectra) ** 2, used)
    level_column = level[:, None]
    return Sound(
        exact,
        level,
        np.maximum(partials - level_column, FLOOR),
        np.maximum(noise - level_column, DENSITY_FLOOR),
        np.maximum(bands - level_column, DENSITY_FLOOR),
        _envelope(audio),
        grid.hop_length,
    )


def _frames(audio: Float, grid: FrameGrid, frames: int) -> Complex:
    before = grid.n_fft // 2
    after = (frames - 1) * grid.hop_length + before - len(audio)
    return grid.stft(np.pad(audio, (before, max(after, 0))))[:frames]


def _parts(spectra: Complex, pitch: Float, grid: FrameGrid) -> tuple[Float, Float]:
    """Return partials (frames, PARTIALS) in dB and the density (frames, BANDS) of what lies between them, in dB."""
    power = np.abs(spectra) ** 2
    place = np.arange(grid.bins) * grid.bin_hz
    spacing = np.maximum(pitch / grid.bin_hz, 1e-3)[:, None]
    number = place / np.maximum(pitch, 1e-3)[:, None]
    apart = np.abs(number - np.round(number)) * spacing
    # Only near the middle: the side lobes of strong partials (Hann's lie at -31 and -41 dB) would pass for noise.
    aside = np.clip(0.3 * spacing, np.minimum(2.6, 0.45 * spacing), _ASIDE)
    between = (apart > aside) | (np.round(number) < 1) | (pitch[:, None] <= 0)
    noise = band_density(power, grid, between)
    energy = np.cumsum(np.pad(power, ((0, 0), (1, 0))), axis=1)
    harmonic = np.arange(1, PARTIALS + 1) * spacing
    first = np.clip(np.ceil(harmonic - 2.0).astype(np.int64), 0, grid.bins)
    last = np.clip(np.floor(harmonic + 2.0).astype(np.int64) + 1, 0, grid.bins)
    found = np.take_along_axis(energy, last, axis=1) - np.take_along_axis(energy, first, axis=1)
    # A sine of amplitude 1: the energy of the window's transform, by Parseval a quarter of n · Σ w².
    unit = 0.25 * grid.n_fft * float(np.sum(grid.window() ** 2))
    beside = np.stack(
        [np.interp(row_hz, BAND_HZ, row) for row_hz, row in zip(harmonic * grid.bin_hz, noise, strict=True)]
    )
    hiss = 10 ** (beside / 10) * 0.5 * grid.sample_rate * float(np.sum(grid.window() ** 2)) * (last - first)
    amplitude = np.maximum(found - hiss, 0.05 * found) / unit
    amplitude = np.where((pitch[:, None] > 0) & (harmonic < grid.bins - 3), amplitude, 0.0)
    return (10 * np.log10(np.maximum(amplitude, 1e-18))).astype(np.float32), noise


def _envelope(audio: Float) -> Float:
    """Return the root mean square over 15 ms, every `ENVELOPE_HOP` samples."""
    window = np.hanning(5 * ENVELOPE_HOP + 2)[1:-1]
    square = np.convolve(audio.astype(np.float64) ** 2, window / window.sum(), "same")[::ENVELOPE_HOP]
    return np.sqrt(np.maximum(square, 0.0)).astype(np.float32)
