"""Instruments of General MIDI sound fonts: any melody on any program, dry, by fluidsynth."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import read_audio
from terzetto.errors import InputError
from terzetto_export.instrument_data.recordings import SAMPLE_RATE, SILENT, Recording
from terzetto_export.transcription.sound_fonts import SoundFont

Float = NDArray[np.float32]
GAP = 0.15
"""Seconds of silence that a single note has after its release's end."""
RELEASE = 0.5
"""Seconds in which a released note dies away."""
_TICKS = 960  # a second: the tempo is 60


@dataclass(frozen=True)
class Note:
    """A note of a melody: onset and duration in seconds, MIDI pitch, velocity 1..127, bend in cents over its time.

    ``bend`` holds pairs of a time after the onset and a deviation of at most 1200 cents either way.
    """

    onset: float
    duration: float
    pitch: int
    velocity: int = 90
    bend: tuple[tuple[float, float], ...] = ()


def render_notes(
    notes: Iterable[Note], font: Path, program: int, *, sample_rate: int = SAMPLE_RATE, seconds: float | None = None
) -> Float:
    """Return notes as a program of a sound font plays them: mono (frames,), dry, not scaled.

    Parameters
    ----------
    program
        General MIDI, from 0.
    seconds
        How long the result is; None for until half a second after the last release.

    Raises
    ------
    InputError
        fluidsynth is missing, or it failed.
    """
    if shutil.which("fluidsynth") is None:
        raise InputError("rendering notes needs fluidsynth: apt-get install fluidsynth")
    notes = list(notes)
    length = max(note.onset + note.duration for note in notes) + RELEASE if seconds is None else seconds
    with tempfile.TemporaryDirectory(prefix="terzetto-render-") as folder:
        midi, audio = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        midi_of(notes, program, length).save(midi)
        command = ["fluidsynth", "-ni", "-q", "-g", "0.6", "-R", "0", "-C", "0", "-r", str(sample_rate), "-T", "wav"]
        command += ["-o", "synth.dynamic-sample-loading=1", "-F", str(audio), str(font), str(midi)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode or not audio.is_file():
            raise InputError(f"fluidsynth failed with {font.name}: {done.stderr.strip()[-300:]}")
        mono = read_audio(audio)[0].mean(axis=0)
    frames = round(length * sample_rate)
    return np.ascontiguousarray(np.pad(mono, (0, max(frames - len(mono), 0)))[:frames], np.float32)


def midi_of(notes: Sequence[Note], program: int, seconds: float) -> mido.MidiFile:
    """Return notes as a MIDI file whose bend range is an octave."""
    events: list[tuple[float, int, mido.Message]] = []
    for note in notes:
        off = note.onset + note.duration
        events.append((note.onset, 3, mido.Message("note_on", note=note.pitch, velocity=note.velocity)))
        events.append((off, 1, mido.Message("note_off", note=note.pitch)))
        for after, cents in note.bend:
            wheel = int(np.clip(round(cents / 1200 * 8192), -8192, 8191))
            events.append((note.onset + after, 2, mido.Message("pitchwheel", pitch=wheel)))
        if note.bend:
            events.append((off + RELEASE / 2, 0, mido.Message("pitchwheel", pitch=0)))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000)])
    track.append(mido.Message("program_change", program=program))
    for control, value in ((101, 0), (100, 0), (6, 12), (38, 0)):
        track.append(mido.Message("control_change", control=control, value=value))
    tick = 0
    for time, _, message in sorted(events, key=lambda event: event[:2]):
        now = round(time * _TICKS)
        track.append(message.copy(time=now - tick))
        tick = now
    track.append(mido.MetaMessage("end_of_track", time=max(round(seconds * _TICKS) - tick, 0)))
    return mido.MidiFile(type=0, ticks_per_beat=_TICKS, tracks=[track])


def read_sound_font(
    font: SoundFont,
    programs: Mapping[str, int],
    pitches: Mapping[str, Sequence[int]],
    *,
    velocities: Sequence[int] = (50, 80, 110),
    duration: float = 1.0,
    sample_rate: int = SAMPLE_RATE,
) -> list[Recording]:
    """Return single notes of some of a font's instruments; an instrument of a font is one unit, all training.

    Parameters
    ----------
    programs, pitches
        By the instrument's name: General MIDI program from 0, and MIDI notes.
    duration
        Seconds from onset to release; a recording goes on for 0.65 s.

    Raises
    ------
    InputError
        The font or fluidsynth is missing.
    """
    path = font.find()
    recordings = []
    step = duration + RELEASE + GAP
    for instrument, program in programs.items():
        keys = [(pitch, velocity) for pitch in pitches[instrument] for velocity in velocities]
        notes = [Note(i * step, duration, pitch, velocity) for i, (pitch, velocity) in enumerate(keys)]
        audio = render_notes(notes, path, program, sample_rate=sample_rate, seconds=step * len(notes))
        for (pitch, velocity), note in zip(keys, notes, strict=True):
            first = round(note.onset * sample_rate)
            sound = audio[first : first + round(step * sample_rate)]
            if np.abs(sound).max(initial=0.0) < SILENT:
                continue
            unit = f"{path.stem}/{instrument}"
            recordings.append(
                Recording(path, sound, sample_rate, instrument, pitch, str(velocity), unit, source=path.stem)
            )
    return recordings
