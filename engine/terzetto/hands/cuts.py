"""Two ways to cut a segment's spectra into stems: by soft masks, or with the help of phase.

Both offer ``context`` (seconds of the take that are heard around a piece) and ``cut``, which returns one block of
samples per stem, the residual last; the blocks sum to the take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.hands import coherence, masks
from terzetto.hands.activations import Parts

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]
Sound = Callable[[Complex], Float]


class Cut(Protocol):
    """How a segment becomes stems."""

    context: float

    def cut(self, spectra: Complex, take: Float, here: slice, sound: Sound) -> list[Float]:
        """Return one block per stem, each shaped as ``take``.

        Parameters
        ----------
        spectra
            channels × frames × bins of the frames ``here``.
        take
            The samples that the stems must sum to, channels × samples.
        here
            The segment's frames that these are.
        sound
            Turns spectra into the samples of ``take``.
        """


class MaskCut:
    """Every part gets its share of each bin (Zunner 2021, section 2.2.2); what is left over is the residual."""

    context = 0.0

    def __init__(self, grid: FrameGrid, W: Float, parts: Parts, count: int, exponent: float) -> None:
        self._grid, self._W, self._parts, self._count, self._exponent = grid, W, parts, count, exponent

    def cut(self, spectra: Complex, take: Float, here: slice, sound: Sound) -> list[Float]:
        """Return one block per stem; see `Cut`."""
        blocks: list[Float] = []
        rest = take.copy()
        for mask in self._masks(here):
            blocks.append(sound(spectra * masks.continue_to_top(mask, self._grid.bins, self._grid.bin_hz)))
            rest -= blocks[-1]
        return [*blocks, rest]

    def _masks(self, here: slice) -> Iterator[Float]:
        """Yield the soft mask of each part, frames × analysed bins, one at a time: there may be hundreds."""
        total = np.zeros((here.stop - here.start, self._W.shape[1]), np.float32)

        def powers() -> Iterator[Float | None]:
            for part in range(self._count):
                rows, H = self._parts.activations(part)
                activations = H[:, here]
                yield (activations.T @ self._W[rows]) ** self._exponent if activations.any() else None

        for power in powers():
            if power is not None:
                total += power
        nothing = np.zeros_like(total)
        for power in powers():
            if power is None:
                yield nothing
            else:
                yield np.divide(power, total, out=np.zeros_like(power), where=total > 0)


class CoherentCut:
    """The left hand is followed by phase (`terzetto.hands.coherence`) below 2.8 kHz and masked above.

    Frames in which no note sounds are the residual; the right hand is the rest.

    Parameters
    ----------
    low
        Spectra of the segment up to the bin that phases are followed to, channels × frames × bins.
    """

    context = 1.5

    def __init__(
        self, grid: FrameGrid, W: Float, parts: Parts, phase: coherence.PhaseAdvance, low: Complex, harmonic_rows: int
    ) -> None:
        self._grid, self._W = grid, W
        self._W_low = np.ascontiguousarray(W[:, : phase.bins])
        self._turning = phase.turning(self._W_low, grid, harmonic_rows)
        self._peak = phase.peak
        self._left, self._right = parts.dense(0), parts.dense(1)
        self._gain = coherence.channel_gains(low)

    def cut(self, spectra: Complex, take: Float, here: slice, sound: Sound) -> list[Float]:
        """Return the left hand, the right hand and the residual; see `Cut`."""
        H_left = np.ascontiguousarray(self._left[:, here])
        H_right = np.ascontiguousarray(self._right[:, here])
        left_sounds, right_sounds = np.any(H_left > 0, axis=0), np.any(H_right > 0, axis=0)
        left_spectra = self._split(spectra, H_left, H_right)
        # Where one hand alone sounds, all is its own; where none does, neither's.
        left_spectra[:, ~left_sounds] = 0.0
        left_spectra[:, left_sounds & ~right_sounds] = spectra[:, left_sounds & ~right_sounds]
        left = sound(left_spectra)
        quiet = np.logical_not(left_sounds | right_sounds)
        residual = sound(spectra * quiet[:, None]) if quiet.any() else np.zeros_like(take)
        return [left, take - left - residual, residual]

    def _split(self, spectra: Complex, H_left: Float, H_right: Float) -> Complex:
        """Return the left hand's spectra, all channels."""
        grid, low = self._grid, self._turning.shape[1]
        models = [H.T @ self._W[:, low:] for H in (H_left, H_right)]
        mask = masks.continue_to_top(masks.soft_masks(models, 2.0)[0], grid.bins - low, grid.bin_hz)
        left = np.empty_like(spectra)
        left[..., low:] = spectra[..., low:] * mask
        for channel, gain in enumerate(self._gain):
            left[channel, :, :low] = coherence.split_hands(
                np.ascontiguousarray(spectra[channel, :, :low]),
                self._W_low,
                self._turning,
                H_left,
                H_right,
                gain,
                self._peak,
            )
        return left
