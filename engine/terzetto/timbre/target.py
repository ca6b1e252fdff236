"""The sound whose timbre another takes on: a recording at the stream's rate, as frames that are played round and round.

Conventions: mono float32, the mid of the file. Frame i starts at sample i · hop_length; the last one ends within the
recording, so where it begins anew the overlapping frames make a crossfade.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from terzetto.audio.files import FileTake
from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError, TerzettoWarning
from terzetto.timbre.conversion import Complex
from terzetto.timbre.loudness import SILENT, Loudness

Float = NDArray[np.float32]

LONGEST = 300.0
"""Seconds of a recording that are used."""
RANGE = 1e-5
"""A frame sounds if its energy is not more than 50 dB below the loudest's."""
_PIECE = 256  # frames that are analysed at once


class Target:
    """A recording as frames of a grid.

    Parameters
    ----------
    samples : float32 (n,)
        At the grid's sample rate.
    grid : FrameGrid
    name : str
        For messages.

    Attributes
    ----------
    loudness : float32 (frames,)
        Mean square of each frame, K-weighted.
    sounding : bool (frames,)
        Which frames are not pauses.

    Raises
    ------
    InputError
        Shorter than one frame, or silent.
    """

    def __init__(self, samples: Float, grid: FrameGrid, name: str = "the target") -> None:
        if len(samples) < grid.n_fft:
            least = grid.n_fft / grid.sample_rate
            raise InputError(
                f"{name}: {len(samples) / grid.sample_rate:.3f} s are too short to take a timbre from; "
                f"give at least {least:.3f} s, better some seconds"
            )
        self.samples, self.grid, self.name = np.ascontiguousarray(samples, np.float32), grid, name
        self._window = grid.window()
        self._frames = sliding_window_view(self.samples, grid.n_fft)[:: grid.hop_length]
        measure = Loudness(grid)
        self.loudness = np.concatenate([measure.of(piece[:, None]) for piece in self.pieces()])
        loudest = float(self.loudness.max())
        if loudest <= SILENT:
            raise InputError(f"{name}: is silent: there is no timbre in it")
        self.sounding = self.loudness >= RANGE * loudest

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._frames)

    def spectrum(self, frame: int) -> Complex:
        """Return the spectrum (bins,) of a frame; after the last comes the first again."""
        return cast(Complex, scipy.fft.rfft(self._frames[frame % len(self)] * self._window))

    def spectra(self, frames: NDArray[np.intp]) -> Complex:
        """Return the spectra (n, bins) of frames."""
        return cast(Complex, scipy.fft.rfft(self._frames[frames] * self._window, axis=-1))

    def pieces(self) -> Iterator[Complex]:
        """Yield the spectra (n, bins) of all frames, some at a time."""
        for first in range(0, len(self), _PIECE):
            yield self.spectra(np.arange(first, min(first + _PIECE, len(self))))


def read_target(path: str | os.PathLike[str], grid: FrameGrid) -> Target:
    """Read a recording as a target; another sample rate is converted.

    Raises
    ------
    InputError
        As `FileTake` and `Target`.

    Warns
    -----
    TerzettoWarning
        It is longer than `LONGEST`; the rest is left out.
    """
    with FileTake(path) as take:
        frames = min(take.frames, round(LONGEST * take.sample_rate))
        if frames < take.frames:
            seconds = take.frames / take.sample_rate
            warnings.warn(
                f"{path}: of its {seconds:.0f} s the first {LONGEST:.0f} s are used", TerzettoWarning, stacklevel=2
            )
        samples = take.read(0, frames).mean(axis=0)
        rate = take.sample_rate
    if rate != grid.sample_rate:
        import soxr

        samples = np.asarray(soxr.resample(samples, rate, grid.sample_rate, quality="HQ"), np.float32)
    return Target(samples, grid, Path(path).name)


def transposed(target: Target, semitones: int) -> Target:
    """Return a target played faster or slower, as a tape or a sampler does: its formants move with its pitch."""
    if semitones == 0:
        return target
    import soxr

    samples = soxr.resample(target.samples, 2.0 ** (semitones / 12), 1.0, quality="HQ")
    return Target(np.asarray(samples, np.float32), target.grid, target.name)
