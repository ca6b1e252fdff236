"""What the slides' networks learn from and what is put into them: real recordings, mono at 22,050 Hz.

The slides' own recordings are not public. In their place: "dataset 1", one recording of about 30 s, is ten phrases of
tenor saxophone (Medley-solos-DB) without what lies above G#4, as the slides' recording had no notes above it; "dataset
2", an entire class, is the saxophone of Philharmonia, single notes whose pitch does not move. FV1, the singer who is
the input throughout, is a phrase of Medley-solos-DB that comes to rest on B4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto_export.instrument_data.medley_solos import read_medley_solos
from terzetto_export.instrument_data.names import INSTRUMENTS
from terzetto_export.instrument_data.philharmonia import read_philharmonia
from terzetto_export.instrument_data.recordings import Recording

Float = NDArray[np.float32]
Tell = Callable[[str], None]
SAMPLE_RATE = 22_050
GRID = FrameGrid(SAMPLE_RATE, 2048, 512)
HIGHEST = 68
"""G#4: the highest note of the one recording."""
INSTRUMENT, SINGER = "saxophone", "female_singer"
FV1 = "1a0ecb0a"
FORMANTS = ((800, 120), (1150, 150), (2900, 300), (3500, 400))
"""Centre and half width in Hz of a sung /a/."""
PHRASES_ONLY = ("trumpet", "violin")
"""Classes of the ten of which Philharmonia's excerpt has no notes: here they are learned from phrases."""


@dataclass(frozen=True)
class Material:
    """All that is learned from and put in; mono (n,) at `SAMPLE_RATE`.

    Attributes
    ----------
    recording : float32 (n,)
        The one recording: phrases one after another, without those stretches that lie above G#4.
    fresh : list of float32 (n,)
        Phrases of its instrument that nobody learns from.
    classes : dict of lists of Recording
        By instrument, training and validation splits: whole classes, single notes but for `PHRASES_ONLY`.
    voice : float32 (n,)
        FV1, the singer.
    voices, chords : list of float32 (n,)
        Phrases of singers, and of piano, in which several notes sound together; nobody learns from them.
    """

    recording: Float
    fresh: list[Float]
    classes: dict[str, list[Recording]]
    voice: Float
    voices: list[Float]
    chords: list[Float]

    @property
    def whole_class(self) -> list[Float]:
        """The class of the recording's instrument."""
        return [each.audio for each in self.classes[INSTRUMENT]]


def read_material(data: Path, most: int, tell: Tell) -> Material:
    """Read the recordings below ``data``, the folder ``instruments``; of singers and chords so many phrases at most.

    Raises
    ------
    InputError
        They, or the phrase that is FV1, are not there.
    """
    phrases = read_medley_solos(tell, sample_rate=SAMPLE_RATE, folder=data / "medley_solos")
    notes = read_philharmonia(tell, sample_rate=SAMPLE_RATE, folder=data / "philharmonia")
    singers = _of(phrases, SINGER)
    voice = [each.audio for each in singers if FV1 in each.path.name]
    if not voice:
        raise InputError(
            f"{data / 'medley_solos'}: the singer's phrase {FV1}… is not there; it is the input throughout"
        )
    classes = {name: _learned(phrases if name in PHRASES_ONLY else notes, name) for name in INSTRUMENTS}
    sax = _of(phrases, INSTRUMENT)
    return Material(
        np.concatenate([_below(each.audio, HIGHEST) for each in sax if each.split == "train"]),
        [each.audio for each in sax if each.split != "train"],
        classes,
        voice[0],
        [*voice, *(each.audio for each in singers if FV1 not in each.path.name)][:most],
        [each.audio for each in _of(phrases, "piano")][:most],
    )


def pitch_range(class_: Sequence[Recording]) -> tuple[float, float]:
    """Return the lowest and the highest MIDI pitch of a class: its notes' names, or where Praat hears its phrases."""
    from terzetto_export.xsynth_paper.pitch import track

    named = [each.pitch for each in class_ if each.pitch is not None]
    if named:
        return float(min(named)), float(max(named))
    heard = np.concatenate([track(each.audio) for each in class_])
    low, high = np.nanpercentile(heard, (1, 99))
    return float(low), float(high)


def _of(recordings: Sequence[Recording], instrument: str) -> list[Recording]:
    return [each for each in recordings if each.instrument == instrument]


def _learned(recordings: Sequence[Recording], instrument: str) -> list[Recording]:
    """Return what may be learned from, the silence around it cut away."""
    chosen = [each for each in _of(recordings, instrument) if each.split != "test"]
    if not chosen:
        raise InputError(f"there are no recordings of {instrument}; TERZETTO_DATA names the folder of the data sets")
    return [replace(each, audio=_trimmed(each.audio)) for each in chosen]


def noise(seed: int = 0) -> Float:
    """Return 3 s of noise in bursts of four loudnesses and colours: an input without a pitch."""
    random = np.random.default_rng(seed)
    bursts = []
    for level, colour in ((0.3, 0.0), (0.1, 0.9), (0.2, 0.6), (0.05, 0.0)):
        white = random.standard_normal(3 * SAMPLE_RATE // 4)
        spectrum = np.fft.rfft(white) / (1.0 + colour * np.linspace(0, 30, len(white) // 2 + 1))
        burst = np.fft.irfft(spectrum, len(white))
        bursts.append(level * burst / np.abs(burst).max() * np.hanning(len(white)) ** 0.2)
    return np.concatenate(bursts).astype(np.float32)


def vowel(cents: NDArray[np.float64], pitch: float, level: float = 0.3) -> Float:
    """Return a vowel-like tone (n,) whose pitch moves by ``cents`` (n,) about a MIDI ``pitch``: the truth is known.

    Partials up to the Nyquist frequency, falling as a glottis does, through the formants of a sung /a/.
    """
    frequency = 440.0 * 2.0 ** ((pitch - 69 + cents / 100) / 12)
    phase = 2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE
    tone = np.zeros(len(cents))
    for partial in range(1, int(SAMPLE_RATE / 2 / frequency.max())):
        at = partial * frequency
        formants = sum(
            1.0 / (1.0 + ((at - f) / w) ** 2) for f, w in ((800, 120), (1150, 150), (2900, 300), (3500, 400))
        )
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

    high = np.nan_to_num(track(audio), nan=0.0) > highest + 0.5
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
