"""MIDI files as mido opens them, and what is wrong with those it does not."""

from __future__ import annotations

from pathlib import Path

import mido

from terzetto.errors import InputError

DRUM_CHANNEL = 9  # General MIDI's channel 10, counted from 0


def open_midi(path: Path, what: str = "MIDI") -> mido.MidiFile:
    """Parse a MIDI file of type 0 or 1 with ticks per beat.

    Parameters
    ----------
    what
        What a message calls the file when it is not there.

    Raises
    ------
    InputError
        Missing, not a MIDI file, damaged, of type 2, or timed by SMPTE frames.
    """
    try:
        midi = mido.MidiFile(path, clip=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such {what} file") from None
    except OSError as error:
        raise InputError(f"{path}: not a readable MIDI file ({error.strerror or error})") from None
    except Exception as error:  # mido's parser lets many kinds out
        reason = str(error) or "unexpected end"
        raise InputError(f"{path}: the MIDI file is damaged or cut short ({reason})") from None
    if midi.type == 2:
        raise InputError(f"{path}: MIDI files of type 2 (independent songs) are not supported; save it as type 1")
    if midi.ticks_per_beat & 0x8000 or midi.ticks_per_beat <= 0:
        raise InputError(f"{path}: SMPTE time division is not supported; save the file with ticks per beat")
    return midi
