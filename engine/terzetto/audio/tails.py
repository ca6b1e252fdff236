"""What sounds on after a recording's end: reverberation, echoes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from terzetto.audio.files import Float, Take
from terzetto.errors import InputError

LONGEST = 60.0
"""Seconds after which a tail is cut whatever it does."""
_QUIET = 10.0 ** (-90.0 / 20.0)
_WAIT = 3.0  # seconds of quiet after which nothing is expected any more: the longest gap between two echoes


class Extended:
    """A take with silence after its end.

    Parameters
    ----------
    frames
        Of silence.
    """

    def __init__(self, take: Take, frames: int) -> None:
        self._take = take
        self.sample_rate, self.channels, self.frames = take.sample_rate, take.channels, take.frames + frames

    def read(self, start: int, stop: int) -> Float:
        """Return channels × (stop − start); zero outside the recording."""
        return self._take.read(start, stop)


def parse_tail(text: str) -> float | None:
    """Return the seconds of ``--tail``: a number, or None for ``auto``.

    Raises
    ------
    InputError
        Neither.
    """
    if text == "auto":
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds <= 3600.0:
        raise InputError(f"--tail is 'auto' or seconds from 0 to 3600; given {text!r}")
    return seconds


def until_quiet(blocks: Iterable[Float], frames: int, sample_rate: float) -> Iterator[Float]:
    """Pass blocks on until, after the first ``frames``, nothing louder than -90 dBFS has come for three seconds.

    What is quiet at the end is left out, so the result ends with the last block in which something sounds.
    """
    left, held, quiet = frames, list[Float](), 0
    for block in blocks:
        if left:
            within = min(left, block.shape[1])
            yield block[:, :within]
            left -= within
            block = block[:, within:]
        if float(np.abs(block).max(initial=0.0)) > _QUIET:
            yield from held
            yield block
            held, quiet = [], 0
            continue
        held.append(block)
        quiet += block.shape[1]
        if quiet >= _WAIT * sample_rate:
            return
