"""The networks of X-Synth: which instruments one knows, where they lie on its pad, and one frame after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError, ModelError
from terzetto.models import VERSIONS, Model, find_model, identity
from terzetto.timbre.conversion import LOW_WINDOW, WINDOW
from terzetto.timbre.hearing import FEATURES, PITCHES
from terzetto.timbre.naming import sibling
from terzetto.timbre.partials import BANDS, PARTIALS

Float = NDArray[np.float32]

TASK = "timbre"
VERSION = VERSIONS[TASK]
"""Of what the network hears and gives out. Models of another cannot be used."""
_SHEPARD = 4  # the power of the distance: on an instrument's place there is that instrument alone


@dataclass(frozen=True)
class Wanted:
    """What the network says of a frame.

    Attributes
    ----------
    pitch : float32 (PITCHES,)
        How likely each step of the scale is; what lacks to 1 is the chance of no pitch.
    harmonic : float
        How sure it is that one harmonic sound is heard, 0..1.
    partials, noise, bands : float32
        In the wanted timbre, dB relative to the frame's level: amplitudes of partials; densities a Hz in bands of the
        noise and of everything.
    level : float
        What the target's level would be, in dB.
    """

    pitch: Float
    harmonic: float
    partials: Float
    noise: Float
    bands: Float
    level: float


class TimbreModel:
    """A model, opened, with the state of a stream.

    Attributes
    ----------
    name : str
    path : Path
    instruments : tuple of str
    pad : float64 (instruments, 2)
        Where they lie, 0..1.
    low_latency : bool
        Whether it was trained on the short window.
    """

    def __init__(self, model: Model) -> None:
        constants = model.constants
        self.name, self.path = model.name, model.path
        self.instruments = tuple(str(name) for name in constants["instruments"])
        self.pad = np.asarray(constants["pad"], np.float64)
        self.low_latency = bool(constants["low_latency"])
        self._session = model.session
        self._states = {
            each.name: int(each.shape[1])
            for each in model.session.get_inputs()
            if each.name not in ("features", "timbre")
        }
        self._outputs = [each.name for each in model.session.get_outputs()]
        self.reset()

    def reset(self) -> None:
        """Before the stream there was silence."""
        self._state = {name: np.zeros((1, size), np.float32) for name, size in self._states.items()}

    def grid(self, sample_rate: float) -> FrameGrid:
        """Return the frames that it was trained on, at a sample rate."""
        return FrameGrid.from_seconds(sample_rate, LOW_WINDOW if self.low_latency else WINDOW)

    def share(self, instrument: str) -> Float:
        """Return the shares (instruments,) of one instrument alone.

        Raises
        ------
        InputError
            The model does not know it.
        """
        if instrument not in self.instruments:
            raise InputError(f"{self.name} has no instrument {instrument!r}; it has: {', '.join(self.instruments)}")
        return cast(Float, (np.array(self.instruments) == instrument).astype(np.float32))

    def shares(self, x: float, y: float) -> Float:
        """Return the shares (instruments,) of the instruments at a place on the pad, 1 together."""
        distance = np.sum((self.pad - (x, y)) ** 2, axis=1) ** (_SHEPARD / 2)
        weight = 1.0 / np.maximum(distance, 1e-9)
        return cast(Float, (weight / weight.sum()).astype(np.float32))

    def next(self, features: Float, shares: Float) -> Wanted:
        """Return what is wanted for the next frame (FEATURES,) in a timbre (instruments,)."""
        feed = {"features": features.reshape(1, 1, FEATURES), "timbre": shares.reshape(1, 1, -1), **self._state}
        found: dict[str, Any] = dict(zip(self._outputs, self._session.run(None, feed), strict=True))
        self._state = {name: found[f"{name}_next"] for name in self._states}
        return Wanted(
            found["pitch"].reshape(-1)[:PITCHES],
            float(found["harmonic"].item()),
            found["partials"].reshape(PARTIALS),
            found["noise"].reshape(BANDS),
            found["bands"].reshape(BANDS),
            float(found["level"].item()),
        )


def open_timbre_model(name: str, *, low_latency: bool = False) -> TimbreModel:
    """Open a model by its name or path.

    Parameters
    ----------
    low_latency
        Take its sibling with the short window, whose name ends in ``_low``, unless it is one itself.

    Raises
    ------
    ModelError
        There is none, or it is for another task or of another version.
    """
    meant = sibling(name, low_latency)
    if meant != name and identity(name) is not None and identity(meant) is None:
        raise ModelError(
            f"{name} has no sibling {meant} for low latency: train it (terzetto train timbre --low-latency), or take "
            "the usual window"
        )
    return TimbreModel(find_model(TASK, meant, threads=1))
