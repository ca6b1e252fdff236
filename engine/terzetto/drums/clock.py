"""Where in the song a block is, in quarter notes: the host's transport, or a clock of one's own while that stands.

The position is a function of what the host tells alone, so a bounce plays what was heard. Hosts count quarter notes
more or less exactly (Ardour to 1/1920); where they agree with the position in frames at the present tempo, that one is
taken, which is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from terzetto.audio.stream import Transport

Mode = Literal["off", "transport", "always"]

WOBBLE = 32
"""Frames by which a host's quarter notes may be off without meaning it."""
ROUND = 0.381966011
"""What rounds a time in frames to a frame; see `Span.frame`."""


@dataclass(frozen=True, slots=True)
class Span:
    """A block's time.

    Attributes
    ----------
    quarter : float
        The song position of its first frame, in quarter notes.
    frames_per_quarter : float
    moved : bool
        Whether it does not go on where the block before had ended.
    """

    quarter: float
    frames_per_quarter: float
    moved: bool

    def frame(self, quarter: float) -> int:
        """Return the frame at which a position falls, from the block's first.

        Positions often fall between two frames, and often just in the middle (a sixteenth at 120 bpm has 5512.5 frames
        at 44.1 kHz). What rounds them is no simple fraction, so that which frame it is does not hang on the last bit.
        """
        return math.floor((quarter - self.quarter) * self.frames_per_quarter + ROUND)


class BeatClock:
    """Follows a transport from block to block.

    Parameters
    ----------
    sample_rate
        Hz.
    """

    def __init__(self, sample_rate: float) -> None:
        self._rate = sample_rate
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._expected: float | None = None  # where the next block begins; None: nothing ran
        self._expected_position: int | None = None
        self._by_host = False

    def advance(self, transport: Transport, frames: int, tempo: float, mode: Mode) -> Span | None:
        """Return the time of a block of so many frames; None if nothing is to be played in it.

        Parameters
        ----------
        transport
            At the block's first frame.
        tempo
            Beats a minute, where the host tells none.
        mode
            Whether to run never, with the host's transport, or always.
        """
        rolls = transport.playing and transport.tempo > 0 and (transport.position, transport.quarters) != (None, None)
        if mode == "off" or (mode == "transport" and not rolls):
            self.reset()
            return None
        bpm = transport.tempo if transport.tempo > 0 else tempo
        per_quarter = 60 * self._rate / bpm
        if rolls:
            quarter, moved = self._hosts(transport, per_quarter)
        else:
            quarter, moved = self._own(transport, per_quarter)
        self._by_host = bool(rolls)
        self._expected = quarter + frames / per_quarter
        self._expected_position = None if transport.position is None else transport.position + frames
        return Span(quarter, per_quarter, moved)

    def _hosts(self, transport: Transport, per_quarter: float) -> tuple[float, bool]:
        expected = self._expected if self._by_host else None
        position = transport.position
        by_frames = None if position is None else position / per_quarter
        if transport.quarters is None:
            assert by_frames is not None
            goes_on = expected is not None and position == self._expected_position
            # Where the tempo has changed only what was counted so far knows the quarter notes.
            if goes_on and expected is not None and abs(by_frames - expected) * per_quarter > WOBBLE:
                return expected, False
            told, exact = by_frames, True
        else:
            exact = by_frames is not None and abs(by_frames - transport.quarters) * per_quarter <= WOBBLE
            told = by_frames if exact and by_frames is not None else transport.quarters
        if expected is None or abs(told - expected) * per_quarter > WOBBLE:
            return told, True
        return (told if exact else expected), False

    def _own(self, transport: Transport, per_quarter: float) -> tuple[float, bool]:
        if self._expected is not None and not self._by_host:
            return self._expected, False
        # A host without a transport whose frames are counted: an engine that joins late plays on where it is.
        counted = transport.position if transport.playing and transport.position is not None else 0
        return counted / per_quarter, True
