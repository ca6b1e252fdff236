"""Beats ↔ bars on a grid: binary activation matrices (8 classes × 64 steps), and HVO (9 drums × 16 steps).

*Activation matrix*: whether a class is hit at a step; a bar has 64 (Chemla--Romeu-Santos et al. 2019, 3.1.1).
*HVO*: hits, velocities and offsets of nine drums, 16 steps a bar, 27 rows (Gillick et al. 2019). Velocity and
micro-timing are kept. Four such bars are the 27 × 64 of the CONV-WTA paper (table 1).

Both count from the bar's beginning and hold bars of four quarter notes only. A hit belongs to the step it is nearest
to, so one played just ahead of a bar belongs to that bar's first step. Where several hits fall on one step of one drum,
the loudest stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.drums.beat import Beat
from terzetto.drums.drum_map import CLASSES, DRUMS, NONE, DrumMap, read_drum_map
from terzetto.errors import InputError

BAR = 4.0  # quarter notes
FINE_STEPS = 64
STEPS = 16
SECTION_BARS = 4
VELOCITY = 0.8  # of hits that never had one
_SOFTEST = 1 / 127

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class ActivationMatrix:
    """One bar: which class is hit at which 64th of it.

    Attributes
    ----------
    hits : bool (8, 64)
        Rows in the order of `CLASSES`.
    """

    hits: NDArray[np.bool_]
    SHAPE = (len(CLASSES), FINE_STEPS)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hits", _matrix("an activation matrix", self.hits, self.SHAPE, np.bool_))

    @classmethod
    def bars_of(cls, beat: Beat, *, skip_other_meters: bool = False) -> list[Self]:
        """Put a beat on the grid, a matrix for each bar; see `bar_starts` for bars that are not of four quarters."""
        starts = bar_starts(beat, skip_other_meters=skip_other_meters)
        hits = np.zeros((len(starts), *cls.SHAPE), np.bool_)
        rows = beat.instrument
        bar, step, _ = _places(beat.onset, starts, FINE_STEPS)
        on = (bar != NONE) & (rows != NONE)
        hits[bar[on], rows[on], step[on]] = True
        return [cls(each) for each in hits]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActivationMatrix) and np.array_equal(self.hits, other.hits)

    def __hash__(self) -> int:
        return hash(self.hits.tobytes())


@dataclass(frozen=True)
class Hvo:
    """One bar: hits, velocities and offsets of nine drums at 16 steps. What is given where nothing is hit becomes 0.

    Attributes
    ----------
    hits : bool (9, 16)
        Rows in the order of `DRUMS`.
    velocities : float32 (9, 16)
        0..1.
    offsets : float32 (9, 16)
        -0.5..0.5 of a step (a sixteenth note); negative is early.

    Raises
    ------
    InputError
        A wrong shape, or a value out of range.
    """

    hits: NDArray[np.bool_]
    velocities: NDArray[np.float32]
    offsets: NDArray[np.float32] = field(default_factory=lambda: np.zeros((len(DRUMS), STEPS), np.float32))
    SHAPE = (len(DRUMS), STEPS)

    def __post_init__(self) -> None:
        hits = _matrix("the hits", self.hits, self.SHAPE, np.bool_)
        object.__setattr__(self, "hits", hits)
        for name, low, high in (("velocities", 0.0, 1.0), ("offsets", -0.5, 0.5)):
            values = _matrix(f"the {name}", getattr(self, name), self.SHAPE, np.float32)
            values = np.where(hits, values, np.float32(0))
            if not ((values >= low) & (values <= high)).all():
                raise InputError(f"the {name} of a bar lie between {low:g} and {high:g}; clip them first")
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    @classmethod
    def bars_of(cls, beat: Beat, *, skip_other_meters: bool = False) -> list[Self]:
        """Put a beat on the grid, one for each bar; see `bar_starts` for bars that are not of four quarters."""
        starts = bar_starts(beat, skip_other_meters=skip_other_meters)
        hits = np.zeros((len(starts), *cls.SHAPE), np.bool_)
        velocities, offsets = np.zeros(hits.shape, np.float32), np.zeros(hits.shape, np.float32)
        bar, step, offset = _places(beat.onset, starts, STEPS)
        on = (bar != NONE) & (beat.drum != NONE)
        # Written from the softest to the loudest, and of equal ones the earliest last: that one stays.
        order = np.lexsort((-beat.onset, beat.velocity))
        order = order[on[order]]
        cells = bar[order], beat.drum[order], step[order]
        hits[cells], velocities[cells], offsets[cells] = True, beat.velocity[order], offset[order]
        return [cls(*each) for each in zip(hits, velocities, offsets, strict=True)]

    def as_rows(self) -> NDArray[np.float32]:
        """Return float32 (27, 16): nine rows of hits, nine of velocities, nine of offsets."""
        return np.concatenate([self.hits.astype(np.float32), self.velocities, self.offsets])

    @classmethod
    def from_rows(cls, rows: ArrayLike) -> Self:
        """Read (27, 16); a hit is 0.5 or more, values out of range are clipped: a network's output is welcome."""
        n, values = len(DRUMS), _matrix("the rows of an HVO bar", rows, (3 * len(DRUMS), STEPS), np.float32)
        return cls(values[:n] >= 0.5, values[n : 2 * n].clip(0, 1), values[2 * n :].clip(-0.5, 0.5))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hvo) and np.array_equal(self.as_rows(), other.as_rows())

    def __hash__(self) -> int:
        return hash(self.as_rows().tobytes())


