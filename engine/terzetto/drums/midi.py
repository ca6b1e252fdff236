"""MIDI files ↔ beats. mido parses and writes; here ticks become quarter notes."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import mido
import numpy as np
from numpy.typing import NDArray

from terzetto.drums.beat import MOST_BARS, Beat, Meter, Tempo, bars_filled, midi_velocity
from terzetto.drums.drum_map import DrumMap, read_drum_map
from terzetto.errors import InputError, TerzettoWarning
from terzetto.score.midi_file import DRUM_CHANNEL, open_midi
from terzetto.whole_file import write_whole

# A multiple of the 480 and 192 that the data sets use, so their times are written back exactly.
TICKS_PER_QUARTER = 960
_NOTE_LENGTH = TICKS_PER_QUARTER // 4
_MICROSECONDS = 60e6


@dataclass
class _Found:
    """What a file holds: (tick, note, velocity) of the drums, notes on other channels, changes by tick."""

    hits: list[tuple[int, int, int]] = field(default_factory=list)
    elsewhere: Counter[int] = field(default_factory=Counter)
    tempi: dict[int, int] = field(default_factory=lambda: {0: 500_000})
    meters: dict[int, tuple[int, int]] = field(default_factory=lambda: {0: (4, 4)})
    end: int = 0


def read_beat(
    path: str | os.PathLike[str],
    *,
    channel: int | Literal["all"] = DRUM_CHANNEL + 1,
    drum_map: DrumMap | None = None,
) -> Beat:
    """Read the drums of a MIDI file, of all its tracks.

    Parameters
    ----------
    channel
        1 to 16, where the drums are (General MIDI: 10), or "all". Notes on other channels are left out, with a warning.
    drum_map
        What the notes mean; the published map unless given.

    Returns
    -------
    Beat
        With the file's tempi and time signatures. It ends with the file if that is on a bar line, else with the bar
        of the last hit, or later if the file goes on for more than half a bar.

    Raises
    ------
    InputError
        Not a MIDI file, damaged, of type 2 or SMPTE time; no drums on that channel; not a channel; more than 10,000
        bars.
    """
    path = Path(path)
    if channel != "all" and channel not in range(1, 17):
        raise InputError(f"{channel!r} is no MIDI channel; give 1 to 16 (drums are on 10), or all")
    midi = open_midi(path)
    found = _Found()
    for track in midi.tracks:
        _read_track(track, found, channel, path)
    if not found.hits:
        others = ", ".join(f"{number} on channel {each}" for each, number in sorted(found.elsewhere.items()))
        if others:
            raise InputError(
                f"{path}: no drums: no notes on channel {channel}, but {others}; if these are the drums, name their "
                "channel (--channel N, or all)"
            )
        raise InputError(f"{path}: no drums: the MIDI file has no notes")
    if found.elsewhere:
        warnings.warn(
            f"{path}: {found.elsewhere.total()} notes on other channels than {channel} were left out",
            TerzettoWarning,
            stacklevel=2,
        )
    return _beat(found, midi.ticks_per_beat, drum_map or read_drum_map(), path)


def write_beat(path: str | os.PathLike[str], beat: Beat, *, name: str = "drums") -> None:
    """Write a beat as a MIDI file of one track on the drum channel, whole or not at all.

    Hits before quarter 0 are written at 0: a MIDI file has no time before it. The track ends with the last bar, so it
    loops in a DAW.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    midi = to_midi(beat, name)

    def save(file: BinaryIO) -> None:
        midi.save(file=file)

    write_whole(Path(path), save)


