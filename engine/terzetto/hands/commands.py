"""What the messages of Hands say: paths, seconds and notes, checked."""

from __future__ import annotations

from terzetto.control.messages import Message
from terzetto.errors import ControlError

FURTHEST = 1e6
"""Seconds within which a take may start."""


def path_of(event: Message) -> str:
    """Return the path of a file that a message names; raise `ControlError` if it names none."""
    text = event.arguments[0] if len(event.arguments) == 1 else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise ControlError(f"{event.address} takes the path of a file; given {event.arguments!r:.80}")
    return text


def seconds_of(event: Message) -> float:
    """Return the seconds that a message gives; raise `ControlError` if it gives none."""
    start = event.arguments[0] if len(event.arguments) == 1 else None
    if isinstance(start, bool) or not isinstance(start, int | float) or not abs(start) <= FURTHEST:
        raise ControlError(f"{event.address} takes seconds as a number; given {event.arguments!r:.80}")
    return float(start)


def note_of(event: Message) -> tuple[int, int, int]:
    """Return a note's pitch, velocity and channel; raise `ControlError` if it is none."""
    numbers = [each for each in event.arguments if isinstance(each, int) and not isinstance(each, bool)]
    if len(numbers) != 3 or len(event.arguments) != 3 or not all(0 <= each <= 127 for each in numbers):
        raise ControlError(f"{event.address} takes pitch, velocity and channel as integers, 0..127")
    return numbers[0], numbers[1], numbers[2]
