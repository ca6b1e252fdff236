"""Spectra of a stream, changed and put together again, one frame at a time.

Conventions: frames as in `terzetto.audio.spectra`; one ends wherever the position is a multiple of the hop. So frames
lie alike in the song wherever playback begins and whatever blocks the host sends, and so does the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

Change = Callable[[Complex, int], Sequence[Complex | None]]
"""(spectra (channels, bins), centre) → spectra of each output, None for silence. The centre is a position."""


class StreamingSTFT:
    """Cuts a stream into frames, hands their spectra to ``change``, and overlap-adds what comes back.

    What comes out is ``latency`` samples behind what goes in. Spectra that are handed back unchanged give the input.

    Parameters
    ----------
    grid : FrameGrid
    channels : int
    outputs : int
        How many signals ``change`` makes of one.
    """

    def __init__(self, grid: FrameGrid, channels: int, outputs: int, change: Change) -> None:
        self._grid, self._change = grid, change
        self._window = grid.window()
        self._window_squared = self._window**2
        size = grid.n_fft
        self._past = np.zeros((channels, 2 * size), np.float32)
        self._sum = np.zeros((outputs, channels, 2 * size), np.float32)
        self._weight = np.zeros(2 * size, np.float32)
        self._frame = np.zeros((channels, size), np.float32)
        self.reset()

    @property
    def latency(self) -> int:
        """Samples by which the output is behind."""
        return self._grid.n_fft

    def reset(self) -> None:
        """Forget the past: before the stream there was silence."""
        for buffer in (self._past, self._sum, self._weight):
            buffer[:] = 0.0
        self._heard = self._grid.n_fft  # where in _past the next sample goes
        self._out = 0  # where in _sum the next output is
        self.time = 0  # samples heard
        # Where each stretch without a jump begins: (time in the stream, position minus time).
        self._stretches: list[tuple[int, int]] = []

    def process(self, block: Float, position: int) -> Float:
        """Return the outputs (outputs, channels, n) for a block (channels, n) at a position."""
        hop, frames = self._grid.hop_length, block.shape[1]
        if not self._stretches or self.time + self._stretches[-1][1] != position:
            self._stretches.append((self.time, position - self.time))
        result = np.empty((*self._sum.shape[:2], frames), np.float32)
        done = 0
        while done < frames:
            # Jumps may keep the position from every multiple of the hop: two hops without a frame are enough.
            length = min(hop - (position + done) % hop, frames - done, 2 * hop - self._out)
            self._take(block[:, done : done + length])
            self._give(result[..., done : done + length])
            done += length
            self.time += length
            if (position + done) % hop == 0 or self._out == 2 * hop:
                self._work()
        return result

    def _take(self, samples: Float) -> None:
        size, length = self._grid.n_fft, samples.shape[1]
        if self._heard + length > self._past.shape[1]:
            self._past[:, :size] = self._past[:, self._heard - size : self._heard].copy()
            self._heard = size
        self._past[:, self._heard : self._heard + length] = samples
        self._heard += length

    def _give(self, into: Float) -> None:
        length = into.shape[-1]
        here = slice(self._out, self._out + length)
        np.divide(self._sum[..., here], np.maximum(self._weight[here], 1e-6), out=into)
        self._out += length

    def _work(self) -> None:
        """One frame has been heard to its end."""
        size = self._grid.n_fft
        if self._out:  # outputs that have been given make room
            for buffer in (self._sum, self._weight):
                buffer[..., :size] = buffer[..., self._out : self._out + size].copy()
                buffer[..., size:] = 0.0
            self._out = 0
        np.multiply(self._past[:, self._heard - size : self._heard], self._window, out=self._frame)
        spectra = cast(Complex, scipy.fft.rfft(self._frame, axis=-1))
        for output, changed in enumerate(self._change(spectra, self._center())):
            if changed is None:
                continue
            samples = self._frame if changed is spectra else cast(Float, scipy.fft.irfft(changed, size, axis=-1))
            self._sum[output, :, :size] += samples * self._window
        self._weight[:size] += self._window_squared

    def _center(self) -> int:
        """Return the position of the frame's centre: where the song stood then, if it has jumped since."""
        time = self.time - self._grid.n_fft // 2
        while len(self._stretches) > 1 and self._stretches[1][0] <= time:
            self._stretches.pop(0)
        return time + self._stretches[0][1]
