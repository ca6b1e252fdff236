"""The notes that go out to the host: each hit as a MIDI note that lasts a little."""

from __future__ import annotations

from terzetto.control.messages import Message
from terzetto.drums.beat import midi_velocity

CHANNEL = 10
"""Where General MIDI has the drums."""
LENGTH = 0.06
"""Seconds that a note lasts."""
ADDRESS = "/terzetto/drums/played"


class NotesOut:
    """Begins notes and ends them in time.

    Parameters
    ----------
    sample_rate
        Hz.
    """

    def __init__(self, sample_rate: float) -> None:
        self._length = round(LENGTH * sample_rate)
        self.reset()

    def reset(self) -> None:
        """Forget what sounds; the plugin ends it."""
        self._ends: dict[int, int] = {}  # pitch → frames from the next block's first

    def block(self, hits: list[tuple[int, int, float]], frames: int) -> list[Message]:
        """Return the messages of a block, by rising frame.

        Parameters
        ----------
        hits
            (frame, pitch, velocity 0..1), by rising frame.
        frames
            The block's length.
        """
        events: list[tuple[int, int, int]] = []  # frame, velocity, pitch: at one frame ends come first
        for frame, pitch, velocity in hits:
            if (end := self._ends.get(pitch)) is not None:
                events.append((min(end, frame), 0, pitch))
            events.append((frame, midi_velocity(velocity), pitch))
            self._ends[pitch] = frame + self._length
        for pitch, end in list(self._ends.items()):
            if end < frames:
                events.append((end, 0, pitch))
                del self._ends[pitch]
            else:
                self._ends[pitch] = end - frames
        events.sort()
        return [Message(ADDRESS, (pitch, velocity, CHANNEL), frame) for frame, velocity, pitch in events]
