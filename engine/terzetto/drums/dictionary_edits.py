"""What one can do with beats that are sums of few atoms (CONV-WTA paper, 3.3 to 3.5).

Those functions that take codes and give codes are the same for all music: `terzetto.analysis.codes`. Nothing here draws
by chance: the same arguments give the same music.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.analysis.codes import interpolate, keep_atoms, most_active, most_similar, similarity, swap_atoms
from terzetto.analysis.dictionary import Float
from terzetto.drums.dictionary import Dictionary, to_bars, to_rows
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import SECTION_BARS, STEPS, Hvo
from terzetto.errors import InputError

__all__ = [
    "denoise",
    "interpolate",
    "keep_atoms",
    "keep_or_add",
    "most_active",
    "most_similar",
    "recurrence",
    "shift_variance",
    "shift_variance_of_bars",
    "similarity",
    "simplify",
    "swap_atoms",
]
N = len(DRUMS)


def denoise(
    dictionary: Dictionary,
    bars: Sequence[Hvo],
    *,
    keep: float | None = None,
    add: float | None = None,
    recurring: float | None = None,
) -> list[Hvo]:
    """Take out hits that nothing explains, and put in those that are missing.

    Each cell has a value: what the dictionary decodes there, and in how many bars of the four-bar section it is hit.
    What stays keeps its velocity and timing; what is put in has those of the atoms.

    Parameters
    ----------
    keep
        A hit stays where the value is at least this: higher takes out more. The model's own unless given.
    add
        A hit is put in where it is at least this: higher puts in fewer. The model's own unless given.
    recurring
        0..1: how much of the value is recurrence. 0 asks the dictionary alone. The model's own unless given.

    Raises
    ------
    InputError
        No bars, or ``recurring`` outside 0..1.
    """
    lowest, highest, usual = dictionary.denoising
    share = usual if recurring is None else recurring
    if not 0.0 <= share <= 1.0:
        raise InputError(f"recurring = {share:g}: give 0 (the dictionary alone) to 1 (recurrence alone)")
    played = to_rows(bars)
    decoded = dictionary.rows(dictionary.encode(bars))[:, : played.shape[1]]
    was = played[:N] > 0.5
    value = (1 - share) * decoded[:N] + share * recurrence(was)
    hits = keep_or_add(was, value, lowest if keep is None else keep, highest if add is None else add)
    rows = np.where(np.tile(was & hits, (3, 1)), played, decoded)
    rows[:N] = hits
    return to_bars(rows, 0.5)


def recurrence(hits: NDArray[np.bool_]) -> Float:
    """Return in which share of a section's (up to four) bars each cell is hit, float32 of the same shape (9, steps)."""
    shares = np.empty(hits.shape, np.float32)
    for start in range(0, hits.shape[1], SECTION_BARS * STEPS):
        section = hits[:, start : start + SECTION_BARS * STEPS]
        bars = section.reshape(len(hits), -1, STEPS)
        shares[:, start : start + section.shape[1]] = np.tile(bars.mean(axis=1), (1, bars.shape[1]))
    return shares


def keep_or_add(was: NDArray[np.bool_], value: Float, keep: float, add: float) -> NDArray[np.bool_]:
    """Return the hits after de-noising: where there was one from ``keep`` on, elsewhere from ``add`` on."""
    return np.where(was, value >= keep, value >= add)


def simplify(dictionary: Dictionary, bars: Sequence[Hvo], atoms: int) -> list[Hvo]:
    """Return bars made of their most active atoms only; see `keep_atoms`."""
    return dictionary.decode(keep_atoms(dictionary, dictionary.encode(bars), atoms))[: len(bars)]


def shift_variance(dictionary: Dictionary, bars: Sequence[Hvo]) -> Float:
    """Return where music leaves what the dictionary knows: the squared error of each step, float32 (16 a bar,).

    The mean over the 27 rows. High where a pattern is none of those that come again (3.3).
    """
    return dictionary.error(to_rows(bars))


def shift_variance_of_bars(dictionary: Dictionary, bars: Sequence[Hvo]) -> Float:
    """Return the same for each bar, float32 (bars,)."""
    return np.asarray(shift_variance(dictionary, bars).reshape(-1, STEPS).mean(axis=1), np.float32)
