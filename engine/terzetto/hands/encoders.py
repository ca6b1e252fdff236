"""The autoencoder's encoder: how training starts it (Zunner 2021, section 3.4), or how it is fitted afterwards.

Conventions: encoders are rows × bins like the templates they belong to; V is frames × bins, H rows × frames.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
from numpy.typing import NDArray

from terzetto import _kernel

Float = NDArray[np.float32]

STARTS = ("informed", "random", "higher")
_FIT_FRAMES = 256
_NEGLIGIBLE = 0.01  # of a row's greatest weight: smaller ones are left as they start


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


def fit(V: Float, W: Float, H: Float, iterations: int, threads: int = 0) -> Float:
    """Return the nonnegative encoder, rows × bins, whose masked codes come nearest to activations found otherwise.

    Each row is a nonnegative least-squares problem of its own, min ‖h_r − V_r e‖² over the frames where the row is
    allowed, solved by multiplicative updates from the row's mean share of each bin.
    """
    model = H.T @ W
    model = np.maximum(model, 1e-9 * model.max(initial=1e-20))  # a bin no template reaches has no share
    np.divide(V, model, out=model)
    allowed = H > 0
    seen = allowed.astype(np.float32) @ V
    encoder = np.divide(W * (H @ model), seen, out=np.zeros_like(W), where=seen > 0)
    del model

    def fit_row(row: int) -> None:
        frames = np.flatnonzero(allowed[row])
        if not len(frames):
            return
        if len(frames) > _FIT_FRAMES:  # evenly chosen: a row has few degrees of freedom that matter
            frames = frames[np.linspace(0, len(frames) - 1, _FIT_FRAMES).round().astype(int)]
        bins = np.flatnonzero(encoder[row] > _NEGLIGIBLE * encoder[row].max())
        data, target = V[np.ix_(frames, bins)], H[row, frames]
        weights, numerator = encoder[row, bins], target @ data
        for _ in range(iterations):
            denominator = (data @ weights) @ data
            weights *= np.divide(numerator, denominator, out=np.ones_like(weights), where=denominator > 0)
        encoder[row, bins] = weights

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        list(pool.map(fit_row, range(len(W))))
    return cast(Float, encoder)


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
