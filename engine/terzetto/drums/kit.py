"""The kit: one-shots that are struck, and what cuts off what.

A kit is a folder with a ``kit.toml``; the shipped one is ``one_shots`` beside this module. Loudness follows velocity as
MIDI's downloadable sounds have it: 40 log10(velocity / 127) dB (DLS level 1, concave transform).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES, DRUMS, DrumMap, read_drum_map
from terzetto.errors import InputError

Float = NDArray[np.float32]

SHIPPED = Path(__file__).with_name("one_shots")
SOUNDS = (*DRUMS, "clap", "other")
"""What can be struck: the nine drums, and the two classes that are none of them."""
MOST_VOICES = 48
"""Sounds at once; with more the oldest one ends."""
CHOKE = 0.005
"""Seconds in which a sound that is cut off fades."""
_FIRST_EXTRA = len(DRUMS)
_EXTRAS = {CLASSES.index("clap"): _FIRST_EXTRA, CLASSES.index("other"): _FIRST_EXTRA + 1}


@dataclass(frozen=True)
class Sound:
    """A sound as it is struck.

    Attributes
    ----------
    audio : float32 (channels, frames)
        At full velocity.
    choke : str
        The group whose sounds cut each other off; empty for none.
    """

    audio: Float
    choke: str = ""


def sound_of_note(note: int, drum_map: DrumMap | None = None) -> int:
    """Return what a MIDI note strikes, an index into `SOUNDS`, or -1 where the drum map leaves it out."""
    drum_map = drum_map or read_drum_map()
    extra = _EXTRAS.get(int(drum_map.class_of_note[note]))
    return int(drum_map.drum_of_note[note]) if extra is None else extra


def open_kit(sample_rate: float, channels: int = 2, folder: Path = SHIPPED) -> list[Sound]:
    """Read a kit, at a sample rate.

    Parameters
    ----------
    sample_rate
        Hz.
    channels
        1 (the positions are left out) or 2.
    folder
        Where ``kit.toml`` is.

    Returns
    -------
    list of Sound
        In the order of `SOUNDS`.

    Raises
    ------
    InputError
        The kit is missing or incomplete.
    """
    try:
        table = tomllib.loads((folder / "kit.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{folder}: no kit: kit.toml cannot be read ({error})") from None
    missing = [name for name in SOUNDS if name not in table.get("sound", {})]
    if missing:
        raise InputError(f"{folder / 'kit.toml'}: no [sound.{missing[0]!r}]; a kit has {', '.join(SOUNDS)}")
    return [_sound(table, name, folder, sample_rate, channels) for name in SOUNDS]


def _sound(table: dict[str, Any], name: str, folder: Path, sample_rate: float, channels: int) -> Sound:
    row = table["sound"][name]
    try:
        path = folder / table["one_shot"][row["one_shot"]]["file"]
    except KeyError as error:
        raise InputError(f"{folder / 'kit.toml'}: the sound {name!r} has no one-shot {error}") from None
    mono = _resampled(path, sample_rate / float(row.get("speed", 1.0)))
    gain_db = float(table.get("gain_db", 0.0)) + float(row.get("gain_db", 0.0))
    mono = mono * np.float32(10 ** (gain_db / 20))
    if "damping" in row:
        mono = mono * np.float32(10) ** (-3 * np.arange(len(mono), dtype=np.float32) / (row["damping"] * sample_rate))
    angle = (float(row.get("pan", 0.0)) + 1) * np.pi / 4
    sides = np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)]) if channels == 2 else np.ones(channels)
    audio = (sides[:, None] * mono).astype(np.float32)
    audio.setflags(write=False)
    return Sound(audio, str(row.get("choke", "")))


def _resampled(path: Path, sample_rate: float) -> Float:
    from pedalboard.io import AudioFile

    try:
        with AudioFile(str(path)) as opened, opened.resampled_to(sample_rate) as file:
            audio = file.read(file.frames)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the one-shot cannot be read ({error})") from None
    return np.asarray(audio.mean(axis=0), np.float32)


@dataclass
class _Voice:
    sound: Sound
    gain: np.float32
    start: int  # frames of the stream
    ends: int | None = None  # where it began to be cut off


class Player:
    """Sounds that ring, block by block; the samples do not depend on the blocks' lengths.

    Parameters
    ----------
    sounds
        As `open_kit` gives them.
    sample_rate
        Hz.
    """

    def __init__(self, sounds: list[Sound], sample_rate: float) -> None:
        self.sounds = sounds
        self._fade = max(round(CHOKE * sample_rate), 1)
        self.reset()

    def reset(self) -> None:
        """Silence everything."""
        self._voices: list[_Voice] = []
        self._now = 0

    def strike(self, sound: int, velocity: float, frame: int) -> None:
        """Strike a sound (an index into `SOUNDS`), velocity 0..1, at a frame of the block that comes."""
        struck = self.sounds[sound]
        start = self._now + frame
        if struck.choke:
            for voice in self._voices:
                if voice.sound.choke == struck.choke and voice.ends is None:
                    voice.ends = start
        if len(self._voices) == MOST_VOICES:
            oldest = next((voice for voice in self._voices if voice.ends is None), None)
            if oldest is not None:
                oldest.ends = start
        self._voices.append(_Voice(struck, np.float32(velocity * velocity), start))

    def render(self, channels: int, frames: int) -> Float:
        """Return the next block, float32 (channels, frames)."""
        out = np.zeros((channels, frames), np.float32)
        for voice in self._voices:
            begin = max(voice.start - self._now, 0)
            at = self._now + begin - voice.start
            piece = voice.sound.audio[:, at : at + frames - begin]
            if voice.ends is not None:
                since = voice.start + at - voice.ends + np.arange(piece.shape[1], dtype=np.float32)
                piece = piece * np.clip(1 - since / np.float32(self._fade), 0, 1).astype(np.float32)
            out[:, begin : begin + piece.shape[1]] += voice.gain * piece
        self._now += frames
        self._voices = [voice for voice in self._voices if not self._is_over(voice)]
        return out

    def _is_over(self, voice: _Voice) -> bool:
        last = voice.start + int(voice.sound.audio.shape[1])
        return self._now >= (last if voice.ends is None else min(last, voice.ends + self._fade))
