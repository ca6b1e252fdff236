"""From a sound to what a network makes of it, and the classical methods of the house beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

import numpy as np

from terzetto.audio.phase import recover
from terzetto.audio.spectra import Stft
from terzetto_export.xsynth_paper.sounds import GRID, SAMPLE_RATE, Float
from terzetto_export.xsynth_paper.training import Learned

Convert = Callable[[Float], Float]
Phase = Literal["found", "input"]
ROUNDS = 10  # of Griffin-Lim, after heap integration


def through(learned: Learned, phase: Phase = "found") -> Convert:
    """Return what turns a sound (n,) into the network's.

    Parameters
    ----------
    phase
        ``found`` from the network's magnitudes alone, so that what is heard is the network's; ``input``: the input's
        own, as in a stream. The slides do not say which was theirs.
    """

    def convert(audio: Float) -> Float:
        there = Stft(GRID, len(audio))
        spectra = there.forward(audio)
        magnitude = learned.magnitudes(np.abs(spectra))
        if phase == "found":
            return np.asarray(recover(magnitude, there, iterations=ROUNDS), np.float32)
        unit = spectra / np.maximum(np.abs(spectra), 1e-12)
        return there.inverse((magnitude * unit).astype(np.complex64))

    return convert


def by_method(method: str, to: str) -> Convert:
    """Return what turns a sound (n,) into another by a method of `terzetto.timbre.methods`, at amount 1.

    Parameters
    ----------
    method, to : str
        As for `terzetto.timbre.methods.open_conversion`: ``xsynth`` and a model, or a method and an audio file.
    """
    from terzetto.audio.files import ArrayTake
    from terzetto.timbre.methods import open_conversion
    from terzetto.timbre.stream import render

    def convert(audio: Float) -> Float:
        conversion = open_conversion(method, to, sample_rate=SAMPLE_RATE, channels=1)
        return cast(Float, np.concatenate(list(render(ArrayTake(audio, SAMPLE_RATE), conversion)), axis=1)[0])

    return convert
