"""What one can do with music that is a sum of few atoms (CONV-WTA paper, 3.3 to 3.5).

Each function takes bars or codes and gives bars or codes; a code is float32 (atoms, columns) as `Dictionary.encode`
gives it. Nothing here draws by chance: the same arguments give the same music.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.dictionary import Dictionary, Float, to_bars, to_rows
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import SECTION_BARS, STEPS, Hvo
from terzetto.errors import InputError

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


def most_active(dictionary: Dictionary, code: Float) -> NDArray[np.int64]:
    """Return the atoms that a code uses, the most active first: by their sum over time times the atom's size."""
    size = np.sqrt((dictionary.atoms**2).sum(axis=(1, 2)))
    total = code.sum(axis=1) * size
    order = np.argsort(-total, kind="stable")
    return np.asarray(order[total[order] > 0], np.int64)


def keep_atoms(dictionary: Dictionary, code: Float, atoms: int) -> Float:
    """Return the code with its most active atoms only: the music with fewer ideas.

    Raises
    ------
    InputError
        Fewer than one atom.
    """
    if atoms < 1:
        raise InputError(f"{atoms} atoms: keep at least 1")
    kept = np.zeros_like(code)
    chosen = most_active(dictionary, code)[:atoms]
    kept[chosen] = code[chosen]
    return kept


def simplify(dictionary: Dictionary, bars: Sequence[Hvo], atoms: int) -> list[Hvo]:
    """Return bars made of their most active atoms only; see `keep_atoms`."""
    return dictionary.decode(keep_atoms(dictionary, dictionary.encode(bars), atoms))[: len(bars)]


def interpolate(first: Float, second: Float, steps: int, columns: slice | None = None) -> list[Float]:
    """Return codes on the way from one to another, both ends included.

    Parameters
    ----------
    first, second : (atoms, columns)
        A shorter one is repeated to the length of the longer.
    steps
        How many codes, from 2.
    columns
        Only these change; elsewhere the first one stays. All unless given.

    Raises
    ------
    InputError
        Fewer than two steps, codes of two dictionaries, or an empty one.
    """
    if steps < 2:
        raise InputError(f"{steps} steps: a way has at least 2, its ends")
    if len(first) != len(second) or not first.shape[1] or not second.shape[1]:
        raise InputError(f"codes {first.shape} and {second.shape} are not of one dictionary, or one is empty")
    length = max(first.shape[1], second.shape[1])
    one, other = (code[:, np.arange(length) % code.shape[1]] for code in (first, second))
    share = np.zeros(length, np.float32)
    share[columns or slice(None)] = 1.0
    return [one + np.float32(step / (steps - 1)) * share * (other - one) for step in range(steps)]


def swap_atoms(dictionary: Dictionary, first: Float, second: Float, atoms: int) -> Float:
    """Return the first code with its most active atoms replaced by the second's: its form, the other's ideas.

    The most active atom's row of activities goes to the most active atom of the second code, and so on.

    Raises
    ------
    InputError
        Fewer than one atom, or codes of two dictionaries.
    """
    if atoms < 1:
        raise InputError(f"{atoms} atoms: swap at least 1")
    if len(first) != len(second):
        raise InputError(f"codes {first.shape} and {second.shape} are not of one dictionary")
    old, new = most_active(dictionary, first)[:atoms], most_active(dictionary, second)[:atoms]
    count = min(len(old), len(new))
    swapped = first.copy()
    swapped[old[:count]] = 0.0
    for gone, come in zip(old[:count], new[:count], strict=True):
        swapped[come] += first[gone]
    return swapped


def similarity(first: Float, second: Float) -> float:
    """Return the cosine of two codes' mean activity, 0 (no atom in common) to 1; lengths may differ.

    0 also where one of them is silent.

    Raises
    ------
    InputError
        Codes of two dictionaries.
    """
    if len(first) != len(second):
        raise InputError(f"codes {first.shape} and {second.shape} are not of one dictionary")
    one, other = first.mean(axis=1), second.mean(axis=1)
    sizes = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / sizes if sizes > 0 else 0.0


def most_similar(code: Float, library: Sequence[Float]) -> list[tuple[int, float]]:
    """Return the codes of a library with their similarity to one, the most similar first."""
    found = [(index, similarity(code, each)) for index, each in enumerate(library)]
    return sorted(found, key=lambda pair: -pair[1])


def shift_variance(dictionary: Dictionary, bars: Sequence[Hvo]) -> Float:
    """Return where music leaves what the dictionary knows: the squared error of each step, float32 (16 a bar,).

    The mean over the 27 rows. High where a pattern is none of those that come again (3.3).
    """
    played = to_rows(bars)
    decoded = dictionary.rows(dictionary.encode(bars))[:, : played.shape[1]]
    return np.asarray(((decoded - played) ** 2).mean(axis=0), np.float32)


def shift_variance_of_bars(dictionary: Dictionary, bars: Sequence[Hvo]) -> Float:
    """Return the same for each bar, float32 (bars,)."""
    return np.asarray(shift_variance(dictionary, bars).reshape(-1, STEPS).mean(axis=1), np.float32)
