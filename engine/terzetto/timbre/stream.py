"""Drives a conversion over a stream of samples, or over a take.

Conventions: audio is float32 (channels, frames). Controls that are moved at a sample hold for what is heard of the
input at that sample, so a bounce is right to the frame; they get there on a straight line within `GLIDE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import Take
from terzetto.audio.overlap_add import StreamingSTFT
from terzetto.timbre.conversion import Complex, Controls, Conversion

Float = NDArray[np.float32]

GLIDE = 0.02
"""Seconds in which controls get where they are moved."""
LOUDEST = 1e6
"""Samples beyond, 120 dB above full scale, are a fault before us: squared they would be more than a float32 holds."""


class ConversionStream:
    """A stream in another timbre.

    Parameters
    ----------
    conversion : Conversion
    channels : int
    controls : Controls
        At the stream's beginning.
    """

    def __init__(self, conversion: Conversion, channels: int, controls: Controls | None = None) -> None:
        self.conversion = conversion
        self._stft = StreamingSTFT(conversion.grid, channels, 1, self._change)
        self._glide = max(round(GLIDE * conversion.grid.sample_rate), 1)
        self.reset(controls or Controls())

    @property
    def latency(self) -> int:
        """Samples by which the output is behind."""
        return self._stft.latency + self.conversion.look_ahead * self.conversion.grid.hop_length

    @property
    def time(self) -> int:
        """Samples heard since the last reset."""
        return self._stft.time

    def reset(self, controls: Controls) -> None:
        """Forget the stream's past; the controls are there at once."""
        self._stft.reset()
        self.conversion.reset()
        # Moves that what is heard now may still depend on: (when, from where, to where).
        self._moves: list[tuple[int, Controls, Controls]] = [(0, controls, controls)]

    def move(self, frame: int, controls: Controls) -> None:
        """Move the controls for the input from ``frame`` of the next block on."""
        time = self.time + frame
        if time == 0:
            self._moves = [(0, controls, controls)]
        elif controls != self._moves[-1][2]:
            self._moves.append((time, self._at(self._moves[-1], time), controls))

    def process(self, block: Float, position: int) -> Float:
        """Return the next block (channels, frames); ``position`` in the song lays the grid of frames."""
        sound = np.abs(block) <= LOUDEST
        (result,) = self._stft.process(block if sound.all() else np.where(sound, block, np.float32(0.0)), position)
        return cast(Float, result)

    def _change(self, spectra: Complex, center: int) -> tuple[Complex]:
        grid = self.conversion.grid
        time = self._stft.time - grid.n_fft // 2 - self.conversion.look_ahead * grid.hop_length
        while len(self._moves) > 1 and self._moves[1][0] <= time:
            self._moves.pop(0)
        return (self.conversion.convert(spectra, self._at(self._moves[0], time)),)

    def _at(self, move: tuple[int, Controls, Controls], time: int) -> Controls:
        start, before, after = move
        return before.towards(after, (time - start) / self._glide)


def render(take: Take, conversion: Conversion, controls: Controls | None = None, *, hop: int = 8192) -> Iterator[Float]:
    """Give a take another timbre: the live path, its latency taken away.

    Parameters
    ----------
    take : Take
        At the sample rate of the conversion's grid.
    conversion : Conversion
    controls : Controls, optional
        For the whole take.
    hop : int
        Frames of a block; the samples do not depend on it.

    Yields
    ------
    float32 (channels, frames)
        Blocks; together they are as long as the take.
    """
    stream = ConversionStream(conversion, take.channels, controls)
    skip, left = stream.latency, take.frames
    for start in range(0, take.frames + stream.latency, hop):
        result = stream.process(take.read(start, start + hop), start)
        begin = min(skip, hop)
        skip -= begin
        result = result[:, begin : begin + left]
        left -= result.shape[1]
        if result.shape[1]:
            yield result