def bar_starts(beat: Beat, *, skip_other_meters: bool = False) -> NDArray[np.float64]:
    """Return where the bars of a beat start that the grid can hold, in quarter notes.

    Parameters
    ----------
    skip_other_meters
        Leave bars out that are not four quarter notes long, instead of refusing them.

    Raises
    ------
    InputError
        There are such bars and they are not to be left out, or there are no others.
    """
    bars = beat.bars()
    starts = np.array([start for start, length in bars if abs(length - BAR) < 1e-6])
    if len(starts) < len(bars) and not (skip_other_meters and len(starts)):
        number, (start, length) = next((n, bar) for n, bar in enumerate(bars, 1) if abs(bar[1] - BAR) >= 1e-6)
        meter = [each for each in beat.meters if each.quarter <= start + 1e-6][-1]
        short = "" if abs(length - meter.bar) < 1e-6 else ", cut short by a change of time signature"
        raise InputError(
            f"bar {number} is in {meter}{short} ({length:g} quarter notes); the grid holds bars of 4 quarter notes: "
            "give a beat in 4/4"
        )
    return starts


def hvo_to_beat(bars: Sequence[Hvo], *, tempo: float = 120.0, drum_map: DrumMap | None = None) -> Beat:
    """Return the hits of some bars as a beat; a hit without loudness gets MIDI's softest."""
    drum_map = drum_map or read_drum_map()
    rows = np.stack([bar.as_rows() for bar in bars]) if bars else np.zeros((0, 3 * len(DRUMS), STEPS), np.float32)
    hits, velocities, offsets = np.split(rows, 3, axis=1)
    bar, drum, step = np.nonzero(hits)
    onset = BAR * bar + (step + offsets[bar, drum, step].astype(np.float64)) * (BAR / STEPS)
    velocity = np.maximum(velocities[bar, drum, step], np.float32(_SOFTEST))
    return Beat.of(onset, drum_map.note_of_drum[drum], velocity, tempo=tempo, bars=len(bars), drum_map=drum_map)


def activations_to_beat(
    bars: Sequence[ActivationMatrix],
    *,
    tempo: float = 120.0,
    velocity: float = VELOCITY,
    drum_map: DrumMap | None = None,
) -> Beat:
    """Return the hits of some bars as a beat, all equally loud."""
    drum_map = drum_map or read_drum_map()
    hits = np.stack([bar.hits for bar in bars]) if bars else np.zeros((0, *ActivationMatrix.SHAPE), np.bool_)
    bar, row, step = np.nonzero(hits)
    onset = BAR * bar + step * (BAR / FINE_STEPS)
    return Beat.of(onset, drum_map.note_of_class[row], velocity, tempo=tempo, bars=len(bars), drum_map=drum_map)


def hvo_to_activations(bars: Sequence[Hvo], drum_map: DrumMap | None = None) -> list[ActivationMatrix]:
    """Return the same hits as activation matrices; micro-timing is kept to a 64th, velocities are lost."""
    return ActivationMatrix.bars_of(hvo_to_beat(bars, drum_map=drum_map))


def activations_to_hvo(bars: Sequence[ActivationMatrix], drum_map: DrumMap | None = None) -> list[Hvo]:
    """Return the same hits as HVO bars, each class as the drum its written note is."""
    return Hvo.bars_of(activations_to_beat(bars, drum_map=drum_map))


def to_section(bars: Sequence[Hvo]) -> NDArray[np.float32]:
    """Return four bars side by side, float32 (27, 64): what the CONV-WTA model reads.

    Raises
    ------
    InputError
        Not four bars.
    """
    if len(bars) != SECTION_BARS:
        raise InputError(f"a section is {SECTION_BARS} bars; given: {len(bars)}")
    return np.concatenate([bar.as_rows() for bar in bars], axis=1)


def from_section(rows: ArrayLike) -> list[Hvo]:
    """Return the four bars of a section (27, 64); see `Hvo.from_rows` for values between."""
    values = _matrix("a section", rows, (3 * len(DRUMS), SECTION_BARS * STEPS), np.float32)
    return [Hvo.from_rows(bar) for bar in np.split(values, SECTION_BARS, axis=1)]


def _places(
    onset: NDArray[np.float64], starts: NDArray[np.float64], steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Return the bar (or `NONE`), step and offset (in steps) of each hit."""
    if not len(starts):
        return np.full(len(onset), NONE), np.zeros(len(onset), np.int64), np.zeros(len(onset), np.float32)
    half = BAR / steps / 2
    early = np.maximum(onset, min(starts[0], 0.0) - half)  # nothing lies before the first step
    bar = np.searchsorted(starts - half, early, side="right") - 1
    position = (early - starts[bar]) * (steps / BAR)
    step = np.floor(position + 0.5).astype(np.int64)
    # Nearest to the first step of a bar that is not there: the last one's of this, as late as can be.
    step[(step == steps) & (position < steps)] -= 1
    bar = np.where((step >= 0) & (step < steps) & (bar >= 0), bar, NONE)
    return bar, step, (position - step).clip(-0.5, 0.5).astype(np.float32)


def _matrix(what: str, values: ArrayLike, shape: tuple[int, int], kind: type[T]) -> NDArray[T]:
    """Check a matrix's shape and return a copy of the right kind that cannot be changed."""
    matrix = np.array(values)
    if matrix.shape != shape:
        raise InputError(
            f"{what} is {shape[0]} × {shape[1]}; given: {' × '.join(map(str, matrix.shape)) or 'one value'}"
        )
    if not np.isfinite(matrix).all():
        raise InputError(f"{what} holds NaN or infinite values")
    matrix = matrix.astype(kind)
    matrix.setflags(write=False)
    return matrix
