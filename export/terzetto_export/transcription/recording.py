"""From a dry piano to a recording: microphones, room, tone, compression, noise, a lossy copy."""

from __future__ import annotations

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from terzetto.audio.pitch_spectra import SAMPLE_RATE

Float = NDArray[np.float32]


def record(piano: Float, random: np.random.Generator) -> Float:
    """Return a dry piano, (frames,) or (2, frames) at 22,050 Hz, as a microphone might have heard it: mono."""
    from pedalboard import (  # type: ignore[attr-defined]
        Compressor,
        HighpassFilter,
        HighShelfFilter,
        LowShelfFilter,
        PeakFilter,
        Pedalboard,
        Reverb,
    )

    balance = random.uniform(0.2, 0.8)
    mono = piano if piano.ndim == 1 else balance * piano[0] + (1 - balance) * piano[1]
    mono = np.asarray(mono / max(float(np.abs(mono).max()), 1e-6) * 0.5, np.float32)
    board = Pedalboard()
    board.append(LowShelfFilter(cutoff_frequency_hz=random.uniform(80, 400), gain_db=random.normal(0, 4)))
    board.append(HighShelfFilter(cutoff_frequency_hz=random.uniform(1000, 5000), gain_db=random.normal(-1, 5)))
    for _ in range(int(random.integers(0, 4))):
        frequency = float(np.exp(random.uniform(np.log(100), np.log(6000))))
        board.append(PeakFilter(cutoff_frequency_hz=frequency, gain_db=random.normal(0, 4), q=random.uniform(0.5, 3)))
    if random.random() < 0.3:
        board.append(HighpassFilter(cutoff_frequency_hz=random.uniform(20, 90)))
    if random.random() < 0.75:
        wet = float(random.uniform(0.02, 0.3)) ** 1.2
        size, damping = random.uniform(0.05, 0.85), random.uniform(0.1, 0.9)
        board.append(Reverb(room_size=size, damping=damping, wet_level=wet, dry_level=0.6, width=0))
    if random.random() < 0.3:
        board.append(Compressor(random.uniform(-35, -15), ratio=random.uniform(1.5, 4), attack_ms=10, release_ms=200))
    audio = np.asarray(board(mono, SAMPLE_RATE), np.float32).reshape(-1)
    if random.random() < 0.25:
        cutoff = random.uniform(3000, 9500)
        audio = scipy.signal.sosfilt(scipy.signal.butter(6, cutoff, fs=SAMPLE_RATE, output="sos"), audio)
    loud = float(np.sqrt(np.mean(audio**2))) or 1.0
    if random.random() < 0.7:
        audio = audio + loud * 10.0 ** (random.uniform(-65, -28) / 20) * _noise(len(audio), random)
    return np.asarray(audio, np.float32)


def _noise(length: int, random: np.random.Generator) -> Float:
    """Return noise of unit power between white and brown, perhaps with a hum."""
    white = random.normal(0, 1, length)
    pole = random.choice([0.0, 0.9, 0.98])
    noise = scipy.signal.lfilter([1.0], [1.0, -pole], white)
    if random.random() < 0.3:
        hum = 2 * np.pi * random.choice([50.0, 60.0]) / SAMPLE_RATE * np.arange(length)
        noise = noise / noise.std() + random.uniform(0, 1) * (np.sin(hum) + 0.4 * np.sin(2 * hum))
    return np.asarray(noise / noise.std(), np.float32)
