"""What the messages of the instrument ``drums`` say."""

from __future__ import annotations

from terzetto.control.arguments import is_number
from terzetto.control.messages import Message
from terzetto.errors import ControlError


def point_of(event: Message) -> tuple[str, float, float]:
    """Return the voice and the two finite numbers of a message, or raise `ControlError`."""
    given = event.arguments
    if len(given) != 3 or not isinstance(given[0], str) or not all(is_number(each) for each in given[1:]):
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
