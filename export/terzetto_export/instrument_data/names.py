"""What instruments are called here, in the data sets, and in General MIDI."""

from __future__ import annotations

import re

GENERAL_MIDI = {
    "bassoon": 70,
    "cello": 42,
    "clarinet": 71,
    "flute": 73,
    "french_horn": 60,
    "oboe": 68,
    "saxophone": 66,
    "trombone": 57,
    "trumpet": 56,
    "violin": 40,
}
"""The ten target instruments with their programs (from 0); the saxophone is the tenor."""
INSTRUMENTS = tuple(GENERAL_MIDI)
PITCH_RANGES = {
    "bassoon": (34, 77),
    "cello": (36, 84),
    "clarinet": (50, 96),
    "flute": (60, 101),
    "french_horn": (34, 77),
    "oboe": (58, 93),
    "saxophone": (50, 89),
    "trombone": (40, 76),
    "trumpet": (54, 84),
    "violin": (55, 100),
}
"""From which to which MIDI note the data go, both in it: the Philharmonia's, by what sounds, and what trumpet and
violin can play."""
_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_NAME = re.compile(r"([A-Ga-g])(s|#|♯|b|♭)?(-?\d)")


def pitch_of_name(name: str) -> int | None:
    """Return the MIDI note of a pitch name, None where it is none.

    Sharps are written ``s`` or ``#``, as in file names; C4 is 60.

    >>> pitch_of_name("As3"), pitch_of_name("Bb3"), pitch_of_name("C4"), pitch_of_name("H2")
    (58, 58, 60, None)
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    letter, sign, octave = match.groups()
    shift = 0 if not sign else 1 if sign in "s#♯" else -1
    return 12 * (int(octave) + 1) + _SEMITONES[letter.lower()] + shift
