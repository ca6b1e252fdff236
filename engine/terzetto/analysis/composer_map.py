"""Composers by the atoms they use (CONV-WTA paper, 3.4 and figure 2).

A piece is a row: the mean activity of each atom, the average of its code over time. Principal components lay the
pieces out in two dimensions for the picture; distances are measured in the space of all atoms. What is independent is
the work, so performances of one work are averaged before composers are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.errors import InputError

PERMUTATIONS = 10_000
LEVEL = 0.05
Float = NDArray[np.float64]


def mean_activity(code: ArrayLike) -> Float:
    """Return the mean activity of each atom over a piece, float64 (atoms,).

    Parameters
    ----------
    code : (atoms, columns)
    """
    return np.asarray(np.asarray(code, np.float64).mean(axis=1))


@dataclass(frozen=True)
class Plane:
    """The plane of the two principal components.

    Attributes
    ----------
    centre : float64 (atoms,)
    axes : float64 (2, atoms)
    share : float64 (2,)
        Of the variance, 0..1.
    """

    centre: Float
    axes: Float
    share: Float

    def place(self, activity: ArrayLike) -> Float:
        """Return where pieces (n, atoms) lie, float64 (n, 2)."""
        return np.asarray((np.atleast_2d(np.asarray(activity, np.float64)) - self.centre) @ self.axes.T)


def fit_plane(activity: ArrayLike) -> Plane:
    """Return the plane in which pieces (n, atoms) lie furthest apart; each axis' largest weight is positive.

    Raises
    ------
    InputError
        Fewer than three pieces.
    """
    pieces = np.asarray(activity, np.float64)
    if pieces.ndim != 2 or len(pieces) < 3:
        raise InputError(f"a map wants three pieces or more; given: {len(pieces)}")
    centre = pieces.mean(axis=0)
    _, spread, axes = np.linalg.svd(pieces - centre, full_matrices=False)
    chosen = axes[:2]
    signs = np.sign(chosen[np.arange(2), np.abs(chosen).argmax(axis=1)])
    share = spread[:2] ** 2 / max(float((spread**2).sum()), 1e-300)
    return Plane(centre, chosen * signs[:, None], share)


def works_of(
    activity: ArrayLike, composers: Sequence[str], works: Sequence[str]
) -> tuple[Float, tuple[str, ...], tuple[str, ...]]:
    """Return the mean activity of each work (works, atoms), their composers and names, sorted by name.

    Raises
    ------
    InputError
        Not a composer and a work for each piece, or a work of two composers.
    """
    pieces = np.asarray(activity, np.float64)
    if not len(pieces) == len(composers) == len(works):
        raise InputError(f"{len(pieces)} pieces come with {len(composers)} composers and {len(works)} works")
    of: dict[str, str] = {}
    for composer, work in zip(composers, works, strict=True):
        if of.setdefault(work, composer) != composer:
            raise InputError(f"the work {work!r} is said to be by {of[work]} and by {composer}")
    names = tuple(sorted(of))
    index = np.array([names.index(work) for work in works])
    return np.stack([pieces[index == i].mean(axis=0) for i in range(len(names))]), tuple(of[n] for n in names), names


def centroids(works: Float, composers: Sequence[str]) -> dict[str, Float]:
    """Return the mean of each composer's works (works, atoms), composers in alphabetical order."""
    of = np.array(composers)
    return {name: np.asarray(works[of == name].mean(axis=0)) for name in sorted(set(composers))}


def centroid_distances(works: Float, composers: Sequence[str]) -> dict[tuple[str, str], float]:
    """Return the Euclidean distance between each two composers' centroids."""
    centres = centroids(works, composers)
    names = list(centres)
    return {
        (one, other): float(np.linalg.norm(centres[one] - centres[other]))
        for i, one in enumerate(names)
        for other in names[i + 1 :]
    }


@dataclass(frozen=True)
class Nearer:
    """Whether one composer lies nearer to a first than to a second.

    Attributes
    ----------
    difference : float
        Distance to the second minus distance to the first: above 0 is nearer to the first.
    by_chance : float
        Its mean when labels are shuffled; not 0, since a mean of fewer works lies further from everything.
    p : float
        Two-sided: how often shuffled labels lie at least as far from ``by_chance``.
    verdict : str
        ``nearer``, ``farther`` or ``undecided`` (p above 0.05).
    works : (int, int, int)
        Of the one composer, the first and the second.
    """

    difference: float
    by_chance: float
    p: float
    verdict: str
    works: tuple[int, int, int]


def nearer(
    works: Float,
    composers: Sequence[str],
    which: str = "Haydn",
    first: str = "Beethoven",
    second: str = "Chopin",
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Nearer:
    """Test whether a composer lies nearer to a first than to a second: a permutation test over works.

    Were first and second alike to him, their works could change places: labels of the first's and second's works are
    shuffled and the difference of the two centroid distances is taken anew.

    Parameters
    ----------
    works : (works, atoms)
        One row for each work; see `works_of`.

    Raises
    ------
    InputError
        Nothing by one of them, or fewer than two works by the first or the second.
    """
    of = np.array(composers)
    counts = tuple(int((of == name).sum()) for name in (which, first, second))
    if counts[0] < 1 or min(counts[1:]) < 2:
        raise InputError(
            f"works by {which}, {first} and {second}: {', '.join(map(str, counts))}; "
            "needed are one or more, two or more, two or more"
        )
    centre = works[of == which].mean(axis=0)
    pool = np.concatenate([works[of == first], works[of == second]]) - centre
    # Distances of centroids need only inner products of the works: a shuffle costs a small matrix, not all atoms.
    gram = pool @ pool.T

    def difference(chosen: NDArray[np.bool_]) -> float:
        near, far = chosen / chosen.sum(), ~chosen / (~chosen).sum()
        return float(np.sqrt(max(far @ gram @ far, 0.0)) - np.sqrt(max(near @ gram @ near, 0.0)))

    labels = np.arange(len(pool)) < counts[1]
    found = difference(labels)
    random = np.random.default_rng(seed)
    shuffled = np.array([difference(random.permutation(labels)) for _ in range(permutations)])
    by_chance = float(shuffled.mean())
    extreme = np.abs(shuffled - by_chance) >= abs(found - by_chance) - 1e-12
    p = float((extreme.sum() + 1) / (permutations + 1))
    verdict = "undecided" if p > LEVEL else "nearer" if found > by_chance else "farther"
    return Nearer(found, by_chance, p, verdict, (counts[0], counts[1], counts[2]))
