"""Which drum a sound is: a small network that sorts one-shots into the eight classes by ear.

The model is trained by ``terzetto train drum-classes`` on one-shots that may be used freely; its card says how often it
is wrong, which is often: a low tom and a high kick may be the same sound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.analysis.drum_spectra import SAMPLE_RATE, mel_levels
from terzetto.errors import InputError
from terzetto.models import Model, find_model

TASK = "drum-classes"
MODEL = "drum_classes"
Float = NDArray[np.float32]


class DrumClassifier:
    """An opened classifier; `open_drum_classifier` finds one by its name.

    Attributes
    ----------
    model : Model
    classes : tuple of str
        In the order of the probabilities, as in `terzetto.drums.drum_map.CLASSES`.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.classes: tuple[str, ...] = tuple(model.constants["classes"])

    def probabilities(self, sounds: Sequence[NDArray[np.floating]], sample_rate: float = SAMPLE_RATE) -> Float:
        """Return how likely each sound is of each class, float32 (sounds, classes); each row sums to 1.

        Parameters
        ----------
        sounds
            Mono, (frames,) each; only the first second after the onset is heard, and loudness does not matter.
        sample_rate
            Of all of them, in Hz, 4000..384000.

        Raises
        ------
        InputError
            A sound is empty, silent, not finite or not mono, or the sample rate is out of range.
        """
        if not 4000 <= sample_rate <= 384_000:
            raise InputError(f"a sample rate of {sample_rate} Hz; valid: 4000 to 384000 Hz")
        if not len(sounds):
            return np.zeros((0, len(self.classes)), np.float32)
        levels = np.stack([mel_levels(_resampled(sound, sample_rate)) for sound in sounds])
        logits = np.asarray(self.model.session.run(["logits"], {"levels": levels})[0], np.float64)
        share = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(share / share.sum(axis=1, keepdims=True), np.float32)

    def classify(self, sound: NDArray[np.floating], sample_rate: float = SAMPLE_RATE) -> int:
        """Return the likeliest class of one sound, an index into `classes`; see `probabilities`."""
        return int(self.probabilities([sound], sample_rate)[0].argmax())


def _resampled(sound: NDArray[np.floating], sample_rate: float) -> NDArray[np.floating]:
    if sample_rate == SAMPLE_RATE or sound.ndim != 1 or not len(sound):
        return sound
    import soxr

    return np.asarray(soxr.resample(np.asarray(sound, np.float32), sample_rate, SAMPLE_RATE), np.float32)


def open_drum_classifier(name: str = "", *, threads: int = 1) -> DrumClassifier:
    """Open a classifier of drum sounds: the shipped one, or another by name or path.

    Raises
    ------
    ModelError
        There is none of that name, or it is for another task.
    """
    return DrumClassifier(find_model(TASK, name or MODEL, threads=threads))
