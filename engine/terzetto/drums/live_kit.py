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
from terzetto.drums.live_voices import LiveVoices

Float = NDArray[np.float32]

LEVEL_GLIDE = 0.01
"""Seconds in which the level follows its fader."""


class LiveKit:
    """Strikes sounds and renders what rings.

    Parameters
    ----------
    parameters
        The instrument's.
    voices
        Which sounds.
    drum_map
        Says what a note strikes.
    """

    def __init__(self, parameters: Parameters, voices: LiveVoices, drum_map: DrumMap) -> None:
        self._parameters, self._voices, self._map = parameters, voices, drum_map
        self._level = Glide(1.0)

    def prepare(self, sample_rate: float, channels: int) -> None:
        """Get ready for a stream."""
        self._rate = sample_rate
        self._player = self._voices.prepare(sample_rate, channels)

    def reset(self) -> None:
        """Silence everything."""
        self._player.reset()

    def place(self) -> None:
        """Be where the knobs are, at once."""
        self._level.set(self._loudness())
        self._voices.place()

    def strike(self, sound: int, velocity: float, frame: int) -> None:
        """Strike a sound at a frame of the block that comes; see `Player.strike`."""
        self._player.strike(sound, velocity, frame)

    def render(self, channels: int, frames: int) -> Float:
        """Return the next block of what rings, float32 (channels, frames), without its level."""
        return self._player.render(channels, frames)

    def gain(self, now: int, frames: int) -> Float:
        """Return the level, as a factor, of so many frames of the stream from ``now`` on."""
        return self._level.over(now, frames)

    def follow(self, change: Change, now: int, *, begins: bool) -> None:
        """Do what a changed parameter asks for, at a frame of the stream; see `LiveVoices.follow`."""
        if change.name == "level":
            self._level.move(self._loudness(), now, round(LEVEL_GLIDE * self._rate))
        self._voices.follow(change, begins=begins)

    def obey(self, name: str, event: Message, *, begins: bool) -> None:
        """Follow a command; others are not ours. ``begins``: nothing of the stream has been heard."""
        if name == "note":
            if begins:  # what is set at its frame counts
                self._voices.refresh(now=True)
            pitch, velocity = note_of(event)
            sound = sound_of_note(pitch, self._map)
            if velocity > 0 and sound >= 0:
                self._player.strike(sound, velocity, event.frame)
        else:
            self._voices.obey(name, event, begins=begins)

    def _loudness(self) -> float:
        level = self._parameters.number("level")
        return 0.0 if level <= -60.0 else float(10 ** (level / 20))
