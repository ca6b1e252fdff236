"""Conversions: what turns the frames of one sound into frames of another, live and offline alike.

A conversion is handed the spectra of a stream frame by frame and gives back as many. `terzetto.timbre.stream` drives
it; `terzetto.timbre.methods` opens one by name.

Conventions: spectra are complex64 (channels, bins) of the conversion's own grid. Stereo is analysed on the mid and
changed channel by channel, so what lies where in the stereo image stays there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError

Complex = NDArray[np.complex64]

WINDOW, LOW_WINDOW = 2048 / 48000, 1024 / 48000
"""Seconds of the usual window and of the one with low latency."""


def stream_grid(sample_rate: float, low_latency: bool = False) -> FrameGrid:
    """Return the frames that a conversion streams with: 2048 samples at 48 kHz, 1024 with low latency."""
    return FrameGrid.from_seconds(sample_rate, LOW_WINDOW if low_latency else WINDOW)


def mid(spectra: Complex) -> Complex:
    """Return the mid (bins,) of the channels (channels, bins)."""
    return cast(Complex, spectra[0] if len(spectra) == 1 else spectra.mean(axis=0))


@dataclass(frozen=True)
class Controls:
    """What may glide while a conversion plays.

    Attributes
    ----------
    amount : float
        0: the input, untouched; 1: the other timbre.
    pad : (float, float) or None
        Where on the pad of a model of several instruments, 0..1 each; None: where the conversion was opened.
    balance : float
        Between the outputs of two models: 0 the first, 1 the second.
    follow : float
        1: the input's loudness is carried around the method; 0: the loudness is the method's own.

    Raises
    ------
    InputError
        A value is not a number from 0 to 1.
    """

    amount: float = 1.0
    pad: tuple[float, float] | None = None
    balance: float = 0.0
    follow: float = 1.0

    def __post_init__(self) -> None:
        for name in ("amount", "balance", "follow"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise InputError(f"{name} must be from 0 to 1; given {value}")
        if self.pad is not None and not all(0.0 <= value <= 1.0 for value in self.pad):
            raise InputError(f"pad takes x and y from 0 to 1; given {self.pad}")

    def towards(self, other: Controls, share: float) -> Controls:
        """Return what lies between these (0) and others (1) on a straight line; a pad from or to None jumps."""
        if share <= 0.0 or share >= 1.0 or self == other:
            return self if share <= 0.0 else other

        def between(a: float, b: float) -> float:
            return min(max(a + share * (b - a), 0.0), 1.0)

        pad = other.pad
        if self.pad is not None and other.pad is not None:
            pad = between(self.pad[0], other.pad[0]), between(self.pad[1], other.pad[1])
        return Controls(
            between(self.amount, other.amount),
            pad,
            between(self.balance, other.balance),
            between(self.follow, other.follow),
        )


class Conversion(Protocol):
    """What turns the frames of one sound into frames of another."""

    @property
    def grid(self) -> FrameGrid:
        """Its analysis, at the stream's sample rate."""

    @property
    def look_ahead(self) -> int:
        """Frames that it hears beyond the one that it gives back."""

    def convert(self, spectra: Complex, controls: Controls) -> Complex:
        """Return the next frame in the other timbre.

        Parameters
        ----------
        spectra : complex64 (channels, bins)
            The newest frame of the input. It must not be changed in place.
        controls : Controls
            For the frame that is given back: that of ``look_ahead`` calls before.

        Returns
        -------
        complex64 (channels, bins)
            With an ``amount`` of 0 exactly the frame that came in. Silence first, while there is nothing to give back.
        """

    def reset(self) -> None:
        """Forget the stream's past: before it there was silence."""
