"""The methods side by side: each turns a melody into a target."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake
from terzetto.errors import InputError
from terzetto.timbre.conversion import Controls
from terzetto.timbre.methods import methods as installed_methods
from terzetto.timbre.methods import open_conversion
from terzetto.timbre.stream import render
from terzetto_export.timbre_notes.melodies import SAMPLE_RATE

Float = NDArray[np.float32]
IDENTITY = "identity"
OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {"envelope-source": ("envelope", {"flatten": "source"})}
"""Methods with options, compared by a name of their own: here the input's notes are heard, not the target's."""
USUAL = (IDENTITY, "envelope", "envelope-source", "mosaic", "xsynth")


def names() -> list[str]:
    """Return what can be compared: the identity, and the installed methods."""
    return [IDENTITY, *installed_methods(), *OPTIONS]


@dataclass(frozen=True)
class Converter:
    """A method that turns mono audio at 48 kHz into a target, named; it may be sent to another process.

    Attributes
    ----------
    method : str
        One of `names`.
    model : str
        For ``xsynth``: a model of several instruments, by name or path.
    recordings : dict of Path
        For the others: the target's recording by its name.
    amount : float
        0: the input; 1: the other timbre.

    Raises
    ------
    InputError
        There is no such method.
    """

    method: str
    model: str
    recordings: dict[str, Path]
    amount: float = 1.0

    def __post_init__(self) -> None:
        if self.method not in names():
            raise InputError(f"there is no method {self.method!r} to compare; valid: {', '.join(names())}")

    def __call__(self, audio: Float, target: str) -> Float:
        """Return as many samples in the target's timbre."""
        if self.method == IDENTITY:
            return audio
        to = f"{self.model}:{target}" if self.method == "xsynth" else str(self.recordings[target])
        method, options = OPTIONS.get(self.method, (self.method, {}))
        conversion = open_conversion(method, to, sample_rate=SAMPLE_RATE, channels=1, **options)
        blocks = render(ArrayTake(audio, SAMPLE_RATE), conversion, Controls(amount=self.amount))
        return np.concatenate([block[0] for block in blocks])
