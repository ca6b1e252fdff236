"""A drum beat: hits in quarter notes, with the tempi and time signatures they are played in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.drums.drum_map import DrumMap, read_drum_map
from terzetto.errors import InputError

# Bars longer than this are no music but a damaged file, and would only fill the memory.
MOST_BARS = 10_000
SIXTEENTH = 0.25


def midi_velocity(velocity: float) -> int:
    """Return how loud a hit of a velocity of 0..1 is in MIDI, 1 to 127; what plays a hit strikes it so, too."""
    return min(max(round(127 * velocity), 1), 127)


@dataclass(frozen=True)
class Tempo:
    """Quarter notes a minute (``bpm``, > 0) from a position (``quarter``) on."""

    quarter: float
    bpm: float


@dataclass(frozen=True)
class Meter:
    """A time signature from a position (``quarter``) on, which begins a bar.

    >>> Meter(0.0, 6, 8).bar
    3.0
    """

    quarter: float
    numerator: int = 4
    denominator: int = 4

    @property
    def bar(self) -> float:
        """A bar's length in quarter notes."""
        return 4 * self.numerator / self.denominator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True)
class Beat:
    """Hits in musical time: positions are quarter notes from the beginning, whatever the tempo.

    Attributes
    ----------
    onset : float64 (n,)
        Quarter notes, ascending. A hit played ahead of the first beat may lie before 0.
    note : int64 (n,)
        MIDI notes.
    velocity : float32 (n,)
        Above 0, at most 1 (MIDI's velocity / 127).
    tempi : tuple of Tempo
        The first from quarter 0.
    meters : tuple of Meter
        The first from quarter 0.
    length : float
        Quarter notes, to the end of the last bar.
    drum_map : DrumMap
        What the notes mean.

    Raises
    ------
    InputError
        Arrays of different lengths, values out of range, no tempo or time signature at quarter 0.
    """

    onset: NDArray[np.float64]
    note: NDArray[np.int64]
    velocity: NDArray[np.float32]
    tempi: tuple[Tempo, ...]
    meters: tuple[Meter, ...]
    length: float
    drum_map: DrumMap

    def __post_init__(self) -> None:
        if not len(self.onset) == len(self.note) == len(self.velocity):
            raise InputError(
                f"onset, note and velocity have {len(self.onset)}, {len(self.note)} and {len(self.velocity)} values; "
                "give one of each for every hit"
            )
        if not np.isfinite(self.onset).all() or (np.diff(self.onset) < 0).any():
            raise InputError("onsets are finite numbers in ascending order; Beat.of sorts them")
        if ((self.note < 0) | (self.note > 127)).any():
            raise InputError("notes are MIDI notes, whole numbers from 0 to 127")
        if not ((self.velocity > 0) & (self.velocity <= 1)).all():
            raise InputError("velocities are above 0 and at most 1 (MIDI's velocity / 127)")
        for name, changes in (("tempo", self.tempi), ("time signature", self.meters)):
            positions = [change.quarter for change in changes]
            if not positions or positions[0] != 0 or (np.diff(positions) <= 0).any():
                raise InputError(f"a beat has a {name} from quarter 0 on, and later ones in order; given: {positions}")
        if not all(0 < tempo.bpm < np.inf for tempo in self.tempi):
            raise InputError("a tempo is above 0 beats a minute")

    @classmethod
    def of(
        cls,
        onset: ArrayLike,
        note: ArrayLike,
        velocity: ArrayLike,
        *,
        tempo: float = 120.0,
        bars: int = 0,
        drum_map: DrumMap | None = None,
    ) -> Self:
        """Make a beat in 4/4 at one tempo; hits may come in any order.

        Parameters
        ----------
        onset
            Quarter notes.
        note
            MIDI notes.
        velocity
            Above 0, at most 1; one value for all hits, or one each.
        tempo
            Quarter notes a minute.
        bars
            Its length; 0 for as many as the hits fill.
        drum_map
            What the notes mean; the published map unless given.
        """
        times, notes = np.asarray(onset, np.float64).reshape(-1), np.asarray(note, np.int64).reshape(-1)
        if not np.isfinite(times).all():
            raise InputError("onsets are finite numbers, in quarter notes")
        velocities = np.broadcast_to(np.asarray(velocity, np.float32), times.shape)
        order = np.lexsort((notes, times)) if len(times) == len(notes) else np.arange(len(times))
        meter = Meter(0.0)
        return cls(
            times[order],
            notes[order] if len(times) == len(notes) else notes,
            velocities[order],
            (Tempo(0.0, float(tempo)),),
            (meter,),
            (bars or bars_filled(times, meter)) * meter.bar,
            drum_map or read_drum_map(),
        )

    def __len__(self) -> int:
        return len(self.onset)

    @property
    def tempo(self) -> float:
        """The tempo it begins with, in quarter notes a minute."""
        return self.tempi[0].bpm

    @property
    def seconds(self) -> float:
        """How long it lasts, at its tempi."""
        ends = [*(tempo.quarter for tempo in self.tempi[1:]), self.length]
        return sum((end - tempo.quarter) * 60 / tempo.bpm for tempo, end in zip(self.tempi, ends, strict=True))

    @property
    def drum(self) -> NDArray[np.int64]:
        """The drum of each hit: index into `DRUMS`, or `NONE`."""
        return self.drum_map.drums(self.note)

    @property
    def instrument(self) -> NDArray[np.int64]:
        """The class of each hit: index into `CLASSES`, or `NONE`."""
        return self.drum_map.classes(self.note)

    def bars(self) -> list[tuple[float, float]]:
        """Return where each bar starts and how long it is, in quarter notes.

        A time signature that comes before its bar is over cuts that bar short.
        """
        found = []
        ends = [*(meter.quarter for meter in self.meters[1:]), self.length]
        for meter, end in zip(self.meters, ends, strict=True):
            starts = np.arange(meter.quarter, end - 1e-6, meter.bar)
            found += [(float(start), float(min(meter.bar, end - start))) for start in starts]
        return found

    def at_tempo(self, bpm: float) -> Beat:
        """Return the same hits at one tempo throughout."""
        return replace(self, tempi=(Tempo(0.0, float(bpm)),))


def bars_filled(onset: NDArray[np.float64], meter: Meter) -> int:
    """Return how many bars hits fill, from 1: each belongs to the sixteenth it is nearest to."""
    if not len(onset):
        return 1
    last = np.floor(float(np.max(onset)) / SIXTEENTH + 0.5) * SIXTEENTH
    return max(int(np.floor(last / meter.bar + 1e-9)) + 1, 1)
