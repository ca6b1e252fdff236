"""What a voice sounds of, as samples: read, decoded or mixed, at a rate of its own, and as loud as every other.

So a kit's levels are its balance, whatever its voices sound of, and a voice that moves over its pad stays in it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import FileTake
from terzetto.drums.sound_sources import SHIPPED_MODEL, Morph, OneShot, Point, Sample, Source, files_of
from terzetto.drums.sound_space import OpenModel, SoundSpace, open_model
from terzetto.errors import InputError

Float = NDArray[np.float32]

LONGEST = 30.0
"""Seconds of a sample, and of a sound that is tuned down."""
SILENCE = 1e-4
"""A sample whose largest value is below this (-80 dB) is silent."""
LOUDNESS = -12.0
"""LUFS of the loudest tenth of a second of every source, which no knob has touched yet (ITU-R BS.1770, K-weighted)."""
_WINDOW = 0.1
_HIGHEST = 2.0  # no peak goes beyond, however short a click may be
_ONE_SHOTS = Path(__file__).with_name("one_shots")


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
            return model.sample(sound_class, source.seed, source.spread)
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
    second = resampled(second, other, rate)
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


def resampled(audio: Float, rate: float, sample_rate: float) -> Float:
    """Return a sound (channels, frames) at another rate."""
    if rate == sample_rate:
        return audio
    import soxr

    return np.asarray(soxr.resample(audio.T, rate, sample_rate, quality="VHQ"), np.float32).T
