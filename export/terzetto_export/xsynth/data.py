"""What is trained on: the instruments of the shipped models, or a user's own recordings, taken apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.timbre.conversion import WINDOW
from terzetto_export.drum_data.files import split_groups
from terzetto_export.instrument_data.names import GENERAL_MIDI, PITCH_RANGES
from terzetto_export.instrument_data.own import read_own, warn_of_faults, with_held_out_end
from terzetto_export.instrument_data.philharmonia import read_philharmonia
from terzetto_export.instrument_data.recordings import SAMPLE_RATE, Recording, Tell
from terzetto_export.instrument_data.sound_font_notes import read_sound_font
from terzetto_export.xsynth.analysis import Sound, take_apart
from terzetto_export.xsynth.ear import Ear, notes_of
from terzetto_export.xsynth.phrases import Target
from terzetto_export.xsynth.sources import FLUID_R3, FONT, INSTRUMENTS, PHILHARMONIA

Float = NDArray[np.float32]

LEVELS = {
    "pianissimo": -26.0,
    "piano": -21.0,
    "mezzo-piano": -18.0,
    "mezzo-forte": -15.0,
    "forte": -11.0,
    "fortissimo": -7.0,
}
"""How loud a note of a dynamic is made, in dB: most of the collections' notes have been levelled. So that what comes in
with peaks at half of full scale is played mezzo-forte to forte, not beyond the loudest note that was learned."""
VELOCITIES = {40: -21.0, 75: -14.0, 110: -8.0}
_OWN_LEVEL = -14.0
"""dB of the loudest 50 ms of one's own recordings, the median over an instrument's files."""
_SOFTER = np.float32(0.125)
"""The shipped ear is surest of what is not loud: a steady tone of few partials may pass for a chord else."""
_LEAST_SECONDS = 3.0


@dataclass(frozen=True)
class Data:
    """Targets by split, and the files that they come from."""

    training: list[Target]
    validation: list[Target]
    files: list[Path]
    seconds: float


def analysis_grid(hop_length: int, sample_rate: float = SAMPLE_RATE) -> FrameGrid:
    """Return the grid on which sounds are taken apart: the usual window, the stream's hop."""
    return FrameGrid(sample_rate, FrameGrid.from_seconds(sample_rate, WINDOW).n_fft, hop_length)


def read_instruments(grid: FrameGrid, tell: Tell) -> Data:
    """Return the instruments of the shipped models.

    Raises
    ------
    InputError
        The notes, the sound font or fluidsynth are missing.
    """
    recordings = read_philharmonia(tell, sample_rate=SAMPLE_RATE, instruments=PHILHARMONIA)
    programs = {name: GENERAL_MIDI[name] for name in FLUID_R3}
    pitches: dict[str, Sequence[int]] = {}
    for name in FLUID_R3:
        lowest, highest = PITCH_RANGES[name]
        pitches[name] = range(lowest, highest + 1)
    rendered = read_sound_font(FONT, programs, pitches, velocities=tuple(VELOCITIES))
    # A pitch is a unit here too.
    for name in FLUID_R3:
        own = [each for each in rendered if each.instrument == name]
        split = split_groups(f"{each.unit}/{each.pitch}" for each in own)
        recordings += [replace(each, split=split[f"{each.unit}/{each.pitch}"]) for each in own]
    tell(f"taking {len(recordings)} notes apart")
    sounds = [(each, _note(each, grid)) for each in recordings]

    def targets(split: str) -> list[Target]:
        return [
            Target.of(name, [sound for each, sound in sounds if (each.instrument, each.split) == (name, split)])
            for name in INSTRUMENTS
        ]

    files = sorted({each.path for each in recordings})
    return Data(targets("train"), targets("validation"), files, sum(each.seconds for each in recordings))


def read_recordings(paths: Sequence[Path], grid: FrameGrid, ear: Ear, tell: Callable[[str], None]) -> Data:
    """Return a user's recordings, one target for each instrument; the end of each recording is held out.

    Raises
    ------
    InputError
        Nothing can be used, or there is too little of it.

    Warns
    -----
    TerzettoWarning
        Of what is wrong with them; see `warn_of_faults`.
    """
    recordings = read_own(paths, tell, sample_rate=SAMPLE_RATE)
    seconds = sum(each.seconds for each in recordings)
    if seconds < _LEAST_SECONDS:
        raise InputError(
            f"{', '.join(map(str, paths))}: {seconds:.1f} s of sound; a timbre takes at least {_LEAST_SECONDS:.0f} s, "
            "and gets good from 30 s to 2 minutes of one instrument, at all its pitches and loudnesses"
        )
    warn_of_faults(recordings)
    names = sorted({each.instrument for each in recordings})
    gains = {name: _own_gain([each.audio for each in recordings if each.instrument == name]) for name in names}
    parts = with_held_out_end(recordings)
    taken = [(each, _phrase(each.audio * gains[each.instrument], grid, ear)) for each in parts]

    def targets(split: str) -> list[Target]:
        found = []
        for name in names:
            sounds = [sound for each, all_ in taken if (each.instrument, each.split) == (name, split) for sound in all_]
            if sounds:
                found.append(Target.of(name, sounds))
        return found

    training = targets("train")
    if not training:
        raise InputError(
            f"{', '.join(map(str, paths))}: no sound of 0.1 s or more in it that stands out; see the levels"
        )
    return Data(training, targets("validation") or training, sorted({each.path for each in recordings}), seconds)


def _note(recording: Recording, grid: FrameGrid) -> Sound:
    assert recording.pitch is not None
    level = LEVELS.get(recording.dynamic)
    if level is None:
        level = VELOCITIES[int(recording.dynamic)]
    audio = recording.audio * np.float32(10 ** ((level - _loudest(recording.audio)) / 20))
    return take_apart(audio, 440.0 * 2.0 ** ((recording.pitch - 69) / 12), grid)


def _phrase(audio: Float, grid: FrameGrid, ear: Ear) -> list[Sound]:
    pitch = ear.pitches(_SOFTER * audio)
    frames = grid.frames_for(len(audio))
    # The ear's frames and the analysis' are as far apart, so they are the same ones.
    pitch = np.pad(pitch[:frames], (0, max(frames - len(pitch), 0)))
    return notes_of(take_apart(audio, pitch, grid))


def _own_gain(recordings: Sequence[Float]) -> np.float32:
    """Return one factor for all recordings of an instrument, so that soft files stay softer than loud ones."""
    return np.float32(10 ** ((_OWN_LEVEL - float(np.median([_loudest(audio) for audio in recordings]))) / 20))


def _loudest(audio: Float) -> float:
    """Return the root mean square of the loudest 50 ms, in dB."""
    power = np.convolve(audio**2, np.full(2048, 1 / 2048, np.float32), "same")[::256]
    return float(10 * np.log10(max(float(power.max()), 1e-12)))
