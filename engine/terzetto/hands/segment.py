"""A stretch of a take, rebuilt: from templates and activations to the blocks of its stems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terzetto.hands import coherence, masks
from terzetto.hands.activations import Parts, activate
from terzetto.hands.analysis import magnitudes, scale_to
from terzetto.parallel import in_parallel

if TYPE_CHECKING:
    from terzetto.hands.separate import Separation

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

_CONTEXT = 1.5  # seconds heard around a piece that is rebuilt
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
        analysis = separation.analysis
        notes = activate(separation.score, analysis.layout, grid, self.first, self.last)
        low = separation.low_spectra(self.first, self.last)
        if len(analysis.frame_numbers) == separation.frames:
            H = analysis.found.H[:, self.first : self.last]
        else:
            V = magnitudes(low)
            H = analysis.found.infer(V, scale_to(V, notes.initial()))
        H = np.ascontiguousarray(H)
        self.parts: Parts = notes.divide(H, separation.grouping.part)
        self.sounds: NDArray[np.bool_] = np.any(H > 0, axis=0)
        if separation.settings.mask == "coherent" and separation.grouping.hands:
            phase = separation.phase
            low = np.ascontiguousarray(low[..., : phase.bins])
            W = np.ascontiguousarray(analysis.found.W[:, : phase.bins])
            phase.hear(low, W, H, separation.settings.threads)
            self.turning = phase.turning(W, grid, analysis.layout.harmonic_rows)
            self.peak = phase.peak
            self.left, self.right = self.parts.dense(0), self.parts.dense(1)
            power = np.sum(low.real**2 + low.imag**2, axis=1)
            mean = power.mean(axis=0)
            self.gain = np.sqrt(np.divide(power, mean, out=np.ones_like(power), where=mean > 0)).astype(np.float32)

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
        context = int(_CONTEXT / grid.hop_seconds) if hasattr(self, "turning") else 0
        for start, stop in spans:
            first, last = grid.frame_range(start, stop, of.frames)
            first, last = max(first - context, self.first), min(last + context, self.last)
            yield start, stop, first, last, of.take.read(*grid.sample_range(first, last))

    def _rebuild(self, job: tuple[int, int, int, int, Float]) -> tuple[int, list[Float]]:
        start, stop, first, last, samples = job
        grid, of = self.of.grid, self.of
        here = slice(first - self.first, last - self.first)
        origin = start - grid.sample_range(first, last)[0]
        take = samples[:, origin : origin + stop - start]
        spectra = grid.stft(samples)  # channels × frames × bins

        def sound(part: Complex) -> Float:
            return grid.istft(part)[:, origin : origin + stop - start]

        blocks: list[Float] = []
        if hasattr(self, "turning"):
            blocks.append(sound(self._left(spectra, here)))
            # What no note can explain, where no note sounds; the right hand is then the rest.
            quiet = ~self.sounds[here]
            residual = np.zeros_like(take)
            if quiet.any():
                residual = sound(spectra * quiet[:, None])
            blocks += [take - blocks[0] - residual, residual]
        else:
            for mask in self._masks(here):
                blocks.append(sound(spectra * masks.continue_to_top(mask, grid.bins, grid.bin_hz)))
            rest = take.copy()
            for block in blocks:
                rest -= block
            blocks.append(rest)
        if of.silent:
            blocks = [np.zeros_like(take) for _ in blocks]
        return start, blocks

    def _left(self, spectra: Complex, here: slice) -> Complex:
        """Return the left hand's spectra, all channels."""
        of, W = self.of, self.of.analysis.found.W
        H_left = np.ascontiguousarray(self.left[:, here])
        H_right = np.ascontiguousarray(self.right[:, here])
        low = self.turning.shape[1]
        models = [H.T @ W[:, low:] for H in (H_left, H_right)]
        mask = masks.continue_to_top(masks.soft_masks(models, 2.0)[0], of.grid.bins - low, of.grid.bin_hz)
        left = np.empty_like(spectra)
        left[..., low:] = spectra[..., low:] * mask
        for channel, gain in enumerate(self.gain):
            left[channel, :, :low] = coherence.split_hands(
                np.ascontiguousarray(spectra[channel, :, :low]),
                np.ascontiguousarray(W[:, :low]),
                self.turning,
                H_left,
                H_right,
                gain,
                self.peak,
            )
        # Where one hand alone sounds, all is its own; where none does, neither's.
        left_sounds, right_sounds = H_left.any(axis=0), H_right.any(axis=0)
        left[:, ~left_sounds] = 0.0
        left[:, left_sounds & ~right_sounds] = spectra[:, left_sounds & ~right_sounds]
        return left

    def _masks(self, here: slice) -> Iterator[Float]:
        """Yield the soft mask of each part, frames × analysed bins, one at a time: there may be hundreds."""
        W = self.of.analysis.found.W
        exponent = masks.EXPONENTS.get(self.of.settings.mask, 2.0)
        total = np.zeros((here.stop - here.start, self.of.bins), np.float32)

        def powers() -> Iterator[Float | None]:
            for part in range(len(self.of.grouping.names)):
                rows, H = self.parts.activations(part)
                activations = H[:, here]
                yield (activations.T @ W[rows]) ** exponent if activations.any() else None

        for power in powers():
            if power is not None:
                total += power
        nothing = np.zeros_like(total)
        for power in powers():
            if power is None:
                yield nothing
            else:
                yield np.divide(power, total, out=np.zeros_like(power), where=total > 0)
