"""What the slides' networks learn from and what is put into them: real recordings, mono at 22,050 Hz.

The slides' own recordings are not public. In their place: "dataset 1", one recording of about 30 s, is ten phrases of
tenor saxophone (Medley-solos-DB) without what lies above G#4, as the slides' recording had no notes above it; "dataset
2", an entire class, is the saxophone of Philharmonia, single notes whose pitch does not move. FV1, the singer who is
the input throughout, is a phrase of Medley-solos-DB that comes to rest on B4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import read_audio
from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError

Float = NDArray[np.float32]
SAMPLE_RATE = 22_050
GRID = FrameGrid(SAMPLE_RATE, 2048, 512)
HIGHEST = 68
"""G#4: the highest note of the one recording."""
SINGER = 2
TENOR_SAX = 5
FV1 = "1a0ecb0a"
_PITCH = re.compile(r"_([A-G])(s?)(\d)_")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True)
class Sound:
    """A piece of audio.

    Attributes
    ----------
    name : str
    audio : float32 (n,)
        ±1 at `SAMPLE_RATE`.
    pitch : int or None
        MIDI, of a single note.
    """

    name: str
    audio: Float
    pitch: int | None = None


def read(path: Path) -> Float:
    """Return a file's audio (n,), mixed down and resampled; raise `InputError` as `read_audio` does."""
    import soxr

    audio, rate = read_audio(path)
    return np.asarray(soxr.resample(audio.mean(axis=0), rate, SAMPLE_RATE), np.float32)


def phrases(data: Path, instrument: int, split: str) -> list[Sound]:
    """Return the phrases of an instrument of Medley-solos-DB, in the order of their names.

    Raises
    ------
    InputError
        There are none.
    """
    folder = data / "medley_solos"
    paths = sorted(folder.glob(f"Medley-solos-DB_{split}-{instrument}_*"))
    if not paths:
        raise InputError(f"{folder}: no {split} phrases of instrument {instrument}; TERZETTO_DATA names the data")
    return [Sound(path.stem.split("_")[-1][:8], read(path)) for path in paths]


def notes(data: Path, instrument: str) -> list[Sound]:
    """Return the single notes of an instrument of Philharmonia with their pitches, without the silence around them.

    Raises
    ------
    InputError
        There are none.
    """
    folder = data / "philharmonia" / instrument
    found = []
    for path in sorted(folder.glob("*.mp3")):
        name = _PITCH.search(path.name)
        if name is None:
            continue
        pitch = 12 * (int(name[3]) + 1) + _STEPS[name[1]] + bool(name[2])
        found.append(Sound(path.stem, _trimmed(read(path)), pitch))
    if not found:
        raise InputError(f"{folder}: no notes; TERZETTO_DATA names the data")
    return found


def one_recording(data: Path) -> Sound:
    """Return the one recording: phrases one after another, without those stretches that lie above G#4."""
    kept = [_below(phrase.audio, HIGHEST) for phrase in phrases(data, TENOR_SAX, "training")]
    return Sound("tenor saxophone, one recording", np.concatenate(kept))


def voice(data: Path) -> Sound:
    """Return FV1, the singer."""
    return next(sound for sound in phrases(data, SINGER, "training") if sound.name == FV1)


def voices(data: Path) -> list[Sound]:
    """Return all phrases of the singers; none of them is learned from."""
    return [*phrases(data, SINGER, "training"), *phrases(data, SINGER, "validation"), *phrases(data, SINGER, "test")]


def chords(data: Path) -> list[Sound]:
    """Return phrases of piano, in which several notes sound together."""
    return phrases(data, 4, "training")


def noise(seed: int = 0) -> Sound:
    """Return 3 s of noise in bursts of four loudnesses and colours: an input without a pitch."""
    random = np.random.default_rng(seed)
    bursts = []
    for level, colour in ((0.3, 0.0), (0.1, 0.9), (0.2, 0.6), (0.05, 0.0)):
        white = random.standard_normal(3 * SAMPLE_RATE // 4)
        spectrum = np.fft.rfft(white) / (1.0 + colour * np.linspace(0, 30, len(white) // 2 + 1))
        burst = np.fft.irfft(spectrum, len(white))
        bursts.append(level * burst / np.abs(burst).max() * np.hanning(len(white)) ** 0.2)
    return Sound("bursts of noise", np.concatenate(bursts).astype(np.float32))


def vowel(cents: NDArray[np.float64], pitch: float, level: float = 0.3) -> Float:
    """Return a vowel-like tone (n,) whose pitch moves by ``cents`` (n,) about a MIDI ``pitch``: the truth is known.

    Partials up to the Nyquist frequency, falling as a glottis does, through the formants of a sung /a/.
    """
    frequency = 440.0 * 2.0 ** ((pitch - 69 + cents / 100) / 12)
    phase = 2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE
    tone = np.zeros(len(cents))
    for partial in range(1, int(SAMPLE_RATE / 2 / frequency.max())):
        at = partial * frequency
        formants = sum(1.0 / (1.0 + ((at - f) / w) ** 2) for f, w in ((800, 120), (1150, 150), (2900, 300), (3500, 400)))
        tone += (formants + 0.02) / partial * np.sin(partial * phase)
    fade = np.clip(np.minimum(np.arange(len(tone)), np.arange(len(tone))[::-1]) / (0.02 * SAMPLE_RATE), 0.0, 1.0)
    return np.asarray(level * fade * tone / np.abs(tone).max(), np.float32)


def _trimmed(audio: Float, below: float = 50.0) -> Float:
    """Cut away what lies so many dB below the peak at both ends."""
    loud = np.flatnonzero(np.abs(audio) > 10 ** (-below / 20) * np.abs(audio).max())
    return audio[loud[0] : loud[-1] + 1] if len(loud) else audio


def _below(audio: Float, highest: int) -> Float:
    """Cut out the stretches whose pitch is more than half a semitone above a MIDI note, fading over 10 ms."""
    from terzetto_export.xsynth_paper.pitch import track

    followed = track(audio)
    high = np.nan_to_num(followed.midi, nan=0.0) > highest + 0.5
    high = np.convolve(high, np.ones(5), "same") > 0
    keep = ~np.repeat(high, GRID.hop_length)[: len(audio)]
    keep = np.pad(keep, (0, len(audio) - len(keep)), constant_values=True)
    edges = np.flatnonzero(np.diff(np.pad(keep.astype(int), 1)))
    fade = int(0.01 * SAMPLE_RATE)
    parts = []
    for start, stop in edges.reshape(-1, 2):
        if stop - start < GRID.n_fft:
            continue
        part = audio[start:stop].copy()
        part[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
        part[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        parts.append(part)
    return np.concatenate(parts) if parts else audio[:0]
