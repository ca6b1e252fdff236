"""Drums of General MIDI sound fonts: acoustic and electronic kits whose notes say what they are.

Four of them teach the judge; another one helps to choose what the sound model draws about (`strangers`). No kit of the
licensed one-shots comes from a sound font.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import read_audio
from terzetto.drums.drum_map import NONE, read_drum_map
from terzetto.errors import InputError
from terzetto_export.drum_sounds.one_shots import SAMPLE_RATE, SILENT, OneShot, Tell
from terzetto_export.transcription.sound_fonts import CSOUND, FLUID, MUSESCORE, TIM, SoundFont

FONTS = (FLUID, MUSESCORE, CSOUND, TIM)
KITS = {0: "standard", 8: "room", 16: "power", 24: "electronic", 25: "TR-808", 32: "jazz", 40: "brush"}
"""Programs of the drum channel (Roland GS)."""
NOTES = tuple(range(35, 82))
VELOCITIES = (60, 115)
SECONDS = 2.0
"""From one stroke to the next; a sound is what is heard of it in the first 1.5 s."""
HEARD = 1.5
_TICKS = 480  # a beat, which is half a second


def read_sound_fonts(tell: Tell, fonts: Sequence[SoundFont] = FONTS) -> list[OneShot]:
    """Return the drums of the sound fonts that are installed; the others are named, and so is a missing fluidsynth.

    A kit that a font has not sounds as another of it: the same sound counts once.
    """
    if shutil.which("fluidsynth") is None:
        tell("no drums of sound fonts: fluidsynth is not there (apt-get install fluidsynth)")
        return []
    sounds: list[OneShot] = []
    for font in fonts:
        try:
            path = font.find()
        except InputError as problem:
            tell(f"without its drums: {problem}")
            continue
        met: set[bytes] = set()
        for program, name in KITS.items():
            audio = _render(path, program)
            for start, (_, sound_class) in enumerate(_strokes()):
                first = round(start * SECONDS * SAMPLE_RATE)
                sound = audio[first : first + round(HEARD * SAMPLE_RATE)]
                key = np.round(sound[:8192:16], 4).tobytes()
                if np.abs(sound).max(initial=0.0) < SILENT or key in met:
                    continue
                met.add(key)
                sounds.append(OneShot(path, sound, sound_class, f"{path.stem}/{name}", path.stem))
    return sounds


def _strokes() -> list[tuple[int, int]]:
    """Return notes and their classes, in the order in which they are struck, each as often as there are velocities."""
    classes = read_drum_map().class_of_note
    return [(note, int(classes[note])) for note in NOTES if classes[note] != NONE for _ in VELOCITIES]


def _render(font: Path, program: int) -> NDArray[np.float32]:
    """Return all strokes of a kit, one after the other, mono at 44.1 kHz, dry."""
    track = mido.MidiTrack([mido.Message("program_change", channel=9, program=program)])
    beats = round(SECONDS / 0.5)
    for number, (note, _) in enumerate(_strokes()):
        velocity = VELOCITIES[number % len(VELOCITIES)]
        track.append(mido.Message("note_on", channel=9, note=note, velocity=velocity))
        track.append(mido.Message("note_off", channel=9, note=note, time=(beats - 1) * _TICKS))
        track.append(mido.Message("note_off", channel=9, note=note, time=_TICKS))
    with tempfile.TemporaryDirectory(prefix="terzetto-render-") as folder:
        midi, audio = Path(folder) / "kit.mid", Path(folder) / "kit.wav"
        mido.MidiFile(type=0, ticks_per_beat=_TICKS, tracks=[track]).save(midi)
        command = ["fluidsynth", "-ni", "-q", "-g", "0.6", "-R", "0", "-C", "0", "-r", str(SAMPLE_RATE), "-T", "wav"]
        command += ["-o", "synth.dynamic-sample-loading=1", "-F", str(audio), str(font), str(midi)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode or not audio.is_file():
            raise InputError(f"fluidsynth failed with {font.name}: {done.stderr.strip()[-300:]}")
        return np.ascontiguousarray(read_audio(audio)[0].mean(axis=0))
