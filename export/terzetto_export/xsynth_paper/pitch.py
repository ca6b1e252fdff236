"""The pitch of a sound over time by pYIN (Mauch & Dixon 2014), frame by frame on the grid of the networks."""

from __future__ import annotations

from dataclasses import dataclass

import librosa
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
LOWEST, HIGHEST = 65.0, 1400.0
HOP, RATE = 512, 22_050


@dataclass(frozen=True)
class Track:
    """Pitch in MIDI semitones (frames,), NaN where there is none; frame i is centred on sample 512 · i."""

    midi: NDArray[np.float64]

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Where there is a pitch."""
        return ~np.isnan(self.midi)


def track(audio: Float) -> Track:
    """Return the pitch of a sound (n,) at 22,050 Hz between 65 and 1400 Hz; silence has none."""
    if not np.abs(audio).max(initial=0.0) > 1e-5:
        return Track(np.full(1 + len(audio) // HOP, np.nan))
    frequency, _, _ = librosa.pyin(audio, fmin=LOWEST, fmax=HIGHEST, sr=RATE, hop_length=HOP, frame_length=2048)
    return Track(12 * np.log2(np.asarray(frequency, np.float64) / 440.0) + 69)
