"""Beats as sound: a beat and a kit in, samples out, voice by voice.

A hit sounds at the frame at which the plugin plays it, through the player that the plugin plays with: what is rendered
is what was heard, sample for sample. All tempo changes are followed, and what rings at the end rings out.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.beat import Beat, midi_velocity
from terzetto.drums.clock import ROUND
from terzetto.drums.kit import Kit, sound_of_note
from terzetto.drums.kit_file import shipped_kit
from terzetto.drums.player import Player, Sound, mixed
from terzetto.drums.voice_sounds import kit_sounds
from terzetto.errors import InputError

Float = NDArray[np.float32]

LONGEST = 12 * 3600
"""Seconds that a beat may last."""
BLOCK = 1 << 15
"""Frames that are rendered at once."""


@dataclass(frozen=True, slots=True)
class Strike:
    """A hit on its way to the player: frame, index into `SOUNDS`, velocity 0..1."""

    frame: int
    sound: int
    velocity: float


class Rendering:
    """A beat at a sample rate.

    Parameters
    ----------
    beat
    sample_rate
        Hz.

    Attributes
    ----------
    frames : int
        To the end of its last bar.
    strikes : list of Strike
        By rising time; hits before the first frame are struck at it.
    left_out : list of int
        MIDI notes that the drum map leaves out, ascending.

    Raises
    ------
    InputError
        None of its notes is in the drum map, or it lasts longer than `LONGEST`.
    """

    def __init__(self, beat: Beat, sample_rate: float) -> None:
        self.sample_rate = sample_rate
        self.frames = frame_of(beat, beat.length, sample_rate)
        if self.frames > LONGEST * sample_rate:
            hours = self.frames / sample_rate / 3600
            raise InputError(f"the beat lasts {hours:.1f} hours; at most {LONGEST // 3600} are rendered")
        sounds = {note: sound_of_note(note, beat.drum_map) for note in sorted(set(beat.note.tolist()))}
        self.left_out = [note for note, sound in sounds.items() if sound < 0]
        if len(self.left_out) == len(sounds):
            notes = ", ".join(map(str, self.left_out)) or "none"
            raise InputError(f"none of its notes ({notes}) is a drum; give a drum map that says so (--drum-map)")
        hits = sorted(
            (float(onset), sounds[int(note)], float(velocity))
            for onset, note, velocity in zip(beat.onset, beat.note, beat.velocity, strict=True)
            if sounds[int(note)] >= 0
        )
        self.strikes = [
            Strike(max(frame_of(beat, onset, sample_rate), 0), sound, midi_velocity(velocity) / 127)
            for onset, sound, velocity in hits
        ]

    def voices(self, sounds: Sequence[Sound], channels: int = 2, *, loop: bool = False) -> Iterator[Float]:
        """Yield the beat block by block, voice by voice, float32 (8, channels, frames).

        Parameters
        ----------
        sounds
            As `kit_sounds` gives them, at the same sample rate.
        loop
            Exactly as long as the beat, as it sounds when it has gone round: what rings over its end rings at its
            beginning. Else it begins in silence, and all rings out.
        """
        player = Player(sounds, self.sample_rate)
        turns = 1 + math.ceil(max(sound.frames for sound in sounds) / max(self.frames, 1)) if loop else 1
        waiting = deque(sorted(
            (strike.frame + turn * self.frames, strike.sound, strike.velocity)
            for turn in range(turns)
            for strike in self.strikes
        ))  # fmt: skip
        begin, end = (turns - 1) * self.frames, turns * self.frames
        if not loop:  # a hit may be late beyond the last bar line
            end = max(end, waiting[-1][0] + 1)
        now = 0
        while now < end:
            until = min(now + BLOCK, end if now >= begin else begin)
            while waiting and waiting[0][0] < until:
                frame, sound, velocity = waiting.popleft()
                player.strike(sound, velocity, frame - now)
            block = player.render_voices(channels, until - now)
            if now >= begin:
                yield block
            now = until
            if now == end and not loop:
                end += player.rings_until


def render_beat(
    beat: Beat, sample_rate: float, kit: Kit | None = None, channels: int = 2, *, loop: bool = False
) -> Float:
    """Return a whole beat, float32 (channels, frames).

    Parameters
    ----------
    sample_rate
        Hz.
    kit
        The shipped one unless given.
    channels
        1 or 2.
    loop
        See `Rendering.voices`.

    Raises
    ------
    InputError
        The beat has no drums, or the kit cannot be used.
    """
    sounds = kit_sounds(kit or shipped_kit(), sample_rate, channels)
    blocks = Rendering(beat, sample_rate).voices(sounds, channels, loop=loop)
    return np.concatenate([mixed(block) for block in blocks], axis=1)


def frame_of(beat: Beat, quarter: float, sample_rate: float) -> int:
    """Return the frame at which a position of a beat falls, rounded as the plugin's clock does (`clock.Span.frame`)."""
    frames = 0.0
    for tempo, after in zip(beat.tempi, (*beat.tempi[1:], None), strict=True):
        until = quarter if after is None else min(quarter, after.quarter)
        frames += (until - tempo.quarter) * (60 * sample_rate / tempo.bpm)
        if after is None or quarter <= after.quarter:
            break
    return math.floor(frames + ROUND)
