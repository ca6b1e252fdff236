"""A stretch of a take, rebuilt: from templates and activations to the blocks of its stems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terzetto.hands import masks
from terzetto.hands.activations import Parts
from terzetto.hands.cuts import CoherentCut, Cut, MaskCut
from terzetto.parallel import in_parallel

if TYPE_CHECKING:
    from terzetto.hands.separate import Separation

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

_CONTEXT = CoherentCut.context  # seconds factorised around a segment, so that its ends can be rebuilt
_PIECE = 12.0  # seconds rebuilt at once


class Segment:
    """A stretch of frames, factorised with the learned templates, and how it is rebuilt."""

    def __init__(self, separation: Separation, first: int, last: int) -> None:
        self.of = separation
        grid = separation.grid
        context = int(_CONTEXT / grid.hop_seconds)
        self.first, self.last = max(first - context, 0), min(last + context, separation.frames)
        end = separation.take.frames if last == separation.frames else last * grid.hop_length
        self.samples = (first * grid.hop_length, min(end, separation.take.frames))
        low = separation.low_spectra(self.first, self.last)
        notes, H = separation.activations(self.first, self.last, low)
        self._cut = self._choose_cut(low, notes.divide(H, separation.grouping.part, separation.grouping.right))

    def _choose_cut(self, low: Complex, parts: Parts) -> Cut:
        of, W = self.of, self.of.analysis.found.W
        if of.settings.mask == "coherent" and of.grouping.hands:
            low = np.ascontiguousarray(low[..., : of.phase.bins])
            of.phase.hear(low, np.ascontiguousarray(W[:, : of.phase.bins]), parts.H, of.settings.threads)
            return CoherentCut(of.grid, W, parts, of.phase, low, of.analysis.layout.harmonic_rows)
        return MaskCut(of.grid, W, parts, len(of.grouping.names), masks.EXPONENTS.get(of.settings.mask, 2.0))

    def pieces(self) -> Iterator[tuple[int, list[Float]]]:
        """Yield (first sample, one block per stem) from the beginning to the end."""
        hop = self.of.grid.hop_length
        length = max(int(_PIECE * self.of.take.sample_rate) // hop, 1) * hop
        start, stop = self.samples

        def jobs() -> Iterator[tuple[int, int]]:
            for at in range(start, stop, length):
                yield at, min(at + length, stop)

        yield from in_parallel(self._rebuild, self._read(jobs()), self.of.settings.threads)

    def _read(self, spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int, int, int, Float]]:
        """Add to each span of samples the frames that matter for it and the samples those need."""
        of, grid = self.of, self.of.grid
        context = int(self._cut.context / grid.hop_seconds)
        for start, stop in spans:
            first, last = grid.frame_range(start, stop, of.frames)
            first, last = max(first - context, self.first), min(last + context, self.last)
            yield start, stop, first, last, of.take.read(*grid.sample_range(first, last))

    def _rebuild(self, job: tuple[int, int, int, int, Float]) -> tuple[int, list[Float]]:
        start, stop, first, last, samples = job
        grid = self.of.grid
        origin = start - grid.sample_range(first, last)[0]
        wanted = slice(origin, origin + stop - start)
        take = samples[:, wanted]
        if self.of.silent:
            return start, [np.zeros_like(take) for _ in self.of.names]

        def sound(part: Complex) -> Float:
            return grid.istft(part)[:, wanted]

        here = slice(first - self.first, last - self.first)
        return start, self._cut.cut(grid.stft(samples), take, here, sound)
