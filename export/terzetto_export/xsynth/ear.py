"""The ear of a trained model: which pitches it hears in a recording, and what notes these make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from terzetto.timbre.hearing import Hearing
from terzetto.timbre.xsynth import likeliest
from terzetto.timbre.xsynth_model import TimbreModel
from terzetto_export.instrument_data.recordings import SAMPLE_RATE
from terzetto_export.xsynth.analysis import ENVELOPE_HOP, Sound

Float = NDArray[np.float32]

_SURE = 0.5
_APART = 0.7  # semitones: a step to another note
_SHORTEST = 0.1  # seconds of a note
_SILENT = 45.0  # dB below the loudest


class Ear:
    """Hears the pitches of whole recordings at `SAMPLE_RATE`.

    Parameters
    ----------
    model : TimbreModel
        With the hop of the frames that are wanted.
    """

    def __init__(self, model: TimbreModel) -> None:
        self._model = model
        self.grid = model.grid(SAMPLE_RATE)
        self._hearing = Hearing(self.grid, with_past=model.low_latency)

    def pitches(self, audio: Float) -> Float:
        """Return the fundamentals in Hz (frames,), 0 where no single pitch is heard."""
        self._model.reset()
        spectra, ear = self._hearing.spectra(audio)
        correlation = self._hearing.autocorrelation(ear)
        features = self._hearing.hear(ear, correlation, self._hearing.level(spectra))
        share = self._model.share(self._model.instruments[0])
        found = np.zeros(len(features), np.float32)
        for frame, heard in enumerate(features):
            wanted = self._model.next(heard, share)
            if wanted.pitch.sum() > _SURE and wanted.harmonic > _SURE:
                found[frame] = likeliest(wanted)
        voiced = found > 0
        if voiced.any():
            found[voiced] = self._hearing.refine(correlation[voiced], found[voiced])
        return found


def notes_of(sound: Sound) -> list[Sound]:
    """Return the notes of a phrase: stretches of one pitch, or of none, that are not silent."""
    loud = sound.level > max(float(sound.level.max()) - _SILENT, -75.0)
    step = np.where(sound.pitch > 0, 12 * np.log2(np.maximum(sound.pitch, 1.0) / 440.0), -99.0)
    shortest = max(round(_SHORTEST * SAMPLE_RATE / sound.hop), 3)
    notes, first = [], 0
    for frame in range(1, len(sound) + 1):
        inside = frame < len(sound) and loud[frame] == loud[first]
        if inside and abs(step[frame] - np.median(step[first:frame])) < _APART:
            continue
        if loud[first] and frame - first >= shortest:
            notes.append(_part(sound, first, frame))
        first = frame
    return notes


def _part(sound: Sound, first: int, last: int) -> Sound:
    fine = slice(first * sound.hop // ENVELOPE_HOP, -(-last * sound.hop // ENVELOPE_HOP))
    here = slice(first, last)
    return replace(
        sound,
        pitch=sound.pitch[here],
        level=sound.level[here],
        partials=sound.partials[here],
        noise=sound.noise[here],
        bands=sound.bands[here],
        envelope=sound.envelope[fine],
    )
