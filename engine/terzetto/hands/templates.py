"""Informed templates: what each pitch of the score may look like before the recording has been heard.

Zunner 2021, sections 2.2.1.1 and 2.2.1.3, gives every pitch a harmonic and an onset template. Here a pitch has
several harmonic templates, one for each stage of a note's life (a piano's upper partials die first), partials are
stretched as stiff strings stretch them, and the onset template falls with frequency instead of being flat.

Conventions: templates are rows, rows × bins; every row sums to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.score.notes import Score

Float = NDArray[np.float32]

STAGES = (0.1, 0.4)
"""Ages of a note, in seconds, at which it passes on to its next template."""

TOLERANCE_CENTS = 40.0
ROLL_OFF = 3000.0
"""Partials fall as 1/h · exp(−f / ROLL_OFF), f in Hz."""

ONSET_ROLL_OFF = 1500.0
_TUNING_FRAMES = 1 << 11
_TUNING_PARTIALS = 8
_SHOULDER = 0.05
# Half the main lobe of a Hann window, in bins.
_LOBE = 2.0


@dataclass(frozen=True)
class TemplateLayout:
    """Which template is which: ``stages`` harmonic rows per pitch, then one onset row per pitch.

    Attributes
    ----------
    pitches : int64 (p,)
        The MIDI pitches of the score, rising.
    edges : tuple of float
        Ages in seconds where one stage ends and the next begins.
    """

    pitches: NDArray[np.int64]
    edges: tuple[float, ...] = STAGES

    @classmethod
    def of(cls, score: Score) -> TemplateLayout:
        """Return the layout for the pitches of a score."""
        return cls(np.unique(score.pitch))

    @property
    def stages(self) -> int:
        """Harmonic templates per pitch."""
        return len(self.edges) + 1

    @property
    def harmonic_rows(self) -> int:
        """Number of harmonic templates; the onset templates follow."""
        return len(self.pitches) * self.stages

    @property
    def rows(self) -> int:
        """Number of templates."""
        return len(self.pitches) * (self.stages + 1)

    def rows_of(self, pitch_index: int) -> NDArray[np.int64]:
        """Return all rows of one pitch: its stages, then its onset."""
        first = pitch_index * self.stages
        return np.append(np.arange(first, first + self.stages), self.harmonic_rows + pitch_index)


def inharmonicity(pitch: float) -> float:
    """Return a piano string's stiffness B, by which partial h lies at h · f₀ · √(1 + B h²).

    Typical values over the keyboard: treble and bass bridge each give an exponential (Rauhala and Välimäki, 2007).
    """
    return float(np.exp(0.0926 * pitch - 13.64) + np.exp(-0.0847 * pitch - 5.82))


def partials(pitch: int, tuning: float, highest: float) -> NDArray[np.float64]:
    """Return the frequencies in Hz of a pitch's partials up to ``highest``; ``tuning`` in semitones from 440 Hz."""
    fundamental = 440.0 * 2.0 ** ((pitch - 69 + tuning) / 12)
    number = np.arange(1, max(int(highest / fundamental), 1) + 1)
    frequency = number * fundamental * np.sqrt(1.0 + inharmonicity(pitch) * number**2)
    result: NDArray[np.float64] = frequency[frequency <= highest]
    return result


def harmonic_template(pitch: int, grid: FrameGrid, bins: int, tuning: float = 0.0, lowest_partial: int = 1) -> Float:
    """Return the template of one pitch, bins; zero wherever no partial may lie (Zunner 2021, section 2.2.1.1).

    Parameters
    ----------
    tuning
        In semitones from A4 = 440 Hz.
    lowest_partial
        Leave out the partials below this one (section 3.4.3, "higher harmonics").
    """
    template = np.zeros(bins)
    frequency = np.arange(bins) * grid.bin_hz
    for index, center in enumerate(partials(pitch, tuning, bins * grid.bin_hz)):
        if index + 1 < lowest_partial:
            continue
        reach = max(_LOBE * grid.bin_hz, center * (2 ** (TOLERANCE_CENTS / 1200) - 1))
        near = np.abs(frequency - center) <= reach
        level = np.exp(-center / ROLL_OFF) / (index + 1)
        shape = np.maximum(_SHOULDER, _hann_lobe((frequency[near] - center) / grid.bin_hz))
        template[near] = np.maximum(template[near], level * shape)
    total = template.sum()
    return (template / total if total > 0 else template).astype(np.float32)


def onset_template(grid: FrameGrid, bins: int) -> Float:
    """Return the start of every onset template, bins: a hammer's noise, falling with frequency (section 2.2.1.3)."""
    template = np.exp(-np.arange(bins) * grid.bin_hz / ONSET_ROLL_OFF)
    result: Float = (template / template.sum()).astype(np.float32)
    return result


def informed_templates(layout: TemplateLayout, grid: FrameGrid, bins: int, tuning: float = 0.0) -> Float:
    """Return the templates to start from, rows × bins."""
    harmonic = [harmonic_template(int(pitch), grid, bins, tuning) for pitch in layout.pitches]
    onset = onset_template(grid, bins)
    return np.concatenate([np.repeat(harmonic, layout.stages, axis=0), np.tile(onset, (len(layout.pitches), 1))])


def estimate_tuning(V: Float, sounding: NDArray[np.bool_], layout: TemplateLayout, grid: FrameGrid) -> float:
    """Estimate how far a recording lies from A4 = 440 Hz, in semitones within ±1.5.

    The score says which pitches sound when; the tuning whose partials meet most energy there wins. (Knowing the
    pitches, a piano at 415 Hz is told from one at 440 Hz, which no estimate from the audio alone can.)

    Parameters
    ----------
    V
        Magnitudes, frames × bins.
    sounding
        pitches × frames: whether the score has this pitch sounding.
    """
    frames = V[:_TUNING_FRAMES]
    heard = sounding[:, : len(frames)].astype(np.float32) @ np.sqrt(frames)
    if not heard.any():
        return 0.0
    candidates = np.arange(-1.5, 1.51, 0.02)
    bins = np.arange(V.shape[1])
    salience = np.zeros(len(candidates))
    for spectrum, pitch in zip(heard, layout.pitches, strict=True):
        places = partials(int(pitch), 0.0, 4000.0)[:_TUNING_PARTIALS] / grid.bin_hz
        moved = np.outer(2.0 ** (candidates / 12), places)
        salience += np.interp(moved, bins, spectrum).sum(axis=1)
    best = int(np.argmax(salience))
    if not 0 < best < len(candidates) - 1:
        return 0.0
    below, at, above = salience[best - 1 : best + 2]
    curvature = below - 2 * at + above
    return float(candidates[best] + (0.02 * 0.5 * (below - above) / curvature if curvature < 0 else 0.0))


def _hann_lobe(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Magnitude of a Hann window's main lobe at a distance in bins, 1 at its centre."""
    d = np.abs(distance)
    safe = np.where(np.abs(d - 1) < 1e-3, 0.0, d)
    lobe = np.where(np.abs(d - 1) < 1e-3, 0.5, np.abs(np.sinc(d) / (1 - safe**2)))
    return np.where(d < _LOBE, lobe, 0.0)
