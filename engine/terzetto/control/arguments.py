"""What the arguments of a message are, checked."""

from __future__ import annotations

import math

from terzetto.control.messages import Message
from terzetto.errors import ControlError


def numbers_of(event: Message, count: int) -> tuple[float, ...]:
    """Return a message's finite numbers, or raise `ControlError`."""
    given = event.arguments
    if len(given) != count or not all(is_number(each) for each in given):
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


def is_number(value: object) -> bool:
    """Whether an argument is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
