"""One-shots: the sounds of single strokes, read from files. What cannot be one is named and skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import read_audio
from terzetto.drums.drum_map import CLASSES, NONE
from terzetto.errors import InputError

SAMPLE_RATE = 44_100
SHORTEST, LONGEST = 0.005, 6.0
"""Seconds. A click has no sound of its own, and what goes on longer is a loop or a song."""
SILENT = 1e-3
"""A peak below this (-60 dBFS) is silence."""
ENDINGS = (".wav", ".flac", ".aif", ".aiff", ".aifc", ".ogg", ".opus", ".mp3", ".m4a", ".caf", ".w64", ".rf64", ".au")
Float = NDArray[np.float32]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class OneShot:
    """One sound with what is known of it.

    Attributes
    ----------
    path : Path
    audio : float32 (frames,)
        Mono, 44.1 kHz, as it is in the file: not trimmed, not scaled.
    sound_class : int
        Index into `CLASSES`, or `NONE` where nothing says it.
    kit : str
        The unit of independence: learned from, or measured on, as a whole.
    source : str
        The collection it comes from.
    split : str
        ``train``, ``validation`` or ``test``.
    """

    path: Path
    audio: Float
    sound_class: int
    kit: str
    source: str = ""
    split: str = "train"


@dataclass(frozen=True)
class Entry:
    """A file that may hold a one-shot; see `OneShot`."""

    path: Path
    sound_class: int
    kit: str
    source: str = ""


def read_one_shot(path: Path) -> Float:
    """Return a sound in mono at 44.1 kHz.

    Parameters
    ----------
    path
        Any format that can be read, 1 or 2 channels, any sample rate.

    Raises
    ------
    InputError
        It cannot be read, or is silent, shorter than 5 ms or longer than 6 s.
    """
    audio, rate = read_audio(path)
    seconds = audio.shape[1] / rate
    if not SHORTEST <= seconds <= LONGEST:
        what = "too short" if seconds < SHORTEST else "too long"
        raise InputError(
            f"{path}: {what} for a one-shot: {seconds:.3f} s; from {1000 * SHORTEST:g} ms to {LONGEST:g} s is one"
        )
    mono = audio.mean(axis=0)
    if np.abs(mono).max() < SILENT:
        raise InputError(f"{path}: silent: its peak is below -60 dBFS" + (" in mono" if len(audio) > 1 else ""))
    if rate != SAMPLE_RATE:
        import soxr

        mono = soxr.resample(mono, rate, SAMPLE_RATE)
    return np.ascontiguousarray(mono, np.float32)


def read_entries(entries: Iterable[Entry], tell: Tell) -> list[OneShot]:
    """Read files; name and skip those that hold no one-shot."""
    sounds = []
    for entry in entries:
        try:
            audio = read_one_shot(entry.path)
        except InputError as problem:
            tell(f"{entry.path}: skipped: {str(problem).removeprefix(f'{entry.path}: ')}")
            continue
        sounds.append(OneShot(entry.path, audio, entry.sound_class, entry.kit, entry.source))
    return sounds


def sorted_by(
    sounds: Sequence[OneShot], classify: Callable[[Float], int], tell: Tell, fewest: int = 1
) -> list[OneShot]:
    """Give sounds without a class the one that a classifier hears.

    A class that nobody named and of which fewer than ``fewest`` are heard cannot be learnt: its sounds are named and
    left out, since whoever gave them cannot know what they would be taken for.
    """
    named = {sound.sound_class for sound in sounds} - {NONE}
    result = [
        replace(sound, sound_class=classify(sound.audio)) if sound.sound_class == NONE else sound for sound in sounds
    ]
    heard = Counter(b.sound_class for a, b in zip(sounds, result, strict=True) if a.sound_class == NONE)
    if not heard:
        return result
    told = ", ".join(f"{CLASSES[each]} {number}" for each, number in sorted(heard.items()))
    tell(f"{heard.total()} sounds were sorted by ear: {told}")
    rare = {each for each, number in heard.items() if each not in named and number < fewest}
    for sound in result:
        if sound.sound_class in rare:
            name = CLASSES[sound.sound_class]
            tell(f"{sound.path}: left out: heard as {name}, of which there are too few ({heard[sound.sound_class]})")
    return [sound for sound in result if sound.sound_class not in rare]


def in_split(sounds: Iterable[OneShot], split: str) -> list[OneShot]:
    """Return the sounds of a split."""
    return [sound for sound in sounds if sound.split == split]


def counts(sounds: Sequence[OneShot]) -> str:
    """Return how many sounds of which classes and how many kits, for the terminal."""
    number = Counter(sound.sound_class for sound in sounds)
    classes = ", ".join(f"{name} {number[i]}" for i, name in enumerate(CLASSES))
    return f"{len(sounds)} sounds of {len({sound.kit for sound in sounds})} kits ({classes})"
