"""Where on a pad a pattern lies: the point whose pattern shares most hits with it."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import STEPS
from terzetto.drums.pattern_features import N_FINE
from terzetto.errors import ModelError

Float = NDArray[np.float32]
POINTS = 80  # on each side of the table that is searched


class Pad:
    """A square of patterns, searched by shared hits.

    Parameters
    ----------
    limits
        The square's lower and upper edge in x and y.
    thresholds
        At which a probability is a hit on the fine grid, and in the HVO form.
    steps
        Gives the steps (n, 16, 59) at points (n, 2) of the square; or what `packed` returned.

    Attributes
    ----------
    patterns : (float32 (6400, 512), float32 (6400, 144))
        The points' hits on the fine grid and in the HVO form, 0 or 1; y goes fastest.

    Raises
    ------
    ModelError
        What is packed is damaged.
    """

    def __init__(
        self, limits: tuple[float, float], thresholds: tuple[float, float], steps: Callable[[Float], Float] | str
    ) -> None:
        self.thresholds = thresholds
        axis = np.linspace(*limits, POINTS, dtype=np.float32)
        self._points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
        self.patterns = _unpacked(steps) if isinstance(steps, str) else _hits(steps(self._points), *thresholds)

    def packed(self) -> str:
        """Return the hits of all points as a text of some 50,000 letters: decoding them anew takes a second."""
        # Cell by cell: neighbours on the pad are alike, so this packs best.
        bits = np.packbits(np.concatenate(self.patterns, axis=1).T.astype(np.bool_), axis=1)
        return base64.b64encode(zlib.compress(bits.tobytes(), 9)).decode("ascii")

    def nearest(self, steps: Float, fine_threshold: float) -> Float:
        """Return the points, (n, 2), most like patterns given as steps (n, 16, 59).

        Alike is the mean of two F1: of the hits on the fine grid, and of those in the HVO form.

        Parameters
        ----------
        steps
            Where the patterns come from: the whole latent space.
        fine_threshold
            At which a probability is a hit on the fine grid there.
        """
        wanted = _hits(steps, fine_threshold, self.thresholds[1])
        alike = sum(_f1(ours, theirs) for ours, theirs in zip(wanted, self.patterns, strict=True))
        return np.asarray(self._points[np.argmax(alike, axis=1)])


def _hits(steps: Float, fine: float, hits: float) -> tuple[Float, Float]:
    """Return the hits of both forms, each (n, cells), 0 or 1."""
    n = len(steps)
    hvo = steps[:, :, N_FINE : N_FINE + len(DRUMS)]
    return (
        (steps[:, :, :N_FINE] >= fine).reshape(n, -1).astype(np.float32),
        (hvo >= hits).reshape(n, -1).astype(np.float32),
    )


def _unpacked(text: str) -> tuple[Float, Float]:
    """Return what `_hits` gave, from what `Pad.packed` made of it."""
    fine, cells = STEPS * N_FINE, STEPS * (N_FINE + len(DRUMS))
    try:
        bits = np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), np.uint8).reshape(cells, -1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise ModelError(f"the model's table of its pad is damaged ({error}); install or train it again") from None
    if bits.shape[1] != POINTS * POINTS // 8:
        raise ModelError(f"the model's table of its pad has not {POINTS} x {POINTS} points; install or train it again")
    hits = np.unpackbits(bits, axis=1).T.astype(np.float32)
    return hits[:, :fine], hits[:, fine:]


def _f1(first: Float, second: Float) -> Float:
    """Return the F1 of each of the first patterns with each of the second ones, (n, m)."""
    both = first.sum(axis=1)[:, None] + second.sum(axis=1)[None]
    return np.asarray(2.0 * (first @ second.T) / np.maximum(both, 1.0), np.float32)
