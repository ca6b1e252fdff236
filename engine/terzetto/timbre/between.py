"""Two conversions of one sound at once, and what lies between their outputs: `Controls.balance`.

Both are driven all the time, whatever the balance, so that it can glide from one to the other without either starting
anew. Their spectra are crossfaded; where both keep the input's phases (X-Synth, the envelope), the level of each
partial then lies between those that the two give it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.timbre.conversion import Complex, Controls, Conversion
from terzetto.timbre.methods import open_conversion
from terzetto.timbre.naming import split_instrument


class Between:
    """A conversion between two others.

    Parameters
    ----------
    first, second : Conversion
        Both of the same grid. Who hears less far ahead is handed its frames later.
    fixed : bool
        Whether the second stays where it was opened, wherever the pad is.

    Raises
    ------
    InputError
        They analyse with different windows.
    """

    def __init__(self, first: Conversion, second: Conversion, *, fixed: bool = False) -> None:
        if first.grid != second.grid:
            raise InputError(
                f"two models can be balanced only if they analyse alike; these have windows of {first.grid.n_fft} and "
                f"{second.grid.n_fft} samples at {first.grid.sample_rate:g} Hz: take two for the usual window, or two "
                "for low latency"
            )
        self._both, self._fixed = (first, second), fixed
        self.look_ahead = max(first.look_ahead, second.look_ahead)
        self.reset()

    @property
    def grid(self) -> FrameGrid:
        """Its analysis, at the stream's sample rate."""
        return self._both[0].grid

    @property
    def first(self) -> Conversion:
        """The one that is heard at a balance of 0."""
        return self._both[0]

    def convert(self, spectra: Complex, controls: Controls) -> Complex:
        """Return the next frame between the two; see `Conversion.convert`."""
        theirs = (controls, replace(controls, pad=None) if self._fixed else controls)
        outputs = []
        for conversion, waiting, own in zip(self._both, self._waiting, theirs, strict=True):
            waiting.append(spectra)
            ready = len(waiting) > self.look_ahead - conversion.look_ahead
            outputs.append(conversion.convert(waiting.popleft(), own) if ready else np.zeros_like(spectra))
        first, second = outputs
        if controls.balance <= 0.0 or controls.amount <= 0.0:
            return first
        if controls.balance >= 1.0:
            return second
        share = np.float32(controls.balance)
        return (1 - share) * first + share * second

    def reset(self) -> None:
        """Forget the stream's past."""
        self._waiting: tuple[deque[Complex], deque[Complex]] = (deque(), deque())
        for conversion in self._both:
            conversion.reset()


def open_between(
    method: str,
    to: str,
    other: str,
    *,
    sample_rate: float,
    channels: int = 2,
    low_latency: bool = False,
    **options: Any,
) -> Conversion:
    """Open one conversion (``other`` is empty) or two to be balanced; see `open_conversion`.

    An ``other`` that names an instrument stays that, wherever the pad is.

    Raises
    ------
    InputError, ModelError
        One of them cannot be opened, or they analyse with different windows.
    """

    def opened(name: str) -> Conversion:
        return open_conversion(
            method, name, sample_rate=sample_rate, channels=channels, low_latency=low_latency, **options
        )

    if not other:
        return opened(to)
    return Between(opened(to), opened(other), fixed=bool(split_instrument(other)[1]))
