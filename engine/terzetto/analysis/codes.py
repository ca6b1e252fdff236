"""What one can do with music that is a sum of few atoms (CONV-WTA paper, 3.3 to 3.5), of whatever kind it is.

A code is float32 (atoms, columns) as a dictionary's ``encode`` gives it. Nothing here draws by chance: the same
arguments give the same code.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.analysis.dictionary import Float, SparseDictionary
from terzetto.errors import InputError


def total_activity(dictionary: SparseDictionary, code: Float) -> Float:
    """Return how much each atom is in a code, (atoms,): its sum over time times the atom's size."""
    size = np.sqrt((dictionary.atoms**2).sum(axis=(1, 2)))
    return np.asarray(code.sum(axis=1) * size)


def most_active(dictionary: SparseDictionary, code: Float) -> NDArray[np.int64]:
    """Return the atoms that a code uses, the most active first; see `total_activity`."""
    total = total_activity(dictionary, code)
    order = np.argsort(-total, kind="stable")
    return np.asarray(order[total[order] > 0], np.int64)


def keep_atoms(dictionary: SparseDictionary, code: Float, atoms: int) -> Float:
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


def swap_atoms(dictionary: SparseDictionary, first: Float, second: Float, atoms: int) -> Float:
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
