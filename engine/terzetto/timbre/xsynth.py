"""X-Synth: a network trained on an instrument gives its timbre to what it hears (Gabrielli, Cella et al. 2018).

Their network gives out magnitudes only and loses pitches that it was not trained on, glides and vibrato, and the
dynamics; the energy, they say, is "for now handled outside the neural network". Here the pitch is carried around it
too. The network says at which pitch a frame sounds, and how strong the partials and the noise of the target would be
there; `Resynthesis` puts partials of that strength exactly where the input's lie.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from terzetto.timbre.conversion import Complex, Controls, mid
from terzetto.timbre.hearing import LOWEST, PER_OCTAVE, PITCHES, Hearing, Past
from terzetto.timbre.naming import split_instrument
from terzetto.timbre.resynthesis import Resynthesis
from terzetto.timbre.xsynth_model import TimbreModel, Wanted, open_timbre_model

Float = NDArray[np.float32]

_NEAR = 2  # steps of the scale around the likeliest that tell the pitch
_EMPTY_MID = 0.05  # of the channels' mean power: below this the mid says nothing of them


class XSynthConversion:
    """Plays what it hears in the timbre of a model.

    Parameters
    ----------
    model : TimbreModel
    sample_rate : float
        Of the stream.
    instrument : str, optional
        Which of the model's, while the controls name no place on its pad; the first if not given.
    """

    look_ahead = 0

    def __init__(self, model: TimbreModel, sample_rate: float, instrument: str | None = None) -> None:
        self.model = model
        self.grid = model.grid(sample_rate)
        self._own = model.share(instrument or model.instruments[0])
        self._hearing = Hearing(self.grid, with_past=model.low_latency)
        self._past = Past(self._hearing) if model.low_latency else None
        self._resynthesis = Resynthesis(self.grid, self._hearing.loudness)
        self._pad: tuple[tuple[float, float], Float] | None = None

    @property
    def instruments(self) -> dict[str, tuple[float, float]]:
        """Where on the pad, 0..1 each, the model's instruments lie."""
        return {name: (float(x), float(y)) for name, (x, y) in zip(self.model.instruments, self.model.pad, strict=True)}

    def reset(self) -> None:
        """Before the stream there was silence."""
        self.model.reset()
        self._resynthesis.reset()
        if self._past is not None:
            self._past.reset()

    def convert(self, spectra: Complex, controls: Controls) -> Complex:
        """Return the next frame in the other timbre; see `terzetto.timbre.conversion.Conversion`."""
        heard = _analysed(spectra)[None]
        ear = heard if self._past is None else self._past.next(heard[0])[None]
        level = self._hearing.level(heard)
        correlation = self._hearing.autocorrelation(ear)
        features = self._hearing.hear(ear, correlation, level)
        wanted = self.model.next(features[0], self._shares(controls))
        pitch = self._hearing.refine(correlation, np.array([likeliest(wanted)], np.float32))
        clarity = float(self._hearing.clarity(correlation, pitch)[0])
        made = self._resynthesis.frame(heard[0], wanted, float(pitch[0]), clarity, float(level[0]), controls.follow)
        if controls.amount == 0.0:
            return spectra
        return _between(spectra, self._in_place(spectra, heard[0], made), np.float32(controls.amount))

    def _shares(self, controls: Controls) -> Float:
        if controls.pad is None:
            return self._own
        if self._pad is None or self._pad[0] != controls.pad:
            self._pad = controls.pad, self.model.shares(*controls.pad)
        return self._pad[1]

    def _in_place(self, spectra: Complex, heard: Complex, made: Complex) -> Complex:
        """Return what was made of the mid, in each channel as loud as the channel was."""
        if len(spectra) == 1:
            return made[None]
        loudness = self._hearing.loudness
        each = loudness.of(spectra[:, None, :])
        whole = max(float(loudness.of(heard[None])), 1e-20)
        return cast(Complex, made * np.sqrt(each / whole)[:, None])


def _analysed(spectra: Complex) -> Complex:
    """Return the mid; of channels that cancel each other out, the louder one."""
    middle = mid(spectra)
    if len(spectra) == 1:
        return middle
    power = np.sum(np.abs(spectra) ** 2, axis=1)
    if np.sum(np.abs(middle) ** 2) < _EMPTY_MID * power.mean():
        return cast(Complex, spectra[power.argmax()])
    return middle


def likeliest(wanted: Wanted) -> np.float32:
    """Return the likeliest pitch in Hz, between the steps of the scale."""
    best = int(wanted.pitch.argmax())
    near = np.arange(max(best - _NEAR, 0), min(best + _NEAR + 1, PITCHES))
    step = np.sum(near * wanted.pitch[near]) / max(float(wanted.pitch[near].sum()), 1e-9)
    return np.float32(LOWEST * 2.0 ** (step / PER_OCTAVE))


def _between(before: Complex, after: Complex, amount: np.float32) -> Complex:
    """Return the morph of two frames: their levels in dB are interpolated bin by bin, their phases follow the louder.

    Partials that both have lie in the same place with the same phase, so none is cancelled on the way.
    """
    if amount == 1.0:
        return after
    least = np.float32(1e-4) * max(float(np.abs(before).max()), float(np.abs(after).max()), 1e-20)
    was, now = np.abs(before) + least, np.abs(after) + least
    blend = before + amount * (after - before)
    wanted = was ** (1 - amount) * now**amount
    # What is below the least is left as it is, so that amounts near 0 and 1 glide into what was and what is new.
    return cast(Complex, blend * (wanted / (np.abs(blend) + least)))


def open_xsynth(
    to: str, *, sample_rate: float, channels: int = 2, low_latency: bool = False, instrument: str | None = None
) -> XSynthConversion:
    """Open a model for a stream; see `terzetto.timbre.methods.open_conversion`.

    Parameters
    ----------
    to : str
        ``MODEL`` or ``MODEL:INSTRUMENT``, the model by name or path.
    instrument : str, optional
        Instead of the one in ``to``.

    Raises
    ------
    ModelError
        There is no such model, or it is for another task or of another version.
    InputError
        The model has no such instrument.
    """
    name, named = split_instrument(to)
    return XSynthConversion(open_timbre_model(name, low_latency=low_latency), sample_rate, instrument or named)
