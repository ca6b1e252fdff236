"""Two pitch trackers that know nothing of each other, and what is asked of their tracks.

pYIN (Mauch, Dixon 2014; librosa's) takes the squared differences of a window and its copy and follows the likeliest
path; the second, Praat's (Boersma 1993), takes the autocorrelation and its own path. A track that both find is no
accident of one. Neither is told what pitch to expect: an octave too high or low is an error.

Conventions: audio is mono, float (frames,). Tracks are on a grid of `STEP` seconds from 0; a frame without a pitch is
NaN. Deviations are in cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError

Sound = NDArray[np.floating]
Float = NDArray[np.float64]

STEP = 0.025
LOWEST, HIGHEST = 50.0, 2500.0
"""Hz. From below a bassoon's lowest note to above a flute's highest."""
VOICED = 0.5
"""Share of a note's frames that must have a pitch."""
KEPT = 50.0
"""Cents."""
_RATE, _WINDOW = 22_050, 2048
_SETTLED, _ENDING = 0.06, 0.03


@dataclass(frozen=True)
class Track:
    """A pitch along the time: ``f0`` in Hz (frames,), every ``step`` seconds from 0, NaN where there is none."""

    f0: Float
    step: float = STEP

    @property
    def cents(self) -> Float:
        """In cents above MIDI note 0."""
        return np.asarray(1200.0 * np.log2(self.f0 / 440.0) + 6900.0)

    def between(self, start: float, stop: float) -> Float:
        """Return the cents of the frames from ``start`` to ``stop`` seconds."""
        time = np.arange(len(self.f0)) * self.step
        return np.asarray(self.cents[(time >= start) & (time < stop)])


def pyin(audio: Sound, sample_rate: float, step: float = STEP) -> Track:
    """Return the track that pYIN finds, on steps of 20 cents.

    Raises
    ------
    InputError
        The sound is empty, not finite or not mono.
    """
    import librosa

    sound = _at_rate(audio, sample_rate)
    f0, _, _ = librosa.pyin(
        sound,
        fmin=LOWEST,
        fmax=HIGHEST,
        sr=_RATE,
        frame_length=_WINDOW,
        hop_length=round(step * _RATE),
        resolution=0.2,
        fill_na=np.nan,
    )
    return Track(np.asarray(f0, np.float64), round(step * _RATE) / _RATE)


def praat(audio: Sound, sample_rate: float, step: float = STEP) -> Track:
    """Return the track that Praat finds by autocorrelation.

    Raises
    ------
    InputError
        praat-parselmouth is not installed, or the sound is empty, not finite or not mono.
    """
    try:
        import parselmouth
    except ImportError:
        raise InputError(
            "the second pitch tracker is not installed: pip install praat-parselmouth (it is in terzetto[train])"
        ) from None
    sound = _at_rate(audio, sample_rate)
    silence = round(0.1 * _RATE)  # its windows of three periods must fit on either side
    padded = np.pad(sound, silence).astype(np.float64)
    pitch = parselmouth.Sound(padded, _RATE).to_pitch_ac(time_step=step, pitch_floor=LOWEST, pitch_ceiling=HIGHEST)
    found = np.asarray(pitch.selected_array["frequency"], np.float64)
    times = np.asarray(pitch.xs()) - silence / _RATE
    wanted = np.arange(len(sound) // round(step * _RATE) + 1) * step
    nearest = np.clip(np.round((wanted - times[0]) / step).astype(int), 0, len(found) - 1)
    f0 = np.where(found[nearest] > 0, found[nearest], np.nan)
    return Track(f0, step)


class Tracker(Protocol):
    """Finds the pitch of a sound along the time."""

    def __call__(self, audio: Sound, sample_rate: float, step: float = STEP) -> Track:
        """Return the track, every ``step`` seconds."""


TRACKERS: dict[str, Tracker] = {"pYIN": pyin, "Praat": praat}


def pitch_error(track: Track, onset: float, duration: float, pitch: float) -> float:
    """Return by how many cents a note is off: the median over its frames; NaN where fewer than half have a pitch.

    Its first 60 ms, in which a tracker's window still holds what was before, and its last 30 ms are left out.

    Parameters
    ----------
    onset, duration
        Seconds.
    pitch
        MIDI note that is wanted; with a fraction where it lies between two.
    """
    cents = track.between(onset + _SETTLED, onset + max(duration - _ENDING, _SETTLED + 2 * track.step))
    if not len(cents) or np.isfinite(cents).mean() < VOICED:
        return float("nan")
    return float(np.nanmedian(cents) - 100.0 * pitch)


def is_kept(error: float) -> bool:
    """Whether a note keeps its pitch: voiced, and within 50 cents."""
    return bool(np.isfinite(error) and abs(error) <= KEPT)


def contour_error(wanted: Track, found: Track, start: float = 0.0, stop: float = np.inf) -> dict[str, float]:
    """Return how a pitch that moves (glissando, vibrato) is followed.

    Returns
    -------
    dict
        ``cents``: the median absolute deviation over the frames in which both have a pitch (NaN without any);
        ``lost``: the share of the wanted track's frames in which the other has none, or is more than 50 cents off.
    """
    a, b = wanted.between(start, stop), found.between(start, stop)
    length = min(len(a), len(b))
    a, b = a[:length], b[:length]
    voiced = np.isfinite(a)
    if not voiced.any():
        raise InputError("the wanted pitch has no voiced frame: there is nothing to follow")
    off = np.abs(a - b)[voiced]
    return {
        "cents": float(np.nanmedian(off)) if np.isfinite(off).any() else float("nan"),
        "lost": float(np.mean(~(off <= KEPT))),
    }


def _at_rate(audio: Sound, sample_rate: float) -> NDArray[np.float32]:
    if audio.ndim != 1 or not len(audio) or not np.isfinite(audio).all():
        raise InputError(f"a pitch is tracked in one row of finite samples; given is the shape {audio.shape}")
    sound = np.asarray(audio, np.float32)
    if sample_rate != _RATE:
        import soxr

        sound = soxr.resample(sound, sample_rate, _RATE)
    return sound
