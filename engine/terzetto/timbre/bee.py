"""Let it Bee: a sound as a mosaic of several frames of another at once, found by NMF with the frames held fixed.

Driedger, Prätzlich and Müller, "Let it Bee: towards NMF-inspired audio mosaicing" (ISMIR 2015). Of the spectrogram
V ≈ H W only the activations H are learned; W are the frames of the recording that gives the timbre. Three restrictions
grow firmer from iteration to iteration and keep its timbre alive: no frame is repeated at once, few sound together, and
passages are played on as they were recorded (diagonals of H). The mosaic is H times the recording's complex frames.

Nothing reaches further through the restrictions than `BeeOptions.reach` frames, so a long sound is worked through in
pieces with that much around them, and the result is the same as in one. With less around them, sound comes sooner and
the mosaic is a little worse: that is the variant with bounded look-ahead.

Conventions: the paper's matrices transposed: V is frames × bands, W atoms × bands, H frames × atoms, float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.timbre.conversion import Complex

Float = NDArray[np.float32]

_EPS = np.float32(1e-12)
_PIECE = 512  # atoms that are analysed at once


@dataclass(frozen=True)
class BeeOptions:
    """The paper's parameters, with its values.

    Attributes
    ----------
    repetition : int
        r: frames before and after in which an atom may not sound again, 0 to 50.
    polyphony : int
        p: atoms that may sound at once, 1 to 100.
    continuity : int
        c: frames before and after that support an atom along the diagonal, 0 to 50.
    iterations : int
        L, 1 to 1000.

    Raises
    ------
    InputError
        A value is out of range.
    """

    repetition: int = 3
    polyphony: int = 10
    continuity: int = 3
    iterations: int = 20

    def __post_init__(self) -> None:
        ranges = {"repetition": (0, 50), "polyphony": (1, 100), "continuity": (0, 50), "iterations": (1, 1000)}
        for name, (least, most) in ranges.items():
            if not least <= getattr(self, name) <= most:
                raise InputError(f"{name} must be from {least} to {most}; given {getattr(self, name)}")

    @property
    def reach(self) -> int:
        """Frames beyond which nothing can matter for an activation."""
        return self.iterations * (self.repetition + self.continuity)


class Bands:
    """Adds up magnitudes of neighbouring bins where the ear does not tell them apart: it makes the search cheap.

    Bins stay single up to `SINGLE` Hz; above, bands are a forty-eighth of an octave wide.

    Parameters
    ----------
    grid : FrameGrid
    """

    SINGLE, WIDTH = 2500.0, 2 ** (1 / 48)

    def __init__(self, grid: FrameGrid) -> None:
        edges = [*range(grid.bins_up_to(self.SINGLE))]
        edge = float(edges[-1] + 1)
        while edge < grid.bins:
            edges.append(int(edge))
            edge = max(edge + 1, edge * self.WIDTH)
        self._edges = np.array(edges)

    def __len__(self) -> int:
        """Return the number of bands."""
        return len(self._edges)

    def __call__(self, magnitudes: Float) -> Float:
        """Return the bands (…, bands) of magnitudes (…, bins)."""
        return cast(Float, np.add.reduceat(magnitudes, self._edges, axis=-1))


def activations(V: Float, W: Float, options: BeeOptions, usable: NDArray[np.bool_] | None = None) -> Float:
    """Learn which atoms make up which frames.

    Parameters
    ----------
    V : float32 (frames, bands)
        Magnitudes of the sound that gives the music.
    W : float32 (atoms, bands)
        Magnitudes of the frames of the one that gives the timbre, in their order.
    options : BeeOptions
    usable : bool (atoms,), optional
        Which atoms may sound; all by default.

    Returns
    -------
    float32 (frames, atoms)
    """
    H = np.ones((len(V), len(W)), np.float32)
    H[~V.any(axis=1)] = 0.0
    if usable is not None:
        H *= usable
    total = np.maximum(W.sum(axis=1), _EPS)
    for number in range(1, options.iterations + 1):
        fade = np.float32(1.0 - number / options.iterations)
        _fade_repeated(H, options.repetition, fade)
        _fade_low(H, options.polyphony, fade)
        H = _continued(H, options.continuity)
        if usable is not None:
            H *= usable
        ratio = H @ W
        np.divide(V, np.maximum(ratio, _EPS, out=ratio), out=ratio)
        H *= ratio @ (W / total[:, None]).T
    return H


def activations_in_pieces(
    V: Float, W: Float, options: BeeOptions, usable: NDArray[np.bool_] | None = None, *, piece: int, margin: int
) -> Float:
    """Return what `activations` does, but of so many frames at once with a margin on either side.

    With a margin of ``options.reach`` it is the same.
    """
    found = []
    for first in range(0, len(V), piece):
        start, stop = max(first - margin, 0), min(first + piece + margin, len(V))
        here = activations(V[start:stop], W, options, usable)
        found.append(here[first - start : first - start + piece])
    return np.concatenate(found)


def divergence(V: Float, H: Float, W: Float) -> float:
    """Return the Kullback-Leibler divergence of V from H W, as a share of the sum of V."""
    made = H.astype(np.float64) @ W
    inside = V > 0
    ratio = V[inside] / np.maximum(made[inside], float(_EPS))
    total = float(V.sum(dtype=np.float64))
    return (float(np.sum(V[inside] * np.log(ratio))) - total + float(made.sum())) / max(total, float(_EPS))


def mosaic(H: Float, spectra: Callable[[NDArray[np.intp]], Complex]) -> Complex:
    """Return the frames (frames, bins) that activations make.

    Parameters
    ----------
    H : float32 (frames, atoms)
    spectra : callable
        Numbers of atoms (n,) → their complex spectra (n, bins).
    """
    active = np.flatnonzero(H.any(axis=0))
    made = None
    for first in range(0, max(len(active), 1), _PIECE):
        atoms = active[first : first + _PIECE]
        part = scipy.sparse.csr_array(H[:, atoms]) @ spectra(atoms)
        made = part if made is None else made + part
    return cast(Complex, made)


def _fade_repeated(H: Float, repetition: int, fade: np.float32) -> None:
    """Fade what is not the highest among its neighbours in time (equation 4)."""
    highest, reach = H.copy(), 0
    while reach < repetition:  # what reaches so far each way, moved by as much again, reaches further
        step = min(reach + 1, repetition - reach)
        wider = highest.copy()
        np.maximum(wider[:-step], highest[step:], out=wider[:-step])
        np.maximum(wider[step:], highest[:-step], out=wider[step:])
        highest, reach = wider, reach + step
    np.multiply(H, fade, out=H, where=highest > H)


def _fade_low(H: Float, polyphony: int, fade: np.float32) -> None:
    """Fade what is not among the highest of its frame (equation 5)."""
    atoms = H.shape[1]
    if polyphony < atoms:
        least = np.partition(H, atoms - polyphony, axis=1)[:, atoms - polyphony, None]
        np.multiply(H, fade, out=H, where=least > H)


def _continued(H: Float, continuity: int) -> Float:
    """Add up along the diagonals (equation 6)."""
    frames, atoms = H.shape
    result = H.copy()
    for step in range(1, min(continuity, frames - 1, atoms - 1) + 1):
        result[:-step, :-step] += H[step:, step:]
        result[step:, step:] += H[:-step, :-step]
    return result
