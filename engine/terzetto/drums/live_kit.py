"""The kit of the live instrument: what the pattern and the notes strike, at the level of its fader."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.drums.commands import note_of
from terzetto.drums.drum_map import DrumMap
from terzetto.drums.glide import Glide
from terzetto.drums.kit import sound_of_note
from terzetto.drums.kit_file import shipped_kit
from terzetto.drums.player import Player
from terzetto.drums.voice_sounds import kit_sounds

Float = NDArray[np.float32]

LEVEL_GLIDE = 0.01
"""Seconds in which the level follows its fader."""


class LiveKit:
    """Strikes sounds and renders what rings.

    Parameters
    ----------
    parameters
        The instrument's.
    drum_map
        Says what a note strikes.
    """

    def __init__(self, parameters: Parameters, drum_map: DrumMap) -> None:
        self._parameters, self._map = parameters, drum_map
        self._level = Glide(1.0)

    def prepare(self, sample_rate: float, channels: int) -> None:
        """Get ready for a stream."""
        self._rate = sample_rate
        self._player = Player(kit_sounds(shipped_kit(), sample_rate, channels), sample_rate)

    def reset(self) -> None:
        """Silence everything."""
        self._player.reset()

    def place(self) -> None:
        """Be where the knobs are, at once."""
        self._level.set(self._loudness())

    def strike(self, sound: int, velocity: float, frame: int) -> None:
        """Strike a sound at a frame of the block that comes; see `Player.strike`."""
        self._player.strike(sound, velocity, frame)

    def render(self, channels: int, frames: int) -> Float:
        """Return the next block of what rings, float32 (channels, frames), without its level."""
        return self._player.render(channels, frames)

    def gain(self, now: int, frames: int) -> Float:
        """Return the level, as a factor, of so many frames of the stream from ``now`` on."""
        return self._level.over(now, frames)

    def follow(self, change: Change, now: int) -> None:
        """Do what a changed parameter asks for, at a frame of the stream."""
        if change.name == "level":
            self._level.move(self._loudness(), now, round(LEVEL_GLIDE * self._rate))

    def obey(self, name: str, event: Message) -> None:
        """Follow a command; others are not ours."""
        if name == "note":
            pitch, velocity = note_of(event)
            sound = sound_of_note(pitch, self._map)
            if velocity > 0 and sound >= 0:
                self._player.strike(sound, velocity, event.frame)

    def _loudness(self) -> float:
        level = self._parameters.number("level")
        return 0.0 if level <= -60.0 else float(10 ** (level / 20))
