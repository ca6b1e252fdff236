"""What the shipped models of instruments are trained on.

Eight instruments are the Philharmonia's notes. Trumpet and violin are Fluid R3's (MIT); MuseScore General holds the
same samples of these two, so neither font's trumpet or violin may train a judge of them, or be put in for a test. What
goes *in* while training is synthetic (waveforms drawn at random), so any other sound is new to the model.
"""

from __future__ import annotations

from terzetto_export.transcription.sound_fonts import FLUID

PHILHARMONIA = ("bassoon", "cello", "clarinet", "flute", "french_horn", "oboe", "saxophone", "trombone")
FLUID_R3 = ("trumpet", "violin")
INSTRUMENTS = tuple(sorted(PHILHARMONIA + FLUID_R3))
FONT = FLUID
