"""Messages that are due at a time of day, and the frames of the stream at which that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from terzetto.control.messages import Message

MOST = 256
"""Messages that wait at most; more are left out."""
_FOLLOW = 0.05  # share of a hop's deviation that counts: hosts bring several hops at once
_LOST = 0.3  # seconds; beyond them the stream has stood still


class Schedule:
    """Hands out messages with the hop in which their time comes, each at its frame.

    When a hop came in is known to its host's block only; the times of all hops together tell it better, so that what
    is due at even times comes at even frames.

    Parameters
    ----------
    sample_rate, hop
        The stream's.
    """

    def __init__(self, sample_rate: float, hop: int) -> None:
        self._rate, self._hop = sample_rate, hop
        self._end: float | None = None  # when the last hop's last frame came in
        self._waiting: list[tuple[float, Message]] = []

    def add(self, due: float, messages: Iterable[Message]) -> None:
        """Keep messages until a system time, in seconds."""
        self._waiting += [(due, message) for message in messages][: MOST - len(self._waiting)]

    def hop(self, now: float) -> list[Message]:
        """Return what is due in the hop that has just come in, by rising frame; what was due before is at frame 0."""
        length = self._hop / self._rate
        expected = now if self._end is None else self._end + length
        apart = now - expected
        self._end = now if abs(apart) > _LOST else expected + _FOLLOW * apart
        begin = self._end - length
        return [replace(message, frame=self._frame(due - begin)) for due, message in self._taken(self._end)]

    def overdue(self, now: float) -> list[Message]:
        """Return what is due while no hops come."""
        return [message for _, message in self._taken(now)]

    def _frame(self, seconds: float) -> int:
        return min(max(round(seconds * self._rate), 0), self._hop - 1)

    def _taken(self, until: float) -> list[tuple[float, Message]]:
        taken = sorted((each for each in self._waiting if each[0] < until), key=lambda each: each[0])
        self._waiting = [each for each in self._waiting if each[0] >= until]
        return taken
