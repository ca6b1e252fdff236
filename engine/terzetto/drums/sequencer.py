"""The sequencer: which hits fall into a block, wherever the song jumps and whatever is turned meanwhile.

A beat's hits are settled just before it begins, and stay: a pattern changes between two steps, never within one. The
first step of a beat at which a new pattern may begin can be played early by `LEAD` at most, and what is turned up to
then counts from that beat on.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable

from terzetto.drums.bars import STEP, Bars, Hit, Settings
from terzetto.drums.clock import Span

LEAD = 0.025
"""Seconds before a beat at which its pattern is settled."""
_BEATS = 4  # in a bar
_STEPS = 4  # in a beat
_SAME = 1e-6  # quarter notes that are no distance


class Sequencer:
    """Plays the bars of a source by a clock.

    Parameters
    ----------
    bars
        What is played.
    sample_rate
        Hz.
    """

    def __init__(self, bars: Bars, sample_rate: float) -> None:
        self.bars = bars
        self._rate = sample_rate
        self.stop()

    def stop(self) -> None:
        """Play nothing that has not sounded yet."""
        self._pending: list[Hit] = []
        self._next_beat: int | None = None  # to be settled
        self._settled: Settings | None = None  # of the bar that runs
        self._early: set[tuple[float, int]] = set()  # played before their step: (line, drum)
        self._position = 0.0

    def advance(
        self, span: Span, start: int, stop: int, settings: Callable[[int], Settings], at_beats: bool
    ) -> list[tuple[int, Hit]]:
        """Return the hits of a piece of a block, with their frames.

        Parameters
        ----------
        span
            The block's time. Where it has moved, the piece that begins at frame 0 begins anew.
        start, stop
            The piece's frames in the block.
        settings
            What holds at a frame of the block.
        at_beats
            Whether what is turned counts from the next beat on; else from the next bar on.
        """
        if self._next_beat is None or (span.moved and start == 0):
            self._begin(span, start, settings)
        assert self._next_beat is not None
        while True:
            line = float(self._next_beat)
            frame = span.frame(line) - self._lead(span, self._next_beat, at_beats)
            if frame >= stop:
                break
            self._settle(self._next_beat, settings(max(frame, start)), span, at_beats)
            self._next_beat += 1
        due = []
        while self._pending and span.frame(self._pending[0].quarter) < stop:
            hit = self._pending.pop(0)
            due.append((max(span.frame(hit.quarter), start), hit))
        self._position = span.quarter + stop / span.frames_per_quarter
        # A step that begins where this piece ends counts: a loop may end there.
        self._early |= {(hit.line, hit.drum) for _, hit in due}
        self._early = {early for early in self._early if early[0] >= self._position - _SAME}
        return due

    def _lead(self, span: Span, beat: int, at_beats: bool) -> int:
        """Return how many frames before a beat it is settled."""
        half_step = span.frames_per_quarter * STEP / 2
        may_change = at_beats or beat % _BEATS == 0
        return math.ceil(min(half_step, LEAD * self._rate) if may_change else half_step)

    def _begin(self, span: Span, start: int, settings: Callable[[int], Settings]) -> None:
        """Take up the song at a position: steps that have begun before it are left out, what rings rings on."""
        here = span.quarter + start / span.frames_per_quarter
        # A loop's end: the first step of what would have followed may have been played early; it is the same step.
        already = {drum for line, drum in self._early if line - self._position < 2 * STEP}
        beat = math.floor(here + _SAME)
        self._pending, self._early, self._settled = [], set(), settings(start)
        for hit in self._hits_of(beat, self._settled):
            on_line = abs(hit.line - here) <= _SAME
            if hit.line >= here - _SAME and not (on_line and hit.drum in already):
                insort(self._pending, hit, key=lambda each: each.quarter)
        self._next_beat = beat + 1

    def _settle(self, beat: int, settings: Settings, span: Span, at_beats: bool) -> None:
        if at_beats or beat % _BEATS == 0 or self._settled is None:
            self._settled = settings
        earliest = beat - self._lead(span, beat, at_beats) / span.frames_per_quarter
        for hit in self._hits_of(beat, self._settled):
            if hit.quarter < earliest:
                hit = Hit(earliest, hit.line, hit.drum, hit.velocity)
            insort(self._pending, hit, key=lambda each: each.quarter)

    def _hits_of(self, beat: int, settings: Settings) -> list[Hit]:
        """Return a beat's hits; before the song there are none."""
        if beat < 0:
            return []
        first = beat % _BEATS * _STEPS
        return self.bars.hits(settings, beat // _BEATS, range(first, first + _STEPS))
