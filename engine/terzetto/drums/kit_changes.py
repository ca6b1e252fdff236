"""Kits out of kits: drawn from the sound model, with other sounds, between two; and the beat that lets one be heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from terzetto.drums.beat import Beat
from terzetto.drums.drum_map import CLASSES, read_drum_map
from terzetto.drums.kit import RANGES, SOUNDS, Drum, Kit, Voice, sound_of_note
from terzetto.drums.sound_sources import POINTS, SPREAD, Morph, OneShot, Point, Sample, Source
from terzetto.errors import InputError

_KINDS = ("one_shot", *POINTS)
_STRENGTHS = (40 / 127, 80 / 127, 1.0)
_TEMPO = 120.0
_Part = TypeVar("_Part", Voice, Drum)


def drawn(kit: Kit, seed: int, model: str = "", classes: Sequence[str] = CLASSES, spread: float = SPREAD) -> Kit:
    """Return a kit in which every voice is drawn from the sound model; the same seed, the same kit.

    Parameters
    ----------
    kit
        Whose levels, positions and choke groups it has.
    seed
        0..2^32 - 1.
    model
        Name or path of a sound model; empty for the shipped one.
    classes
        Only these voices are drawn: a model of one's own may lack some.
    spread
        From what share of their classes, the most typical first, 0..1.
    """
    source = Point(seed=seed, model=model, spread=spread)
    drawn_voices = {name: replace(kit.voices[name], source=source) for name in classes}
    return replace(kit, voices={**kit.voices, **drawn_voices}, name=f"seed {seed}")


def with_sound(kit: Kit, text: str, model: str = "") -> Kit:
    """Return a kit in which one voice sounds of something else.

    Parameters
    ----------
    text
        ``VOICE=SOUND``, with the sound as `source_of_text` reads it.
    model
        As for `drawn`.

    Raises
    ------
    InputError
        No such voice, or not a sound.
    """
    name, sign, sound = text.partition("=")
    if not sign or name not in CLASSES:
        raise InputError(f"{text!r}: give VOICE=SOUND, with a voice of {', '.join(CLASSES)}")
    return kit.with_voice(name, source=source_of_text(sound, model))


def source_of_text(text: str, model: str = "") -> Source:
    """Return the sound that a text tells: ``pad:0.2,0.8``, ``seed:7``, ``one_shot:tom``, ``encoded:FILE`` or ``FILE``.

    Raises
    ------
    InputError
        Not such a text, or there is no such file.
    """
    kind, sign, value = text.partition(":")
    if not sign or kind not in _KINDS:
        return Sample(_file(text))
    try:
        if kind == "one_shot":
            return OneShot(value)
        if kind == "encoded":
            return Point(encoded=_file(value), model=model)
        if kind == "seed":
            return Point(seed=int(value), model=model)
        numbers = tuple(float(each) for each in value.split(","))
    except ValueError as error:
        reason = str(error) if isinstance(error, InputError) else f"{kind}: {value!r} cannot be read as numbers"
        raise InputError(f"{text!r}: {reason}") from None
    if kind == "latent":
        return Point(latent=numbers, model=model)
    if len(numbers) != 2:
        raise InputError(f"{text!r}: give pad:X,Y, two numbers from 0 to 1")
    return Point(pad=(numbers[0], numbers[1]), model=model)


def morphed(
    first: Kit,
    second: Kit,
    amount: float,
    by: Literal["latent", "mix"] = "latent",
    voices: Sequence[str] | None = None,
) -> Kit:
    """Return what lies between two kits: the sounds of their voices, and all their numbers.

    Parameters
    ----------
    amount
        0 (the first) to 1 (the second).
    by
        See `Morph`.
    voices
        Only these change; all, and the drums that share a voice, unless given.

    Raises
    ------
    InputError
        An amount outside 0..1, no such voice, or morphs of morphs that go too deep.
    """
    names = CLASSES if voices is None else tuple(voices)
    for name in names:
        if name not in CLASSES:
            raise InputError(f"there is no voice {name!r}; give some of {', '.join(CLASSES)}")
    made = dict(first.voices)
    for name in names:
        one, other = first.voices[name], second.voices[name]
        source = one.source if one.source == other.source else Morph(one.source, other.source, amount, by)
        nearer = one if amount < 0.5 else other
        made[name] = replace(_between(one, other, amount), source=source, choke=nearer.choke)
    drums = dict(first.drums)
    gain_db, title = first.gain_db, first.name
    if voices is None:
        drums = {name: _between(drum, second.drums[name], amount) for name, drum in first.drums.items()}
        gain_db, title = (1 - amount) * first.gain_db + amount * second.gain_db, f"{first.name} → {second.name}"
    return Kit(made, drums, gain_db, title)


def kit_beat() -> Beat:
    """Return a beat that strikes everything a kit has, one after the other, softly, harder and as hard as can be."""
    drum_map = read_drum_map()
    note_of = {sound_of_note(note, drum_map): note for note in range(127, -1, -1)}
    at = [(4 * bar + quarter, note_of[bar], strength)
          for bar in range(len(SOUNDS)) for quarter, strength in enumerate(_STRENGTHS)]  # fmt: skip
    onset, note, velocity = zip(*at, strict=True)
    return Beat.of(onset, note, np.array(velocity, np.float32), tempo=_TEMPO, bars=len(SOUNDS), drum_map=drum_map)


def _between(one: _Part, other: _Part, amount: float) -> _Part:
    """Return one with the numbers that lie between both; of decays, the rates do."""
    changes: dict[str, Any] = {}
    for name in RANGES.keys() & {each.name for each in fields(one)}:
        here, there = getattr(one, name), getattr(other, name)
        if name == "decay":
            rate = (1 - amount) * (1 / here if here else 0) + amount * (1 / there if there else 0)
            changes[name] = 1 / rate if rate * RANGES[name][1] > 1 else None
        else:
            changes[name] = (1 - amount) * here + amount * there
    return replace(one, **changes)


def _file(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_file():
        raise InputError(f"{text!r}: no such file; a sound is FILE, encoded:FILE, pad:X,Y, seed:N or one_shot:CLASS")
    return path.absolute()
