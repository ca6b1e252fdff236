"""Part the frames of a stream into hands with what was learned: H = (W_E v) ⊙ M, a filter below, a mask above.

Multiplicative updates with the templates held fixed bring the encoder's activations nearer to what factorising would
find: one where the take was learned, more beyond, where the encoder was fitted to nothing (1.1 dB there).

One frame at a time, so that the result does not depend on the blocks of the stream.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto import _coherence
from terzetto.hands import coherence, masks
from terzetto.hands.activations import ExpectedNotes
from terzetto.hands.fingerprint import Recogniser, frames_of_step
from terzetto.hands.learning import Learned, extended
from terzetto.score.notes import LEFT, RIGHT, Score

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

_AHEAD = 16  # frames whose notes are laid out at once
_UPDATES, _UPDATES_BEYOND = 1, 3
_SMALLEST = 1e-3  # of the largest activation: what the encoder closes may open again


class Splitter:
    """Parts one frame after the other; frame n is centred n hops after the take's beginning.

    Parameters
    ----------
    learned : Learned
        At the stream's sample rate.
    score : Score
        In seconds from the take's beginning, with the hand of each note.
    channels : int
        Of the stream.
    """

    def __init__(self, learned: Learned, score: Score, channels: int) -> None:
        learned = extended(learned, score)
        self.learned, self.channels = learned, channels
        self.recogniser = Recogniser(learned.fingerprint, learned.grid)
        self._hand, self._right = score.hand, score.right
        self._expected = ExpectedNotes(score, learned.layout, learned.grid)
        self._bins, low = learned.W.shape[1], learned.turning.shape[1]
        self._known = len(learned.fingerprint.levels) * frames_of_step(learned.grid)  # frames that were learned
        self._encoder = learned.encoder
        self._sums: Float = np.maximum(learned.W.sum(axis=1), np.float32(1e-20))
        gains = learned.gains
        if len(gains) != channels:
            gains = np.ones((channels, low), np.float32)
        self._filter = _coherence.Filter(
            np.ascontiguousarray(learned.W[:, :low]),
            learned.turning,
            np.ascontiguousarray(gains),
            correlation=coherence.CORRELATION,
            floor=coherence.floor_of(learned.peak),
        )
        self._low = low
        self._laid: tuple[int, Float, Float] | None = None
        self._last: int | None = None

    def reset(self) -> None:
        """Forget the frames so far."""
        self._last = None
        self._filter.reset()
        self.recogniser.reset()

    def split(self, spectra: Complex, frame: int) -> tuple[Complex | None, Complex | None]:
        """Return the left hand's and the residual's spectra of a frame; None is silence, the right hand is the rest.

        Parameters
        ----------
        spectra
            channels × bins.
        """
        if self._last is not None and frame != self._last + 1:
            self._filter.reset()
        self._last = frame
        analysed = spectra[:, : self._bins]
        power = np.mean(analysed.real**2 + analysed.imag**2, axis=0)
        if not np.isfinite(power.sum()):  # beyond what float32 holds: nothing to be parted, and no past to keep
            self.reset()
            return None, None
        self.recogniser.hear(frame, power)
        rows, left_share, right_share = self._allowed(frame)
        W = self.learned.W[rows]
        h = self._activations(rows, W, np.sqrt(power), _UPDATES if 0 <= frame < self._known else _UPDATES_BEYOND)
        h_left: Float = h * left_share
        h_right: Float = h * right_share
        low = self._filter.next(np.ascontiguousarray(spectra[:, : self._low]), rows, h_left, h_right)
        left_sounds, right_sounds = bool(h_left.any()), bool(h_right.any())
        if not left_sounds:
            return None, None if right_sounds else spectra
        if not right_sounds:
            return spectra, None  # one hand alone: all is its own
        left = np.empty_like(spectra)
        left[:, : self._low] = low
        high = W[:, self._low :]
        mask = masks.soft_masks([np.asarray(h[None] @ high, np.float32) for h in (h_left, h_right)], 2.0)[0]
        grid = self.learned.grid
        left[:, self._low :] = spectra[:, self._low :] * masks.continue_to_top(mask, grid.bins - self._low, grid.bin_hz)
        return left, None

    def _activations(self, rows: NDArray[np.uint32], W: Float, v: Float, updates: int) -> Float:
        """Return the activations of the allowed rows for magnitudes v (bins); W: their templates."""
        h: Float = self._encoder[rows] @ v
        loudest = float(h.max(initial=0.0))
        if loudest <= 0.0:
            return h
        h = np.maximum(h, np.float32(_SMALLEST * loudest))
        for _ in range(updates):
            model = h @ W
            h *= (W @ (v / np.maximum(model, np.float32(1e-9) * model.max()))) / self._sums[rows]
        return h

    def _allowed(self, frame: int) -> tuple[NDArray[np.uint32], Float, Float]:
        """Return the rows that the score allows in a frame, and the hands' shares of each."""
        if self._laid is None or not 0 <= frame - self._laid[0] < _AHEAD:
            first = frame // _AHEAD * _AHEAD
            notes = self._expected.between(first, first + _AHEAD)
            parts = notes.divide((notes.initial() > 0).astype(np.float32), self._hand, self._right)
            self._laid = (first, parts.dense(LEFT), parts.dense(RIGHT))
        first, left, right = self._laid
        left, right = left[:, frame - first], right[:, frame - first]
        rows = np.flatnonzero((left > 0) | (right > 0))
        return rows.astype(np.uint32), left[rows], right[rows]
