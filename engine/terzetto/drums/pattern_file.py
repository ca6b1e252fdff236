"""The pattern as a MIDI file: what a producer drags to a track."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from terzetto.drums.bars import Bars, Settings
from terzetto.drums.beat import Beat
from terzetto.drums.drum_map import read_drum_map
from terzetto.drums.grid import Hvo
from terzetto.drums.midi import to_midi, write_beat

VARIED_BARS = 4
"""Bars of a file where each bar differs; else one bar says it all."""


def pattern_bars(bars: Bars, settings: Settings) -> list[Hvo]:
    """Return the song's first bars on the grid, as many as differ; swing and humanise play no part."""
    return [bars.pattern(settings, bar) for bar in range(_count(settings))]


def pattern_beat(bars: Bars, settings: Settings, tempo: float) -> Beat:
    """Return the song's first bars as a beat: as they are played, swing and variations in them.

    Parameters
    ----------
    tempo
        Beats a minute.
    """
    count = _count(settings)
    hits = [hit for bar in range(count) for hit in bars.hits(settings, bar)]
    drum_map = read_drum_map()
    notes = [int(drum_map.note_of_drum[hit.drum]) for hit in hits]
    onsets, velocities = [hit.quarter for hit in hits], [hit.velocity for hit in hits]
    return Beat.of(onsets, notes, velocities, tempo=tempo, bars=count, drum_map=drum_map)


def written_pattern(bars: Bars, settings: Settings, tempo: float) -> bytes:
    """Return the bytes of a MIDI file."""
    file = BytesIO()
    to_midi(pattern_beat(bars, settings, tempo), "Terzetto Drums").save(file=file)
    return file.getvalue()


def write_pattern(path: Path, bars: Bars, settings: Settings, tempo: float) -> None:
    """Write a MIDI file, whole or not at all; raises `OutputError`."""
    write_beat(path, pattern_beat(bars, settings, tempo), name="Terzetto Drums")


def _count(settings: Settings) -> int:
    return VARIED_BARS if settings.varies else 1
