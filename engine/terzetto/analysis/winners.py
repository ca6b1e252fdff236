"""k winners take all: of many activities only the largest stay, the others become 0.

Two readings of "k" are possible, and both are here. *Of each atom* (Makhzani and Frey 2014, section 4; the CONV-WTA
paper's 2.4): in every atom's row the k largest activities over time stay. *In each column*: at every time the k most
active atoms stay, so k says how many atoms a bar is made of.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError

OF_EACH_ATOM, IN_EACH_COLUMN = "of each atom", "in each column"
WINNERS = (OF_EACH_ATOM, IN_EACH_COLUMN)
Float = NDArray[np.float32]


def keep_winners(activity: Float, k: int, winners: str, section: int = 0) -> Float:
    """Return the activities with all but the winners set to 0.

    Parameters
    ----------
    activity : float32 (atoms, columns)
        From 0.
    k
        How many win.
    winners
        One of `WINNERS`.
    section
        For `OF_EACH_ATOM`: the k largest of every so many columns; 0 for all columns together.

    Raises
    ------
    InputError
        k below 1, or no such reading of it.
    """
    if k < 1:
        raise InputError(f"k = {k}: at least one activity wins")
    if winners not in WINNERS:
        raise InputError(f"winners are taken {' or '.join(WINNERS)}; given: {winners!r}")
    if winners == IN_EACH_COLUMN:
        return _largest(activity.T, k).T.copy()
    columns = activity.shape[1]
    size = section or max(columns, 1)
    parts = [_largest(activity[:, start : start + size], k) for start in range(0, columns, size)]
    return np.concatenate(parts, axis=1) if parts else activity.copy()


def _largest(rows: Float, k: int) -> Float:
    """Keep the k largest of each row; of equal ones the first."""
    if k >= rows.shape[1]:
        return rows.copy()
    order = np.argsort(-rows, axis=1, kind="stable")[:, :k]
    kept = np.zeros_like(rows)
    np.put_along_axis(kept, order, np.take_along_axis(rows, order, axis=1), axis=1)
    return kept
