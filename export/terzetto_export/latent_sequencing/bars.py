"""The paper's data set: the first bar of each file as an activation matrix, fills and duplicates removed (3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError
from terzetto_export.drum_data.bars import Counts, read_bars
from terzetto_export.drum_data.files import Reading, Tell

TRAINED = 0.8  # the rest is the test part
FEWEST = 10


@dataclass(frozen=True)
class FirstBars:
    """Activation matrices, their styles, and what was left out on the way.

    Attributes
    ----------
    hits : bool (n, 8, 64)
    style : sequence of str
    counts : Counts
    """

    hits: NDArray[np.bool_]
    style: Sequence[str]
    counts: Counts

    def split(self, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return indices of the train and the test part, 80 % and 20 %, drawn by a seed."""
        order = np.random.default_rng(seed).permutation(len(self.hits))
        cut = round(TRAINED * len(order))
        return order[:cut], order[cut:]


def first_bars(reading: Reading, tell: Tell) -> FirstBars:
    """Return the first bar of each file that has a hit.

    Raises
    ------
    InputError
        Fewer than ten bars are left.
    """
    bars, counts = read_bars(reading, first_only=True, distinct="activations", tell=tell)
    if len(bars) < FEWEST:
        raise InputError(f"{len(bars)} different bars are left of {counts.files} files; the recipe needs {FEWEST}")
    return FirstBars(np.stack([bar.activations.hits for bar in bars]), [bar.file.style for bar in bars], counts)
