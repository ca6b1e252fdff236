"""From a kit's voices to samples: a pure function, so it may run in the background while the kit plays.

A source becomes samples at its own rate, is made as loud as every other, tuned and resampled in one step, damped, ended
at silence, levelled and panned. So a kit's levels are its balance, whatever its voices sound of, and a voice that moves
over its pad stays in it. The same voice at the same rate gives the same samples.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.audio.files import FileTake
from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import SOUNDS, VOICE_OF_SOUND, Drum, Kit, Voice, sounds_of_voice
from terzetto.drums.player import Sound
from terzetto.drums.sound_sources import SHIPPED_MODEL, Morph, OneShot, Point, Sample, Source, files_of
from terzetto.errors import InputError, TerzettoError

Float = NDArray[np.float32]

LONGEST = 30.0
"""Seconds of a sample, and of a sound that is tuned down."""
SILENCE = 1e-4
"""A sample whose largest value is below this (-80 dB) is silent."""
LOUDNESS = -12.0
"""LUFS of the loudest tenth of a second of every source, which no knob has touched yet (ITU-R BS.1770, K-weighted)."""
_WINDOW = 0.1
_HIGHEST = 2.0  # no peak goes beyond, however short a click may be
_END = 0.002  # seconds in which a sound fades at its end
_ONE_SHOTS = Path(__file__).with_name("one_shots")


class SoundSpace(Protocol):
    """What is asked of a model of sounds; `terzetto.drums.sounds` opens one."""

    @property
    def sample_rate(self) -> float:
        """Hz."""

    @property
    def latent_size(self) -> int:
        """Numbers of a point."""

    @property
    def pad_range(self) -> tuple[float, float]:
        """Where the pads begin and end, in x and in y."""

    def encode(self, audio: Float, sample_rate: float, sound_class: str) -> Float:
        """Return the point of a sound (frames,)."""

    def decode(self, z: ArrayLike, sound_class: str, seed: int = 0) -> Float:
        """Return the sound (frames,) of a point."""

    def sample(self, sound_class: str, seed: int) -> Float:
        """Return a point by chance."""

    def pad_latent(self, sound_class: str, x: float, y: float) -> Float:
        """Return the point under a point of the pad, in its own units."""

    def morph(self, a: ArrayLike, b: ArrayLike, amount: float) -> Float:
        """Return a point between two."""


OpenModel = Callable[[str], SoundSpace]


@functools.lru_cache(maxsize=4)
def open_model(name: str) -> SoundSpace:
    """Open a sound model by name or path, the shipped one for an empty name; it stays open."""
    from terzetto.drums.sounds import open_sound_model

    return open_sound_model(name)


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
    voice = kit.voices[name]
    drums = {index: kit.drums.get(SOUNDS[index], Drum()) for index in sounds_of_voice(name)}
    try:
        audio, rate = source_audio(voice.source, name, opened)
        played = {
            index: _played(audio, rate, voice, drum, sample_rate, channels, kit.gain_db)
            for index, drum in drums.items()
        }
    except TerzettoError as error:
        raise type(error)(f"voice {name}: {error}") from None
    made = {}
    for index, sound in played.items():
        air = _air(sound, sample_rate) if voice.velocity_tone > 0 else None
        for array in (sound, air):
            if array is not None:
                array.setflags(write=False)
        made[index] = Sound(sound, VOICE_OF_SOUND[index], voice.choke, air, voice.velocity_level, voice.velocity_tone)
    return made


def source_audio(source: Source, voice_class: str, opened: OpenModel = open_model) -> tuple[Float, float]:
    """Return the samples of a source (channels, frames), all equally loud, at a rate of their own, and that rate.

    Parameters
    ----------
    voice_class
        What points are decoded as that do not say so themselves, one of `CLASSES`.

    Raises
    ------
    InputError, ModelError
        A sample or a model is missing or cannot be used.
    """
    if isinstance(source, OneShot):
        audio, rate = _read(_ONE_SHOTS / f"{source.name.replace(' ', '_')}.flac")
    elif isinstance(source, Sample):
        audio, rate = _read(source.path)
    elif isinstance(source, Morph) and source.by == "mix":
        audio, rate = _mix(source, voice_class, opened)
    else:
        model = opened(_model_of(source))
        sound_class = source.sound_class or voice_class
        decoded = model.decode(_latent(source, sound_class, model, opened), sound_class)
        audio, rate = np.atleast_2d(np.asarray(decoded, np.float32)), model.sample_rate
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < SILENCE:
        raise InputError("what it sounds of is silent; give it another source")
    gain = 10 ** ((LOUDNESS - loudness(audio, rate)) / 20)
    return audio * np.float32(min(gain, _HIGHEST / peak)), rate


def loudness(audio: Float, sample_rate: float) -> float:
    """Return how loud the loudest tenth of a second of a sound (channels, frames) is, one side of it, in LUFS."""
    from scipy.signal import sosfilt

    from terzetto.audio.loudness import k_weighting

    weighted = sosfilt(k_weighting(sample_rate), audio.astype(np.float64), axis=1)
    window = round(_WINDOW * sample_rate)
    energy = np.cumsum(np.pad((weighted**2).mean(axis=0), (1, window)))
    return float(-0.691 + 10 * np.log10((energy[window:] - energy[:-window]).max() / window))


def source_latent(source: Source, voice_class: str, opened: OpenModel = open_model) -> Float:
    """Return the point of the latent space (L,) that a source is, or where the model hears it."""
    return _latent(source, voice_class, opened(_model_of(source)), opened)


def _latent(source: Source, sound_class: str, model: SoundSpace, opened: OpenModel) -> Float:
    if isinstance(source, Morph) and source.by == "latent":
        first, second = (_latent(end, sound_class, model, opened) for end in (source.first, source.second))
        return model.morph(first, second, source.amount)
    sound_class = getattr(source, "sound_class", "") or sound_class
    if isinstance(source, Point):
        if source.pad is not None:
            low, high = model.pad_range
            x, y = (low + each * (high - low) for each in source.pad)
            return model.pad_latent(sound_class, x, y)
        if source.seed is not None:
            return model.sample(sound_class, source.seed)
        if source.latent is not None:
            if len(source.latent) != model.latent_size:
                raise InputError(
                    f"latent: this model's points have {model.latent_size} numbers; given {len(source.latent)}"
                )
            return np.array(source.latent, np.float32)
        assert source.encoded is not None
        audio, rate = _read(source.encoded)
    else:
        audio, rate = source_audio(source, sound_class, opened)
    mono = audio.mean(axis=0)
    if float(np.abs(mono).max()) < SILENCE:
        heard = "".join(f"{path}: " for path in files_of(source))
        raise InputError(f"{heard}its sides cancel each other out in mono, as the model hears it; give one side of it")
    return model.encode(mono, rate, sound_class)


def _model_of(source: Source) -> str:
    """Return the model that a source asks for, empty for the shipped one; both ends of a morph ask for the same."""
    names = _models_asked(source)
    if len(names) > 1:
        given = " and ".join(sorted(names))
        raise InputError(f"a morph lies in one model's latent space; given {given}: take one model, or morph by mix")
    name = names.pop() if names else SHIPPED_MODEL
    return "" if name == SHIPPED_MODEL else name


def _models_asked(source: Source) -> set[str]:
    if isinstance(source, Morph):
        return _models_asked(source.first) | _models_asked(source.second)
    return {source.model or SHIPPED_MODEL} if isinstance(source, Point) else set()


def _mix(source: Morph, voice_class: str, opened: OpenModel) -> tuple[Float, float]:
    (first, rate), (second, other) = (source_audio(end, voice_class, opened) for end in (source.first, source.second))
    second = _resampled(second, other, rate)
    both = np.zeros((max(len(first), len(second)), max(first.shape[1], second.shape[1])), np.float32)
    for audio, weight in ((first, 1 - source.amount), (second, source.amount)):
        both[:, : audio.shape[1]] += np.float32(weight) * audio  # one side goes to both
    return both, rate


def _read(path: Path) -> tuple[Float, float]:
    with FileTake(path) as take:
        if take.frames > LONGEST * take.sample_rate:
            seconds = take.frames / take.sample_rate
            raise InputError(f"{path}: {seconds:.1f} s; a sample has at most {LONGEST:g} s: cut a hit out of it")
        audio = take.read(0, take.frames)
        if float(np.abs(audio).max()) < SILENCE:
            raise InputError(f"{path}: the sample is silent (below {20 * np.log10(SILENCE):.0f} dB); give another one")
        return audio, take.sample_rate


def _played(
    audio: Float, rate: float, voice: Voice, drum: Drum, sample_rate: float, channels: int, gain_db: float
) -> Float:
    """Return a sound tuned, damped, ended, levelled and placed."""
    speed = 2.0 ** ((voice.tune + drum.tune) / 12)
    longest = int(LONGEST * rate * speed)  # of the source: what is played in so many seconds
    sides = _resampled(audio[:, :longest], rate * speed, sample_rate)
    if not sides.shape[1]:
        raise InputError(
            f"its sound is too short to be played {voice.tune + drum.tune:+g} semitones higher; lower tune"
        )
    seconds = np.arange(sides.shape[1]) / sample_rate
    damping = sum(3 / decay for decay in (voice.decay, drum.decay) if decay is not None)
    level = 10 ** ((gain_db + voice.gain_db + drum.gain_db) / 20)
    envelope = level * 10.0 ** (-damping * seconds)
    fade = max(min(round(_END * sample_rate), sides.shape[1]), 1)
    envelope[-fade:] *= np.arange(fade - 1, -1, -1) / fade
    pan = min(max(voice.pan + drum.pan, -1.0), 1.0)
    return np.ascontiguousarray(_placed(envelope * sides, pan, channels), np.float32)


def _placed(sides: NDArray[np.float64], pan: float, channels: int) -> NDArray[np.float64]:
    """Return a sound at its place between left and right, of constant power; a stereo one keeps its width."""
    if channels == 1:
        return np.asarray(sides.mean(axis=0, keepdims=True))
    angle = (pan + 1) * np.pi / 4
    return np.asarray(np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]]) * sides)


def _air(audio: Float, sample_rate: float) -> Float:
    """Return what lies above a sound's spectral centroid, by a first-order filter: the sound less it is darker."""
    import scipy.fft
    import scipy.signal

    length = scipy.fft.next_fast_len(audio.shape[1], real=True)
    magnitude = np.abs(scipy.fft.rfft(audio, length)).sum(axis=0)
    if not magnitude.any():  # one sample that ends at silence, or opposite sides in mono
        return np.zeros_like(audio)
    frequency = np.fft.rfftfreq(length, 1 / sample_rate)
    centroid = float((magnitude * frequency).sum() / magnitude.sum())
    # The bilinear transform of s / (s + 1), whose corner is at the centroid.
    corner = np.tan(np.pi * min(centroid / sample_rate, 0.45))
    numerator, denominator = np.array([1.0, -1.0]) / (1 + corner), [1.0, (corner - 1) / (1 + corner)]
    return np.asarray(scipy.signal.lfilter(numerator, denominator, audio.astype(np.float64)), np.float32)


def _resampled(audio: Float, rate: float, sample_rate: float) -> Float:
    if rate == sample_rate:
        return audio
    import soxr

    return np.asarray(soxr.resample(audio.T, rate, sample_rate, quality="VHQ"), np.float32).T
