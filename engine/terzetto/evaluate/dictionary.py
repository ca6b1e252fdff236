"""How well a dictionary of drum music reconstructs and de-noises, beside plain filters.

Conventions: hits are bool (n, 9, 64), sections of four bars. F1 counts a hit as right only in its very cell; it is
averaged over files, the unit of independence, and intervals are 95 % bootstrap over them. Noise of a share p drops each
hit with probability p and adds p times as many hits as there were, in empty cells drawn evenly; so what is dropped and
what is spurious are about as many.

Every de-noiser gives a value per cell; a hit stays from one threshold on, and one is put in from another. Both are
chosen on validation sections, once for all shares of noise together: nobody knows how noisy a beat is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.dictionary_edits import keep_or_add, recurrence
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import SECTION_BARS, STEPS
from terzetto.errors import InputError
from terzetto.evaluate.drum_patterns import f1_by_file

SHARES = (0.05, 0.1, 0.2, 0.3)
NEVER = 9.0  # no value reaches it
KEEP = (-NEVER, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6)
RECURRING = (0.0, 0.25, 0.5, 0.75)
ADD = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, NEVER)
Bool = NDArray[np.bool_]
Float = NDArray[np.float32]
Denoiser = Callable[[Float], Float]


def validate(rows: Float, file: NDArray[np.int64]) -> None:
    """Check sections (n, 27, 64) and the files they are from.

    Raises
    ------
    InputError
        Another shape, no sections, or not a file for each.
    """
    if rows.ndim != 3 or rows.shape[1:] != (3 * len(DRUMS), STEPS * SECTION_BARS) or not len(rows):
        raise InputError(f"sections are (n, {3 * len(DRUMS)}, {STEPS * SECTION_BARS}); given: {rows.shape}")
    if len(file) != len(rows):
        raise InputError(f"{len(rows)} sections come with {len(file)} files; give one for each")


def add_noise(rows: Float, share: float, seed: int) -> Float:
    """Return sections with hits dropped and spurious ones added; see the module.

    Parameters
    ----------
    rows : float32 (n, 27, 64)
        Spurious hits get the velocity of one of the section's, on the grid.
    share
        0..1.
    """
    random = np.random.default_rng(seed)
    n = len(DRUMS)
    noisy = rows.copy()
    for section in noisy:
        hits = section[:n] > 0.5
        loud = section[n : 2 * n][hits]
        flat = np.flatnonzero(hits)
        gone = flat[random.random(len(flat)) < share]
        empty = np.flatnonzero(~hits)
        come = random.choice(empty, min(random.binomial(len(flat), share), len(empty)), replace=False)
        parts = section.reshape(3, -1)
        parts[:, gone] = 0.0
        parts[:, come] = 0.0
        parts[0, come] = 1.0
        parts[1, come] = random.choice(loud, len(come)) if len(loud) else 0.0
    return noisy


def majority(rows: Float) -> Float:
    """Return in how many of the section's four bars each cell is hit, 0..1: the value of the majority filter."""
    return np.stack([recurrence(section) for section in rows[:, : len(DRUMS)] > 0.5])


def median(rows: Float) -> Float:
    """Return the median of each cell and its two neighbours in time."""
    from scipy.ndimage import median_filter

    return np.asarray(median_filter((rows[:, : len(DRUMS)] > 0.5).astype(np.float32), size=(1, 1, 3)), np.float32)


def choose_thresholds(
    value: Denoiser, rows: Float, file: NDArray[np.int64], seed: int = 1
) -> tuple[float, float, float]:
    """Return the thresholds (keep, add) with the best mean F1 over all shares of noise, and that F1.

    For validation sections.
    """
    truth = rows[:, : len(DRUMS)] > 0.5
    scores = np.zeros((len(KEEP), len(ADD)))
    for number, share in enumerate(SHARES):
        noisy = add_noise(rows, share, seed + number)
        was, found = noisy[:, : len(DRUMS)] > 0.5, value(noisy)
        for i, keep in enumerate(KEEP):
            for j, add in enumerate(ADD):
                scores[i, j] += f1_by_file(keep_or_add(was, found, keep, add), truth, file).mean() / len(SHARES)
    best = np.unravel_index(int(scores.argmax()), scores.shape)
    return KEEP[best[0]], ADD[best[1]], float(scores[best])


def with_recurrence(value: Denoiser, share: float) -> Denoiser:
    """Return the de-noiser whose value is partly recurrence; see `terzetto.drums.dictionary_edits.denoise`."""
    return lambda rows: np.asarray((1 - share) * value(rows) + share * majority(rows), np.float32)


def choose_denoising(value: Denoiser, rows: Float, file: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return keep, add and the share of recurrence with the best F1 on validation sections."""
    found = {share: choose_thresholds(with_recurrence(value, share), rows, file) for share in RECURRING}
    best = max(found, key=lambda share: found[share][2])
    return found[best][0], found[best][1], best


def denoised_f1(
    value: Denoiser,
    thresholds: tuple[float, float],
    rows: Float,
    file: NDArray[np.int64],
    share: float,
    seed: int = 1000,
) -> NDArray[np.float64]:
    """Return each file's F1 after noise of a share and its removal."""
    noisy = add_noise(rows, share, seed)
    was = noisy[:, : len(DRUMS)] > 0.5
    return f1_by_file(keep_or_add(was, value(noisy), *thresholds), rows[:, : len(DRUMS)] > 0.5, file)


def squared_error(found: Float, rows: Float, file: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each file's mean squared error over all 27 rows."""
    each = ((found - rows) ** 2).mean(axis=(1, 2), dtype=np.float64)
    _, unit = np.unique(file, return_inverse=True)
    return np.bincount(unit, each) / np.bincount(unit)


def paired(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the differences by file, for an interval of "better than"."""
    return first - second


def table(rows: Mapping[str, Sequence[Mapping[str, float]]], columns: Sequence[str], digits: int = 3) -> str:
    """Return methods by columns as text, each cell a mean with its interval."""
    width = max(map(len, rows)) + 2
    lines = [" " * width + "".join(f"{name:>24}" for name in columns)]
    for name, cells in rows.items():
        shown = [f"{c['mean']:.{digits}f} [{c['low']:.{digits}f}, {c['high']:.{digits}f}]" for c in cells]
        lines.append(f"{name:{width}}" + "".join(f"{cell:>24}" for cell in shown))
    return "\n".join(lines)
