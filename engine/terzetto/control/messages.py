"""OSC messages as the instruments see them, and as bytes on any carrier.

python-osc reads and writes the bytes; here a message is a small immutable value that carries its sample frame.
"""

from __future__ import annotations

from dataclasses import dataclass

Argument = int | float | str | bool | bytes | None


@dataclass(frozen=True, slots=True)
class Message:
    """An OSC message, due at a sample frame.

    Attributes
    ----------
    address : str
        For example ``/terzetto/hands/left_gain``.
    arguments : tuple
        Integers, floats, strings, booleans, bytes or None.
    frame : int
        Where in the block it counts, in samples from the block's first; 0 unless it travelled with audio.
    """

    address: str
    arguments: tuple[Argument, ...] = ()
    frame: int = 0
