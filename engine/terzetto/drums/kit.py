"""The kit: eight voices, one for each class of drums, and how the drums that share a voice differ.

Eleven sounds can be struck: the nine drums, and the two classes that are none of them. Toms share one voice at three
tunings, crash and ride another; every other sound is a voice of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from terzetto.drums.drum_map import CLASSES, DRUMS, DrumMap, read_drum_map
from terzetto.drums.sound_sources import Source
from terzetto.errors import InputError

SOUNDS = (*DRUMS, "clap", "other")
"""What can be struck: the nine drums, and the two classes that are none of them."""
VOICE_OF_DRUM = MappingProxyType(
    {"low tom": "tom", "mid tom": "tom", "high tom": "tom", "crash": "cymbal", "ride": "cymbal"}
)
"""The drums that share a voice."""
VOICE_OF_SOUND = tuple(CLASSES.index(VOICE_OF_DRUM.get(name, name)) for name in SOUNDS)
"""For each of `SOUNDS` its voice, an index into `CLASSES`."""

RANGES: Mapping[str, tuple[float, float, str]] = MappingProxyType(
    {
        "gain_db": (-60.0, 24.0, "dB"),
        "pan": (-1.0, 1.0, "(left to right)"),
        "tune": (-36.0, 36.0, "semitones"),
        "decay": (0.01, 60.0, "seconds in which it falls by 60 dB"),
        "velocity_level": (0.0, 2.0, "(every hit as loud, to twice the usual range)"),
        "velocity_tone": (0.0, 40.0, "dB that the softest hit is darker"),
    }
)
"""What numbers of a voice or a drum may be: from, to, unit."""
_FIRST_EXTRA = len(DRUMS)
_EXTRAS = {CLASSES.index("clap"): _FIRST_EXTRA, CLASSES.index("other"): _FIRST_EXTRA + 1}


@dataclass(frozen=True)
class Voice:
    """One voice: what it sounds of, and how it is played.

    Attributes
    ----------
    source : Source
        See `terzetto.drums.sound_sources`; all are made equally loud, so that levels are the kit's balance.
    gain_db : float
        Its level, -60..24 dB.
    pan : float
        -1 (left) to 1 (right), of constant power.
    tune : float
        Semitones, -36..36; like a tape, so a lower sound is longer.
    decay : float or None
        Seconds in which it is damped by 60 dB beyond its own decay, 0.01..60; None for not at all.
    choke : str
        The group whose sounds cut each other off; empty for none.
    velocity_level : float
        How much loudness follows velocity, 0..2: 40 log10(velocity / 127) dB at 1 (DLS level 1, concave transform).
    velocity_tone : float
        By how many dB the softest hit is darker, 0..40: what lies above the sound's spectral centroid.

    Raises
    ------
    InputError
        A number out of its range.
    """

    source: Source
    gain_db: float = 0.0
    pan: float = 0.0
    tune: float = 0.0
    decay: float | None = None
    choke: str = ""
    velocity_level: float = 1.0
    velocity_tone: float = 0.0

    def __post_init__(self) -> None:
        _check_all(self)


@dataclass(frozen=True)
class Drum:
    """How a drum that shares its voice differs from it; decays are of both, the others are added."""

    gain_db: float = 0.0
    pan: float = 0.0
    tune: float = 0.0
    decay: float | None = None

    def __post_init__(self) -> None:
        _check_all(self)


@dataclass(frozen=True)
class Kit:
    """A kit.

    Attributes
    ----------
    voices : Mapping of str to Voice
        All of `CLASSES`, in their order.
    drums : Mapping of str to Drum
        All of `VOICE_OF_DRUM`.
    gain_db : float
        Of all of it.
    name : str

    Raises
    ------
    InputError
        A voice is missing or has an unknown name; a gain out of range.
    """

    voices: Mapping[str, Voice]
    drums: Mapping[str, Drum] = field(default_factory=dict)
    gain_db: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        _check_names("voice", self.voices, CLASSES)
        _check_names("drum", self.drums, tuple(VOICE_OF_DRUM))
        missing = [name for name in CLASSES if name not in self.voices]
        if missing:
            raise InputError(f"a kit has the voices {', '.join(CLASSES)}; {', '.join(missing)} missing")
        check_number("gain_db", self.gain_db)
        object.__setattr__(self, "voices", MappingProxyType({name: self.voices[name] for name in CLASSES}))
        drums = {name: self.drums.get(name, Drum()) for name in VOICE_OF_DRUM}
        object.__setattr__(self, "drums", MappingProxyType(drums))

    def __reduce__(self) -> tuple[Any, ...]:  # it travels to other processes; a mapping proxy does not
        return Kit, (dict(self.voices), dict(self.drums), self.gain_db, self.name)

    def with_voice(self, name: str, voice: Voice | None = None, **changes: Any) -> Kit:
        """Return the kit with another voice in place of one, or with that one changed.

        Raises
        ------
        InputError
            There is no such voice, or a value is out of range.
        """
        _check_names("voice", [name], CLASSES)
        changed = replace(voice or self.voices[name], **changes)
        return replace(self, voices={**self.voices, name: changed})


def sound_of_note(note: int, drum_map: DrumMap | None = None) -> int:
    """Return what a MIDI note strikes, an index into `SOUNDS`, or -1 where the drum map leaves it out."""
    drum_map = drum_map or read_drum_map()
    extra = _EXTRAS.get(int(drum_map.class_of_note[note]))
    return int(drum_map.drum_of_note[note]) if extra is None else extra


def sounds_of_voice(name: str) -> list[int]:
    """Return what a voice plays, as indices into `SOUNDS`: a tom three, most one."""
    return [index for index, voice in enumerate(VOICE_OF_SOUND) if voice == CLASSES.index(name)]


def check_number(name: str, value: object) -> None:
    """Check a number of a voice or a drum by its name in `RANGES`, or raise `InputError`."""
    low, high, unit = RANGES[name]
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not (known and low <= float(str(value)) <= high):
        raise InputError(f"{name} {value!r}: give {low:g} to {high:g} {unit}")


def _check_all(part: Voice | Drum) -> None:
    for name in RANGES:
        value = getattr(part, name, None)
        if value is not None:
            check_number(name, value)


def _check_names(what: str, given: Any, known: tuple[str, ...]) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InputError(f"there is no {what} {unknown[0]!r}; give one of {', '.join(known)}")