def to_midi(beat: Beat, name: str = "drums") -> mido.MidiFile:
    """Return a beat as mido's MIDI file, 960 ticks a quarter note."""
    events: list[tuple[int, int, mido.Message | mido.MetaMessage]] = [
        (0, 0, mido.MetaMessage("track_name", name=name.encode("latin-1", "replace").decode("latin-1")))
    ]
    for meter in beat.meters:
        change = mido.MetaMessage("time_signature", numerator=meter.numerator, denominator=meter.denominator)
        events.append((_tick(meter.quarter), 1, change))
    for tempo in beat.tempi:
        microseconds = min(max(round(_MICROSECONDS / tempo.bpm), 1), 0xFFFFFF)
        events.append((_tick(tempo.quarter), 1, mido.MetaMessage("set_tempo", tempo=microseconds)))
    next_start: dict[int, int] = {}
    hits = zip(beat.onset[::-1], beat.note[::-1], beat.velocity[::-1], strict=True)
    for onset, number, loudness in hits:  # from the last on, so that a note ends before it is struck again
        start, note, velocity = _tick(max(onset, 0.0)), int(number), midi_velocity(loudness)
        stop = min(start + _NOTE_LENGTH, next_start.get(note, start + _NOTE_LENGTH))
        next_start[note] = start
        events.append((start, 3, mido.Message("note_on", channel=DRUM_CHANNEL, note=note, velocity=velocity)))
        # One struck twice at the same time: its end must not come before its beginning.
        events.append((stop, 2 if stop > start else 4, mido.Message("note_off", channel=DRUM_CHANNEL, note=note)))
    track, now = mido.MidiTrack(), 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(_tick(beat.length) - now, 0)))
    midi = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_QUARTER)
    midi.tracks.append(track)
    return midi


def _tick(quarter: float) -> int:
    return round(quarter * TICKS_PER_QUARTER)


def _read_track(track: mido.MidiTrack, found: _Found, channel: int | Literal["all"], path: Path) -> None:
    tick = 0
    for message in track:
        tick += message.time
        if message.type == "set_tempo":
            if message.tempo < 1:
                raise InputError(f"{path}: the MIDI file is damaged: a tempo without end")
            found.tempi[tick] = message.tempo
        elif message.type == "time_signature":
            if message.numerator < 1:
                raise InputError(f"{path}: the MIDI file is damaged: a time signature of 0/{message.denominator}")
            found.meters[tick] = (message.numerator, message.denominator)
        elif message.type == "note_on" and message.velocity > 0:
            if channel in ("all", message.channel + 1):
                found.hits.append((tick, message.note, message.velocity))
            else:
                found.elsewhere[message.channel + 1] += 1
    found.end = max(found.end, tick)


def _beat(found: _Found, ticks_per_quarter: int, drum_map: DrumMap, path: Path) -> Beat:
    ticks, notes, velocities = np.array(sorted(found.hits), np.int64).T
    onset, end = ticks / ticks_per_quarter, found.end / ticks_per_quarter
    tempi: list[Tempo] = []
    for tick, microseconds in sorted(found.tempi.items()):
        bpm = _MICROSECONDS / microseconds
        if not tempi or tempi[-1].bpm != bpm:
            tempi.append(Tempo(tick / ticks_per_quarter, bpm))
    meters: list[Meter] = []
    for tick, signature in sorted(found.meters.items()):
        meter = Meter(tick / ticks_per_quarter, *signature)
        if meters and meter.quarter >= max(onset[-1], end):
            break  # after everything: it counts for nothing
        if not meters or not _goes_on(meters[-1], meter):
            meters.append(meter)
    last = meters[-1]
    length = last.quarter + _bars(onset - last.quarter, end - last.quarter, last) * last.bar
    if length > MOST_BARS * min(meter.bar for meter in meters):
        raise InputError(
            f"{path}: {length:.0f} quarter notes; at most {MOST_BARS} bars are read: the file is damaged, or not in "
            "musical time"
        )
    velocity = (velocities / 127).astype(np.float32)
    kept = tuple(tempo for tempo in tempi if tempo.quarter < length)
    return Beat(onset, notes, velocity, kept, tuple(meters), length, drum_map)


def _bars(onset: NDArray[np.float64], end: float, meter: Meter) -> int:
    """Return how many bars a file has from its last time signature on.

    One that ends on a bar line says so itself. Others end somewhere: with the last hit, or after silence.
    """
    whole = round(end / meter.bar)
    if whole > 0 and abs(end - whole * meter.bar) < 1e-6 and onset[-1] < end:
        return whole
    return max(bars_filled(onset, meter), int(end / meter.bar + 0.5))


def _goes_on(before: Meter, after: Meter) -> bool:
    """Whether a time signature only repeats the one before, at one of its bar lines."""
    same = (before.numerator, before.denominator) == (after.numerator, after.denominator)
    bars = (after.quarter - before.quarter) / before.bar
    return same and abs(bars - round(bars)) < 1e-6
