"""What is found out about a take before it is cut apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.hands.factorise import Factorisation
from terzetto.hands.templates import TemplateLayout

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]


@dataclass(frozen=True)
class Analysis:
    """What was found out about a take (or, for a long one, about the frames chosen to learn from).

    Attributes
    ----------
    grid, layout, tuning
        Frames, templates, and the recording's tuning in semitones from A4 = 440 Hz.
    V : float32 (frames, bins)
    W0, H0 : float32
        Templates (rows × bins) and activations (rows × frames) before factorising.
    found : Factorisation
    frame_numbers : int64 (frames,)
        Which frames of the take these are.
    """

    grid: FrameGrid
    layout: TemplateLayout
    tuning: float
    V: Float
    W0: Float
    H0: Float
    found: Factorisation
    frame_numbers: NDArray[np.int64]


def magnitudes(spectra: Complex) -> Float:
    """Return V, frames × bins: the root of the channels' mean energy (a mono sum could cancel)."""
    power = spectra[0].real ** 2 + spectra[0].imag ** 2
    for channel in spectra[1:]:
        power += channel.real**2 + channel.imag**2
    result: Float = np.sqrt(power / np.float32(len(spectra)))
    return result


def scale_to(V: Float, H: Float) -> Float:
    """Scale activations so that, with templates of sum 1, they hold the sum of V."""
    total = float(H.sum(dtype=np.float64))
    return H * np.float32(V.sum(dtype=np.float64) / total) if total > 0 else H
