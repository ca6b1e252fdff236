"""What is heard while Learn is on: the take by song position, and the notes of the MIDI input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.score.notes import LEFT, RIGHT, UNKNOWN, Score

Float = NDArray[np.float32]

LONGEST = 20 * 60.0
"""Seconds that are kept at most."""
_SHORTEST = 0.02


class Recording:
    """A take as it is heard; begins with its first block.

    Parameters
    ----------
    channels : int
    sample_rate : float
        In Hz.
    """

    def __init__(self, channels: int, sample_rate: float) -> None:
        self.channels, self.sample_rate = channels, sample_rate
        self.start: int | None = None
        self._blocks: list[tuple[int, Float]] = []
        self._held: dict[tuple[int, int], tuple[int, int]] = {}
        self._notes: list[tuple[int, int, int, int, int]] = []  # begin, end, pitch, velocity, channel
        self._end = 0

    @property
    def seconds(self) -> float:
        """How much has been heard, from the first position to the last."""
        return (self._end - self.start) / self.sample_rate if self.start is not None else 0.0

    def hear(self, block: Float, position: int) -> None:
        """Keep a block, channels × frames, at a song position. What lies before the first is left out."""
        if self.start is None:
            self.start = self._end = position
        before = min(max(self.start - position, 0), block.shape[1])
        if before < block.shape[1] and position - self.start < LONGEST * self.sample_rate:
            self._blocks.append((position + before, block[:, before:].copy()))
            self._end = max(self._end, position + block.shape[1])

    def note(self, position: int, pitch: int, velocity: int, channel: int) -> None:
        """Keep a note that begins (or with velocity 0, ends) at a song position."""
        began = self._held.pop((channel, pitch), None)
        if began is not None:
            self._notes.append((began[0], position, pitch, began[1], channel))
        if velocity > 0:
            self._held[channel, pitch] = (position, velocity)

    def audio(self) -> Float:
        """Return the take, channels × frames; what was heard twice counts as heard last."""
        if self.start is None:
            return np.zeros((self.channels, 0), np.float32)
        take = np.zeros((self.channels, self._end - self.start), np.float32)
        for position, block in self._blocks:
            at = position - self.start
            take[:, at : at + block.shape[1]] = block
        return take

    def score(self) -> tuple[Score, str] | None:
        """Return the notes heard as a score from the take's start, and how the hands were told; None if none."""
        if self.start is None:
            return None
        held = [
            (begin, self._end, pitch, velocity, channel) for (channel, pitch), (begin, velocity) in self._held.items()
        ]
        notes = [note for note in (*self._notes, *held) if note[0] >= self.start and note[1] > note[0]]
        if not notes:
            return None
        begin, end, pitch, velocity, channel = np.array(notes, np.int64).T
        onset = (begin - self.start) / self.sample_rate
        offset = np.maximum((end - self.start) / self.sample_rate, onset + _SHORTEST)
        if set(channel.tolist()) == {1, 2}:
            hand, told = np.where(channel == 2, LEFT, RIGHT), "channel 1 is the right hand, channel 2 the left"
        else:
            hand, told = np.full(len(notes), UNKNOWN), "its hands are told by the notes"
        track = np.zeros(len(notes), np.int64)
        return Score(onset, offset, pitch, np.clip(velocity, 0, 127) / 127, hand, track, ("MIDI input",)), told
