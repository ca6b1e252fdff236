"""Soft masks: how much of each bin belongs to a part (Zunner 2021, section 2.2.2, equation 2.25)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

EXPONENTS = {"ratio": 1.0, "wiener": 2.0}
"""The mask's exponent: magnitudes (the thesis) or energies (Wiener)."""

_TOP_BAND = 500.0


def soft_masks(models: Sequence[Float], exponent: float) -> list[Float]:
    """Return the mask of each part, mᵖ / Σ mᵖ; 0 where no part has energy. All arrays have one shape.

    Parameters
    ----------
    models
        Magnitudes of the parts, W H of each.
    exponent
        1 for the ratio of magnitudes (equation 2.25), 2 for the Wiener mask.
    """
    powers = [model**exponent for model in models]
    total = np.sum(powers, axis=0, dtype=np.float32)
    return [np.divide(power, total, out=np.zeros_like(power), where=total > 0) for power in powers]


def continue_to_top(mask: Float, bins: int, bin_hz: float) -> Float:
    """Continue a mask (frames × analysed bins) up to ``bins``: the mean of its highest 500 Hz, frame by frame."""
    known = mask.shape[1]
    if bins <= known:
        return mask[:, :bins]
    band = min(max(int(_TOP_BAND / bin_hz), 1), known)
    top = mask[:, known - band :].mean(axis=1, keepdims=True)
    return np.concatenate([mask, np.broadcast_to(top, (len(mask), bins - known))], axis=1)
