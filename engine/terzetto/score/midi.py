"""MIDI files ↔ scores. mido parses and writes; here ticks become seconds and tracks become hands."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from pathlib import Path

import mido
import numpy as np

from terzetto.errors import InputError
from terzetto.score.midi_file import DRUM_CHANNEL, open_midi
from terzetto.score.notes import HANDS, LEFT, RIGHT, UNKNOWN, Score
from terzetto.whole_file import write_whole

SUSTAIN_PEDAL = 64
# A key pressed for no time at all still sounds; this is about one hammer's flight.
SHORTEST_NOTE = 0.01


def read_midi(path: Path) -> Score:
    """Read every note of a MIDI file, hands still unknown; a part is a track, or a channel of a file with one.

    Notes on the drum channel are left out. Sustain pedal (controller 64) of all tracks counts for all notes.

    Raises
    ------
    InputError
        Not a MIDI file, a MIDI file of type 2, or one without notes.
    """
    midi = open_midi(path, "score")
    clock = _Clock(midi)
    channels = [_channels(track) for track in midi.tracks]
    split_channels = sum(map(bool, channels)) <= 1 and max(map(len, channels), default=0) > 1
    rows: list[tuple[float, float, int, float, tuple[int, int]]] = []
    names: dict[tuple[int, int], str] = {}
    pedal_events: list[tuple[float, bool]] = []
    for number, track in enumerate(midi.tracks):
        sounding: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
        tick = 0
        for message in track:
            tick += message.time
            if message.is_meta or message.type not in ("note_on", "note_off", "control_change"):
                continue
            seconds = clock.seconds(tick)
            if message.channel == DRUM_CHANNEL:
                continue
            if message.type == "control_change":
                if message.control == SUSTAIN_PEDAL:
                    pedal_events.append((seconds, message.value >= 64))
                continue
            part = (number, message.channel if split_channels else 0)
            key = (message.channel, message.note)
            if message.type == "note_on" and message.velocity > 0:
                names.setdefault(part, f"channel {message.channel + 1}" if split_channels else _name(track))
                sounding[key].append((seconds, message.velocity / 127))
            elif sounding[key]:
                onset, velocity = sounding[key].pop(0)
                rows.append((onset, max(seconds, onset + SHORTEST_NOTE), message.note, velocity, part))
        end = clock.seconds(tick)
        for (channel, pitch), starts in sounding.items():  # keys the file never lets go
            part = (number, channel if split_channels else 0)
            rows += [(on, max(end, on + SHORTEST_NOTE), pitch, velocity, part) for on, velocity in starts]
    if not rows:
        raise InputError(f"{path}: the MIDI file has no notes")
    parts = sorted(names)
    onsets, offsets, pitches, velocities, part_of = zip(*rows, strict=True)
    return Score(
        np.array(onsets),
        np.array(offsets),
        np.array(pitches),
        np.array(velocities),
        np.full(len(rows), UNKNOWN),
        np.array([parts.index(part) for part in part_of]),
        tuple(names[part] for part in parts),
        _pedal_intervals(pedal_events, max(offsets)),
    )


def write_midi(score: Score, path: Path, ticks_per_second: int = 960) -> None:
    """Write a score as a two-track MIDI file (``right``, ``left``) at 120 beats a minute, whole or not at all.

    Notes whose hand is not known go to a third track, ``notes``.

    Raises
    ------
    InputError
        Notes before time 0.
    OutputError
        The file cannot be written; what was there before is untouched.
    """
    if (score.onset < 0).any():
        raise InputError(f"a MIDI file starts at 0; the score's first note is at {score.onset[0]:.3f} s")
    midi = mido.MidiFile(type=1, ticks_per_beat=ticks_per_second // 2)
    hands = (RIGHT, LEFT) if score.has_hands else (RIGHT, LEFT, UNKNOWN)
    for hand in hands:
        part = score.select(score.hand == hand)
        events = [
            (time, order, mido.Message(kind, note=int(pitch), velocity=int(np.clip(round(velocity * 127), 1, 127))))
            for onset, offset, pitch, velocity in zip(part.onset, part.offset, part.pitch, part.velocity, strict=True)
            for time, order, kind in ((onset, 1, "note_on"), (offset, 0, "note_off"))
        ]
        events += [
            (time, 2, mido.Message("control_change", control=SUSTAIN_PEDAL, value=value))
            for down, up in score.pedal
            for time, value in ((down, 127), (up, 0))
        ]
        track = mido.MidiTrack()
        track.append(mido.MetaMessage("track_name", name="notes" if hand == UNKNOWN else HANDS[hand]))
        tick = 0
        for time, _, message in sorted(events, key=lambda event: event[:2]):
            now = round(time * ticks_per_second)
            track.append(message.copy(time=max(now - tick, 0), channel=hand % 3))
            tick = max(now, tick)
        midi.tracks.append(track)
    write_whole(Path(path), lambda file: midi.save(file=file))


class _Clock:
    """Ticks to seconds under the file's tempo changes, which count for all tracks."""

    def __init__(self, midi: mido.MidiFile) -> None:
        changes = {0: 500_000}
        for track in midi.tracks:
            tick = 0
            for message in track:
                tick += message.time
                if message.type == "set_tempo":
                    changes[tick] = message.tempo
        self._per_beat = midi.ticks_per_beat
        self._ticks = sorted(changes)
        self._tempi = [changes[tick] for tick in self._ticks]
        self._starts = [0.0]
        for i in range(1, len(self._ticks)):
            span = self._ticks[i] - self._ticks[i - 1]
            self._starts.append(self._starts[-1] + span * self._tempi[i - 1] * 1e-6 / self._per_beat)

    def seconds(self, tick: int) -> float:
        i = bisect_right(self._ticks, tick) - 1
        return float(self._starts[i] + (tick - self._ticks[i]) * self._tempi[i] * 1e-6 / self._per_beat)


def _channels(track: mido.MidiTrack) -> set[int]:
    """Return the channels on which a track has notes."""
    return {message.channel for message in track if message.type == "note_on" and message.velocity > 0} - {DRUM_CHANNEL}


def _name(track: mido.MidiTrack) -> str:
    """Return a track's name; mido reads Latin-1, most programs write UTF-8."""
    try:
        return str(track.name).encode("latin-1").decode("utf-8")
    except UnicodeError:
        return str(track.name)


def _pedal_intervals(events: list[tuple[float, bool]], end: float) -> np.ndarray:
    """Merge pedal down/up events of all tracks into intervals; a pedal never lifted lasts to the end."""
    intervals: list[tuple[float, float]] = []
    down: float | None = None
    for time, pressed in sorted(events):
        if pressed and down is None:
            down = time
        elif not pressed and down is not None:
            if time > down:
                intervals.append((down, time))
            down = None
    if down is not None and end > down:
        intervals.append((down, end))
    return np.array(intervals, np.float64).reshape(-1, 2)
