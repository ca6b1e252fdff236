"""What is shown of an analysed take: its beginning, cut from the analysis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.hands import masks
from terzetto.hands.activations import activate
from terzetto.hands.analysis import magnitudes, scale_to
from terzetto.hands.separate import Separation
from terzetto.hands.templates import TemplateLayout
from terzetto.score.notes import HANDS, Score

Float = NDArray[np.float32]

LONGEST = 30.0
"""Seconds shown at most."""
_HIGHEST = 1500.0  # Hz shown at least; the thesis's choice


@dataclass(frozen=True)
class View:
    """The shown beginning of an analysed take.

    Attributes
    ----------
    score, layout, V, W0, H0, W, H
        As in `terzetto.hands.separate.Analysis`, cut to the shown frames.
    hands : tuple of float32 (rows, frames)
        The activations of the left and the right hand; empty if the score does not tell the hands.
    exponent : float
        Of the soft masks.
    hop, bin_hz : float
        Distance of two frames in seconds, and of two bins in Hz.
    end, length : float
        Seconds shown, and seconds of the take.
    """

    score: Score
    layout: TemplateLayout
    V: Float
    W0: Float
    H0: Float
    W: Float
    H: Float
    hands: tuple[Float, ...]
    exponent: float
    hop: float
    bin_hz: float
    end: float
    length: float

    @property
    def highest(self) -> float:
        """Highest frequency shown in Hz: 1500 as in the thesis, more where the highest note needs it."""
        top = 440.0 * 2.0 ** ((int(self.layout.pitches[-1]) - 69) / 12)
        wanted = max(_HIGHEST, 500.0 * np.ceil(2.2 * top / 500.0))
        return float(min(wanted, (self.W.shape[1] - 1) * self.bin_hz))

    @property
    def cut(self) -> str:
        """What to add to a title when only the beginning is shown."""
        return "" if self.end >= self.length else f" · first {self.end:.0f} s of {self.length:.0f} s"


def view(separation: Separation, longest: float = LONGEST) -> View:
    """Return what is shown of a separation: its first ``longest`` seconds."""
    analysis, score, grid = separation.analysis, separation.score, separation.grid
    length = separation.take.frames / separation.take.sample_rate
    end = min(longest, length)
    frames = min(int(end / grid.hop_seconds) + 1, separation.frames)
    notes = activate(score, analysis.layout, grid, 0, frames)
    if len(analysis.frame_numbers) == separation.frames:
        V, H0, H = analysis.V[:frames], analysis.H0[:, :frames], analysis.found.H[:, :frames]
    else:  # a long take was learned from chosen frames, which need not be the first ones
        V = magnitudes(separation.spectra(0, frames))
        H0 = scale_to(V, notes.initial())
        H = np.asarray(analysis.found.infer(V, H0))
    parts = notes.divide(np.ascontiguousarray(H), score.hand, score.right) if score.has_hands else None
    return View(
        score=score,
        layout=analysis.layout,
        V=V,
        W0=analysis.W0,
        H0=H0,
        W=analysis.found.W,
        H=H,
        hands=tuple(parts.dense(hand) for hand in range(len(HANDS))) if parts else (),
        exponent=masks.EXPONENTS.get(separation.settings.mask, masks.EXPONENTS["wiener"]),
        hop=grid.hop_seconds,
        bin_hz=grid.bin_hz,
        end=end,
        length=length,
    )
