"""The pitch of a sound over time, on the grid of the networks' frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.evaluate.pitch_tracks import TRACKERS

Float = NDArray[np.float32]
Real = NDArray[np.float64]
HOP_SECONDS, RATE = 512 / 22_050, 22_050


def track(audio: Float, tracker: str = "Praat") -> Real:
    """Return the pitch of a sound (n,) at 22,050 Hz in MIDI semitones (frames,), NaN where there is none.

    Frame i is centred on sample 512 · i. Praat's tracker is the usual one here: its pitches are not on steps of some
    cents, as pYIN's are, and it takes little time.
    """
    return TRACKERS[tracker](audio, RATE, step=HOP_SECONDS).cents / 100.0
