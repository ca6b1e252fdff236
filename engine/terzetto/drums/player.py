"""The player: sounds that are struck, ring, and cut each other off, block by block.

The same player runs live and offline, and its samples do not depend on the blocks' lengths, so a beat that is rendered
is the beat that was heard. Sounds may be exchanged while others ring: what rings goes on as it was struck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES

Float = NDArray[np.float32]

MOST_RINGING = 48
"""Sounds at once; with more the oldest one ends."""
CHOKE = 0.005
"""Seconds in which a sound that is cut off fades."""


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound as it is struck.

    Attributes
    ----------
    audio : float32 (channels, frames)
        At full velocity.
    voice : int
        Whose it is, an index into `CLASSES`.
    choke : str
        The group whose sounds cut each other off; empty for none.
    air : float32 (channels, frames) or None
        What of it goes when it is struck softly.
    velocity_level, velocity_tone : float
        As `terzetto.drums.kit.Voice` has them.
    """

    audio: Float
    voice: int = 0
    choke: str = ""
    air: Float | None = None
    velocity_level: float = 1.0
    velocity_tone: float = 0.0

    @property
    def frames(self) -> int:
        """Its length."""
        return int(self.audio.shape[1])

    def gain(self, velocity: float) -> np.float32:
        """Return how loud it is at a velocity of 0..1."""
        return np.float32(float(np.float32(velocity)) ** (2 * self.velocity_level))

    def shade(self, velocity: float) -> np.float32:
        """Return how much of ``air`` goes at a velocity of 0..1."""
        return np.float32(0 if self.air is None else 1 - 10 ** (-self.velocity_tone * (1 - velocity) / 20))


@dataclass
class _Ringing:
    sound: Sound
    gain: np.float32
    shade: np.float32
    start: int  # frames of the stream
    cut: int | None = None  # where it began to be cut off

    def end(self, fade: int) -> int:
        end = self.start + self.sound.frames
        return end if self.cut is None else min(end, self.cut + fade)


class Player:
    """Sounds that ring, block by block; the samples do not depend on the blocks' lengths.

    Parameters
    ----------
    sounds
        One for each of `terzetto.drums.kit.SOUNDS`, as `terzetto.drums.voice_sounds.kit_sounds` gives them.
    sample_rate
        Hz.

    Attributes
    ----------
    sounds : list of Sound
        What is struck from now on; exchange them at any time.
    """

    def __init__(self, sounds: Sequence[Sound], sample_rate: float) -> None:
        self.sounds = list(sounds)
        self._fade = max(round(CHOKE * sample_rate), 1)
        self.reset()

    def reset(self) -> None:
        """Silence everything."""
        self._ringing: list[_Ringing] = []
        self._now = 0

    def strike(self, sound: int, velocity: float, frame: int) -> None:
        """Strike a sound (an index into `SOUNDS`), velocity 0..1, at a frame of the block that comes.

        Strikes come in the order of their frames; of two at one frame the later one cuts off the earlier.
        """
        struck, start = self.sounds[sound], self._now + frame
        if struck.choke:
            for each in self._ringing:
                if each.sound.choke == struck.choke and each.cut is None:
                    each.cut = start
        ringing = [each for each in self._ringing if each.cut is None and each.end(self._fade) > start]
        if len(ringing) >= MOST_RINGING:
            ringing[0].cut = start
        self._ringing.append(_Ringing(struck, struck.gain(velocity), struck.shade(velocity), start))

    def render(self, channels: int, frames: int) -> Float:
        """Return the next block, float32 (channels, frames)."""
        return mixed(self.render_voices(channels, frames))

    def render_voices(self, channels: int, frames: int) -> Float:
        """Return the next block voice by voice, float32 (8, channels, frames); `mixed`, it is what `render` gives."""
        out = np.zeros((len(CLASSES), channels, frames), np.float32)
        for each in self._ringing:
            begin = max(each.start - self._now, 0)
            at = self._now + begin - each.start
            piece = each.gain * self._piece(each, at, frames - begin)
            out[each.sound.voice, :, begin : begin + piece.shape[1]] += piece
        self._now += frames
        self._ringing = [each for each in self._ringing if each.end(self._fade) > self._now]
        return out

    @property
    def rings_until(self) -> int:
        """How many frames from now on something rings."""
        return max((each.end(self._fade) - self._now for each in self._ringing), default=0)

    def _piece(self, each: _Ringing, at: int, frames: int) -> Float:
        """Return what rings from a frame of the sound on, at most so many frames."""
        sound = each.sound
        piece = sound.audio[:, at : at + frames]
        if each.shade and sound.air is not None:
            piece = piece - each.shade * sound.air[:, at : at + frames]
        if each.cut is None:
            return piece
        since = each.start + at - each.cut + np.arange(piece.shape[1], dtype=np.float32)
        return np.asarray(piece * np.clip(1 - since / np.float32(self._fade), 0, 1).astype(np.float32))


def mixed(voices: Float) -> Float:
    """Return the sum of voices (8, channels, frames), one after the other: stems sum to the mix to the last bit."""
    total = np.zeros(voices.shape[1:], np.float32)
    for voice in voices:
        total += voice
    return total
