"""What the messages of the instrument ``drums`` say."""

from __future__ import annotations

import math

from terzetto.control.messages import Message
from terzetto.errors import ControlError


def numbers_of(event: Message, count: int) -> tuple[float, ...]:
    """Return a message's finite numbers, or raise `ControlError`."""
    given = event.arguments
    if len(given) != count or not all(_is_number(each) for each in given):
        wanted = "a number" if count == 1 else f"{count} numbers"
        raise ControlError(f"{event.address} takes {wanted}; given {str(given)[:60]}")
    return tuple(float(each) for each in given if isinstance(each, int | float))


def text_of(event: Message, what: str) -> str:
    """Return a message's text, or raise `ControlError`; ``what`` it is, such as "the path of a file"."""
    return texts_of(event, 1, what)[0]


def texts_of(event: Message, count: int, what: str) -> tuple[str, ...]:
    """Return a message's texts, or raise `ControlError`; ``what`` they are."""
    given = event.arguments
    if len(given) != count or not all(isinstance(each, str) for each in given):
        raise ControlError(f"{event.address} takes {what}; given {str(given)[:60]}")
    return tuple(map(str, given))


def point_of(event: Message) -> tuple[str, float, float]:
    """Return the voice and the two finite numbers of a message, or raise `ControlError`."""
    given = event.arguments
    if len(given) != 3 or not isinstance(given[0], str) or not all(_is_number(each) for each in given[1:]):
        raise ControlError(f"{event.address} takes a voice, x and y; given {str(given)[:60]}")
    x, y = (float(each) for each in given[1:] if isinstance(each, int | float))
    return given[0], x, y


def note_of(event: Message) -> tuple[int, float]:
    """Return pitch and velocity (0..1) of a note, or raise `ControlError`."""
    given = event.arguments
    if len(given) != 3 or not all(isinstance(each, int) and not isinstance(each, bool) for each in given):
        raise ControlError(f"{event.address} takes pitch, velocity and channel; given {str(given)[:60]}")
    pitch, velocity = (int(each) for each in given[:2] if isinstance(each, int))
    if not (0 <= pitch <= 127 and 0 <= velocity <= 127):
        raise ControlError(f"{event.address} takes a pitch and a velocity from 0 to 127; given {pitch}, {velocity}")
    return pitch, velocity / 127


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
