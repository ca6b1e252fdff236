"""The autoencoder's encoder: how training starts it (Zunner 2021, section 3.4).

Conventions: encoders are rows × bins like the templates they belong to; V is frames × bins, H rows × frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto import _kernel

Float = NDArray[np.float32]

STARTS = ("informed", "random", "higher")


def start(V: Float, W: Float, H: Float, kind: str, lowest_partial: int = 5, seed: int = 0) -> Float:
    """Return the encoder to start from, rows × bins, scaled so that W_D H' has the energy of V (section 3.4)."""
    if kind == "random":
        encoder = np.random.default_rng(seed).random(W.shape, np.float32)
    else:
        encoder = W / np.maximum((W**2).sum(axis=1, keepdims=True), 1e-12)
        if kind == "higher":
            encoder = encoder * _above_partial(W, lowest_partial)
    encoder = np.ascontiguousarray(encoder, np.float32)
    codes = _kernel.encode(V, encoder, H > 0)
    total = float((W.sum(axis=1, dtype=np.float64) * codes.sum(axis=1, dtype=np.float64)).sum())
    if total > 0:
        encoder *= np.float32(V.sum(dtype=np.float64) / total)
    return encoder


def _above_partial(W: Float, lowest: int) -> Float:
    """Return the mask of what lies above each harmonic row's partial ``lowest`` − 1; rows without gaps stay whole."""
    mask = np.ones_like(W)
    for row, template in enumerate(W):
        support = np.flatnonzero(template > 0)
        if len(support) == len(template) or not len(support):
            continue
        starts = support[np.r_[True, np.diff(support) > 1]]  # each partial is an island of its own
        if len(starts) >= lowest:
            mask[row, : starts[lowest - 1]] = 0.0
    return mask
