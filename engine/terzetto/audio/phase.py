"""Phase for magnitudes: Griffin-Lim, and heap integration of the phase gradient, over any invertible transform.

- **Heap integration** reads the phase's slopes off the logarithm of the magnitude and adds them up from the loudest
  cell outward, once: fast (Průša, Balazs, Søndergaard 2017).
- **Griffin-Lim** goes to and fro between the signal and the given magnitudes: every round takes two transforms
  (Griffin & Lim 1984; with momentum, "fast Griffin-Lim": Perraudin, Balazs, Søndergaard 2013).

`recover` does the one and then a few rounds of the other.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from terzetto import _phase
from terzetto.errors import InputError

Real = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]
MOMENTUM = 0.99
TOLERANCE = 1e-5


class Transform(Protocol):
    """An invertible transform of real signals of one length, such as `spectra.Stft` and `nsgt.Nsgt`."""

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of a signal's coefficients."""

    def forward(self, samples: Any) -> Any:
        """Return coefficients (rows, columns) of a signal (samples,)."""

    def inverse(self, coefficients: Any) -> Any:
        """Return the signal; of coefficients that are no signal's, the nearest."""

    def phase_gradient(self, magnitude: Any) -> tuple[Any, Any]:
        """Return how the phase changes to the next row and to the next column, in radians, of each cell."""


def griffin_lim(
    magnitude: Real,
    transform: Transform,
    *,
    iterations: int = 60,
    momentum: float = MOMENTUM,
    start: Complex | None = None,
    seed: int = 0,
) -> Real:
    """Find a signal whose coefficients have nearly the given magnitudes.

    Parameters
    ----------
    magnitude : float (rows, columns)
        Not negative.
    transform : Transform
    iterations : int
        Rounds to and fro; 0 turns ``start`` back as it is.
    momentum : float
        0 is Griffin & Lim's method; Perraudin et al. find 0.99 best (their α, algorithm 2).
    start : complex (rows, columns), optional
        Coefficients to begin with, of which the phase counts; without, phases are drawn by ``seed``.

    Returns
    -------
    float (samples,)

    Raises
    ------
    InputError
        Magnitudes of another shape than the transform's, negative or not finite; fewer than 0 iterations.
    """
    magnitude = _checked(magnitude, transform)
    if iterations < 0 or not 0.0 <= momentum <= 2.0:
        raise InputError(f"{iterations} iterations with momentum {momentum:g}: give 0 or more, and momentum in 0..2")
    coefficients = magnitude * _unit(_random_phase(magnitude, seed) if start is None else start)
    before = None
    for _ in range(iterations):
        found = transform.forward(transform.inverse(coefficients))
        ahead = found if before is None else found + momentum * (found - before)
        coefficients, before = magnitude * _unit(ahead), found
    return np.asarray(transform.inverse(coefficients))


def heap_integration(
    magnitude: Real, transform: Transform, *, tolerance: float = TOLERANCE, seed: int = 0
) -> NDArray[np.complex64]:
    """Return coefficients (rows, columns) of the given magnitudes with the phase that their own slopes imply.

    Cells below ``tolerance`` (0..1) of the loudest carry no slope one could trust: their phases are drawn by ``seed``.
    Up to 4·10⁹ cells; the interpreter is free meanwhile.

    Raises
    ------
    InputError
        Magnitudes of another shape than the transform's, negative or not finite.
    """
    magnitude = _checked(magnitude, transform).astype(np.float32, copy=False)
    down, across = transform.phase_gradient(magnitude)
    start = np.random.default_rng(seed).uniform(-np.pi, np.pi, magnitude.shape).astype(np.float32)
    return _phase.integrate(
        magnitude,
        down.astype(np.float32, copy=False),
        across.astype(np.float32, copy=False),
        start,
        tolerance=tolerance,
    )


def recover(magnitude: Real, transform: Transform, *, iterations: int = 0, seed: int = 0) -> Real:
    """Return a signal (samples,): heap integration, then so many rounds of fast Griffin-Lim.

    The signal is as loud as the magnitudes say; its sign is not known to them.
    """
    start = heap_integration(magnitude, transform, seed=seed)
    if iterations == 0:
        return np.asarray(transform.inverse(start))
    return griffin_lim(magnitude, transform, iterations=iterations, start=start)


def spectral_convergence(magnitude: Real, samples: Real, transform: Transform) -> float:
    """Return how far a signal's magnitudes are from those asked for, as a share of their norm: 0 is perfect."""
    found = np.abs(transform.forward(samples))
    return float(np.linalg.norm(found - magnitude) / max(float(np.linalg.norm(magnitude)), 1e-30))


def _checked(magnitude: Real, transform: Transform) -> Real:
    magnitude = np.asarray(magnitude)
    if magnitude.shape != transform.shape:
        raise InputError(f"magnitudes of shape {magnitude.shape}: this transform's are {transform.shape}")
    if not (np.isfinite(magnitude).all() and magnitude.min() >= 0.0):
        raise InputError("magnitudes must be numbers of 0 or more; these hold a negative one, NaN or infinity")
    return magnitude


def _random_phase(magnitude: Real, seed: int) -> Complex:
    phase = np.random.default_rng(seed).uniform(-np.pi, np.pi, magnitude.shape).astype(magnitude.dtype)
    return np.asarray(np.exp(1j * phase))


def _unit(coefficients: Complex) -> Complex:
    """Return the coefficients at magnitude 1."""
    return np.asarray(coefficients / np.maximum(np.abs(coefficients), 1e-20))
