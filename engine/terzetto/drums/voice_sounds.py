"""From a kit's voices to samples: a pure function, so it may run in the background while the kit plays.

A source becomes samples at its own rate, all equally loud; these are tuned and resampled in one step, damped, ended at
silence, levelled and panned. The same voice at the same rate gives the same samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import SOUNDS, VOICE_OF_SOUND, Drum, Kit, Voice, sounds_of_voice
from terzetto.drums.player import Sound
from terzetto.drums.sound_space import OpenModel, open_model
from terzetto.drums.source_audio import LONGEST, resampled, source_audio
from terzetto.errors import InputError, TerzettoError

Float = NDArray[np.float32]

_END = 0.002  # seconds in which a sound fades at its end
_LOWEST, _AUDIBLE = 1.0, 20_000.0  # Hz, of a centroid


def kit_sounds(kit: Kit, sample_rate: float, channels: int = 2, opened: OpenModel = open_model) -> list[Sound]:
    """Return what a kit plays, one for each of `SOUNDS`.

    Parameters
    ----------
    sample_rate
        Hz.
    channels
        1 (the sides' mean, positions left out) or 2.
    opened
        Opens sound models by name or path.

    Raises
    ------
    InputError, ModelError
        A sample or a model is missing or cannot be used; the message names the voice.
    """
    sounds: dict[int, Sound] = {}
    for name in CLASSES:
        sounds |= voice_sounds(kit, name, sample_rate, channels, opened)
    return [sounds[index] for index in range(len(SOUNDS))]


def voice_sounds(
    kit: Kit, name: str, sample_rate: float, channels: int = 2, opened: OpenModel = open_model
) -> dict[int, Sound]:
    """Return what one voice of a kit plays, by index into `SOUNDS`; see `kit_sounds`."""
    voice, made = kit.voices[name], {}
    try:
        audio, rate = source_audio(voice.source, name, opened)
        corner = centroid(audio, rate) if voice.velocity_tone > 0 else None
        for index in sounds_of_voice(name):
            drum = kit.drums.get(SOUNDS[index], Drum())
            speed = 2.0 ** ((voice.tune + drum.tune) / 12)
            sides = _played(audio, rate * speed, voice, drum, sample_rate, kit.gain_db)
            pan = min(max(voice.pan + drum.pan, -1.0), 1.0)
            air = None if corner is None else _placed(_above(sides, corner * speed, sample_rate), pan, channels)
            sound = _placed(sides, pan, channels)
            tone, level = voice.velocity_tone, voice.velocity_level
            made[index] = Sound(sound, VOICE_OF_SOUND[index], voice.choke, air, level, tone)
    except TerzettoError as error:
        raise type(error)(f"voice {name}: {error}") from None
    return made


def centroid(audio: Float, sample_rate: float) -> float:
    """Return the centroid of a sound's magnitudes (channels, frames) below 20 kHz, in Hz; 0 for silence."""
    import scipy.fft

    length = scipy.fft.next_fast_len(audio.shape[1], real=True)
    step = sample_rate / length
    magnitude = np.abs(scipy.fft.rfft(audio, length)).sum(axis=0)[: int(_AUDIBLE / step) + 1]
    weight = float(magnitude.sum())
    return step * float(magnitude @ np.arange(len(magnitude), dtype=np.float32)) / weight if weight else 0.0


def _played(audio: Float, rate: float, voice: Voice, drum: Drum, sample_rate: float, gain_db: float) -> Float:
    """Return the sides of a sound (sides, frames) at the stream's rate: tuned by its own, damped, ended, levelled."""
    sides = resampled(audio[:, : int(LONGEST * rate)], rate, sample_rate)
    frames = sides.shape[1]
    if not frames:
        raise InputError(
            f"its sound is too short to be played {voice.tune + drum.tune:+g} semitones higher; lower tune"
        )
    damping = sum(3 / decay for decay in (voice.decay, drum.decay) if decay is not None)
    level = 10 ** ((gain_db + voice.gain_db + drum.gain_db) / 20)
    envelope = np.full(frames, level)
    if damping:
        envelope *= 10.0 ** (-damping / sample_rate * np.arange(frames))
    fade = max(min(round(_END * sample_rate), frames), 1)
    envelope[-fade:] *= np.arange(fade - 1, -1, -1) / fade
    return np.asarray(envelope.astype(np.float32) * sides)


def _above(sides: Float, frequency: float, sample_rate: float) -> Float:
    """Return what lies above a frequency (Hz), by a first-order filter: the sound less it is darker."""
    from scipy.signal import lfilter

    # The bilinear transform of s / (s + 1), whose corner is at that frequency.
    corner = np.tan(np.pi * min(max(frequency, _LOWEST) / sample_rate, 0.45))
    numerator, denominator = np.array([1.0, -1.0]) / (1 + corner), [1.0, (corner - 1) / (1 + corner)]
    return np.asarray(lfilter(numerator, denominator, sides.astype(np.float64)), np.float32)


def _placed(sides: Float, pan: float, channels: int) -> Float:
    """Return a sound at its place, of constant power and read-only; a stereo one keeps its width."""
    if channels == 1:
        placed = sides.mean(axis=0, keepdims=True)
    else:
        angle = (pan + 1) * np.pi / 4
        placed = np.float32(np.sqrt(2)) * np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * sides
    placed = np.ascontiguousarray(placed, np.float32)
    placed.setflags(write=False)
    return placed
