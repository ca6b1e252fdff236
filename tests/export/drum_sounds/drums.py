"""Drums that sound nearly like their names, for tests without a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from terzetto.drums.drum_map import CLASSES

SAMPLE_RATE = 44_100
KITS = ("A", "B", "C", "D", "E", "F")


def _noise(random: np.random.Generator, seconds: float, decay: float, low: float, high: float) -> np.ndarray:
    frames = round(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(random.standard_normal(frames))
    frequency = np.fft.rfftfreq(frames, 1 / SAMPLE_RATE)
    spectrum[(frequency < low) | (frequency > high)] = 0.0
    sound = np.fft.irfft(spectrum, frames)
    return sound / np.abs(sound).max() * np.exp(-decay * np.arange(frames) / SAMPLE_RATE)


def _tone(seconds: float, decay: float, frequency: float, bend: float) -> np.ndarray:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.sin(2 * np.pi * (frequency * time + bend * (1 - np.exp(-40 * time)))) * np.exp(-decay * time)


_MAKERS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "snare": lambda r: _noise(r, 0.3, 18, 800, 8000) + 0.7 * _tone(0.3, 20, 190 * r.uniform(0.9, 1.1), 0),
    "kick": lambda r: _tone(0.3, 12, 50 * r.uniform(0.9, 1.1), 3),
    "open hat": lambda r: _noise(r, 0.6, 5, 7000, 18_000),
    "closed hat": lambda r: _noise(r, 0.1, 70, 7000, 18_000),
    "cymbal": lambda r: _noise(r, 0.9, 2.5, 2500, 16_000),
    "clap": lambda r: _noise(r, 0.25, 25, 900, 3500),
    "tom": lambda r: _tone(0.5, 9, 130 * r.uniform(0.9, 1.1), 1),
    "other": lambda r: _tone(0.15, 30, 1800 * r.uniform(0.9, 1.1), 0),
}


def drum(sound_class: str, seed: int) -> np.ndarray:
    """A stroke that fades in over 2 ms, ends in silence and has no mean; peak 0.9."""
    sound = _MAKERS[sound_class](np.random.default_rng((CLASSES.index(sound_class), seed)))
    fade = np.minimum(1.0, np.arange(len(sound)) / 88) ** 2 * np.clip(np.arange(len(sound))[::-1] / 400 - 0.2, 0.0, 1.0)
    sound = sound * fade
    sound -= fade * sound.sum() / fade.sum()
    return (0.9 * sound / np.abs(sound).max()).astype(np.float32)


def write_drums(folder: Path, number: int = 4) -> None:
    """Kits of all eight classes, some strokes of each."""
    for k, kit in enumerate(KITS):
        for name in CLASSES:
            place = folder / kit / name.title().replace(" ", "")
            place.mkdir(parents=True, exist_ok=True)
            for i in range(number):
                soundfile.write(place / f"{i}.wav", drum(name, 100 * k + i), SAMPLE_RATE, subtype="FLOAT")
