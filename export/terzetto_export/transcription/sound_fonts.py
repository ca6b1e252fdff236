"""Pianos: performances rendered by fluidsynth with sound fonts that Debian ships."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import read_audio
from terzetto.audio.pitch_spectra import SAMPLE_RATE
from terzetto.errors import InputError
from terzetto.score.notes import Score

Float = NDArray[np.float32]
_TICKS_PER_SECOND = 960
_FOLDERS = ("/usr/share/sounds/sf2", "/usr/share/sounds/sf3", "/usr/share/soundfonts", "/usr/share/minuet/soundfonts")
_BEND_RANGE = 200.0  # cents: General MIDI's two semitones
# Keys of one channel share a tuning: a register is about an octave wide; channel 10 is for drums.
_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True)
class SoundFont:
    """A file, the Debian package that has it, its pianos (bank-0 programs, the first the most often), its licence."""

    file: str
    package: str
    programs: tuple[int, ...]
    licence: str
    source: str

    def find(self) -> Path:
        """Return where it is; raise `InputError` with the package's name if it is not installed."""
        extra = os.environ.get("TERZETTO_SOUND_FONTS")
        for folder in ([extra] if extra else []) + list(_FOLDERS):
            if (path := Path(folder) / self.file).is_file():
                return path
        raise InputError(
            f"the sound font {self.file} is not there: apt-get install {self.package}, or give its folder in "
            "TERZETTO_SOUND_FONTS"
        )


FLUID = SoundFont("FluidR3_GM.sf2", "fluid-soundfont-gm", (0, 0, 1), "MIT", "Fluid R3 GM, Frank Wen")
MUSESCORE = SoundFont(
    "MuseScore_General_Full.sf2",
    "musescore-general-soundfont-lossless",
    (0, 0, 1),
    "MIT, its pianos' samples public domain",
    "MuseScore General HQ, S. Christian Collins; AKAI Splendid Grand samples",
)
CSOUND = SoundFont("sf_GMbank.sf2", "csound-soundfont", (0, 1, 2, 3), "public domain", "Csound's GM bank")
TIM = SoundFont("TimGM6mb.sf2", "timgm6mb-soundfont", (0, 1, 2), "GPL-2", "TimGM6mb, Tim Brechbill")
TRAINING = (FLUID, MUSESCORE, CSOUND)
HELD_OUT = TIM


def require(fonts: Sequence[SoundFont]) -> None:
    """Raise `InputError` with what to install if fluidsynth or a sound font is missing."""
    if shutil.which("fluidsynth") is None:
        raise InputError("rendering the training data needs fluidsynth: apt-get install fluidsynth")
    missing = []
    for font in fonts:
        try:
            font.find()
        except InputError:
            missing.append(font.package)
    if missing:
        raise InputError(
            f"sound fonts are missing: apt-get install {' '.join(missing)} (or give the folder of their files in "
            "TERZETTO_SOUND_FONTS)"
        )


def render(score: Score, font: SoundFont, program: int, random: np.random.Generator) -> Float:
    """Render a performance, dry, in stereo (2, frames) at 22,050 Hz, on a piano tuned in its own way.

    Raises
    ------
    InputError
        fluidsynth or the sound font is missing, or it failed.
    """
    require([font])
    with tempfile.TemporaryDirectory(prefix="terzetto-render-") as folder:
        midi, audio = Path(folder) / "score.mid", Path(folder) / "audio.wav"
        _midi(score, program, random).save(midi)
        command = ["fluidsynth", "-ni", "-q", "-g", "0.4", "-R", "0", "-C", "0", "-r", str(SAMPLE_RATE), "-T", "wav"]
        command += ["-o", "synth.dynamic-sample-loading=1", "-o", "synth.polyphony=512", "-F", str(audio)]
        done = subprocess.run(
            [*command, str(font.find()), str(midi)], capture_output=True, text=True, check=False, timeout=600
        )
        if done.returncode or not audio.is_file():
            raise InputError(f"fluidsynth failed with {font.file}: {done.stderr.strip()[-300:]}")
        return read_audio(audio)[0]


def _midi(score: Score, program: int, random: np.random.Generator) -> mido.MidiFile:
    midi = mido.MidiFile(type=0, ticks_per_beat=_TICKS_PER_SECOND // 2)
    tuning, stretch = random.uniform(-30, 30), random.uniform(0, 12)
    events: list[tuple[float, int, mido.Message]] = []
    for channel in _CHANNELS:
        cents = tuning + stretch * ((channel - 3.5) / 4) ** 3 + random.normal(0, 2)
        bend = int(np.clip(round(cents / _BEND_RANGE * 8192), -8191, 8191))
        events.append((0.0, 0, mido.Message("program_change", channel=channel, program=program)))
        events.append((0.0, 0, mido.Message("pitchwheel", channel=channel, pitch=bend)))
        for down, up in score.pedal:
            events.append((down, 3, mido.Message("control_change", channel=channel, control=64, value=127)))
            events.append((up, 1, mido.Message("control_change", channel=channel, control=64, value=0)))
    for onset, offset, pitch, velocity in zip(score.onset, score.offset, score.pitch, score.velocity, strict=True):
        key = {"channel": _CHANNELS[(int(pitch) - 21) // 11], "note": int(pitch)}
        events.append((onset, 4, mido.Message("note_on", velocity=int(np.clip(round(velocity * 127), 1, 127)), **key)))
        events.append((offset, 2, mido.Message("note_off", velocity=64, **key)))
    track = mido.MidiTrack()
    tick = 0
    for time, _, message in sorted(events, key=lambda event: event[:2]):
        now = round(time * _TICKS_PER_SECOND)
        track.append(message.copy(time=now - tick))
        tick = now
    track.append(mido.MetaMessage("end_of_track", time=_TICKS_PER_SECOND * 2))
    midi.tracks.append(track)
    return midi
