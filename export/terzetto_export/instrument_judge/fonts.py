"""Which sound font is for what, so that models, judge and the sounds put in share no recording.

Checked by hashes of the fonts' samples: FluidR3 and MuseScore General share half of theirs and may teach models;
those of the judge share nothing with them but GeneralUser's cello; TimGM6mb's `INPUTS` are in none of the others.
"""

from __future__ import annotations

from terzetto_export.instrument_data.names import GENERAL_MIDI, PITCH_RANGES
from terzetto_export.transcription.sound_fonts import CSOUND, FLUID, MUSESCORE, TIM, SoundFont

GENERAL_USER = SoundFont(
    "GeneralUser-v1.47.sf2", "minuet-data", (0,), "free for any use", "GeneralUser GS 1.47, S. Christian Collins"
)
AIRFONT = SoundFont("A320U.sf2", "denemo-data", (0,), "GPL-2", "Airfont 320, Milton Paredes")
OF_MODELS = (FLUID, MUSESCORE)
OF_THE_JUDGE = (CSOUND, GENERAL_USER, AIRFONT)
OF_INPUTS = TIM

OTHER = "other"
"""The judge's class for all that is none of the ten."""
MORE_OF = {"saxophone": (64, 65, 67)}
"""Programs that are also an instrument: soprano, alto and baritone."""
OTHERS = {
    "piano": 0,
    "electric piano": 4,
    "harpsichord": 6,
    "celesta": 8,
    "vibraphone": 11,
    "marimba": 12,
    "drawbar organ": 16,
    "church organ": 19,
    "reed organ": 20,
    "accordion": 21,
    "harmonica": 22,
    "nylon guitar": 24,
    "steel guitar": 25,
    "clean guitar": 27,
    "distorted guitar": 30,
    "fingered bass": 33,
    "pizzicato": 45,
    "harp": 46,
    "choir aahs": 52,
    "voice oohs": 53,
    "whistle": 78,
    "square lead": 80,
    "saw lead": 81,
    "warm pad": 89,
    "sitar": 104,
    "banjo": 105,
}
OTHERS_RANGE = (36, 90)


def programs() -> list[tuple[str, int, tuple[int, int]]]:
    """Return what is rendered of each font: the class, the General MIDI program, and the lowest and highest note."""
    found = [(name, program, PITCH_RANGES[name]) for name, program in GENERAL_MIDI.items()]
    found += [(name, program, PITCH_RANGES[name]) for name, more in MORE_OF.items() for program in more]
    return found + [(OTHER, program, OTHERS_RANGE) for program in OTHERS.values()]
