"""Scores as CSV in the layout of the FMP notebooks: ``Start;Duration;Pitch;Velocity;Instrument``."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from terzetto.errors import InputError
from terzetto.score.notes import LEFT, RIGHT, UNKNOWN, Score

COLUMNS = ("start", "duration", "pitch", "velocity", "instrument")
HAND_NAMES = {
    "lh": LEFT,
    "l": LEFT,
    "left": LEFT,
    "left_hand": LEFT,
    "left hand": LEFT,
    "rh": RIGHT,
    "r": RIGHT,
    "right": RIGHT,
    "right_hand": RIGHT,
    "right hand": RIGHT,
}


def read_csv(path: Path) -> Score:
    """Read a CSV score; ``Instrument`` gives the hand (``lh``/``rh``, ``left``/``right``), else it is unknown.

    Separator ``;`` or ``,``; start and duration in seconds; velocity 0..1 (or 0..127) and instrument may be missing.

    Raises
    ------
    InputError
        Not text, missing columns, a row that is not numbers (the line is named), or no notes.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such score file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable CSV score ({error})") from None
    lines = text.splitlines()
    if not lines:
        raise InputError(f"{path}: the score file is empty")
    delimiter = ";" if lines[0].count(";") >= lines[0].count(",") else ","
    reader = csv.reader(lines, delimiter=delimiter)
    header = [name.strip().lower() for name in next(reader)]
    missing = [name for name in COLUMNS[:3] if name not in header]
    if missing:
        raise InputError(
            f"{path}: the CSV score has no column {missing[0]!r}; the first line must name "
            "Start;Duration;Pitch;Velocity;Instrument (seconds, seconds, MIDI pitch, 0..1, lh or rh)"
        )
    rows: list[tuple[float, float, int, float, str]] = []
    for fields in reader:
        if not any(field.strip() for field in fields):
            continue
        row = dict(zip(header, fields, strict=False))
        try:
            start, duration = float(row["start"]), float(row["duration"])
            pitch, velocity = int(float(row["pitch"])), float(row.get("velocity") or 0.5)
        except (KeyError, ValueError):
            raise InputError(
                f"{path}: line {reader.line_num} is not a note: {delimiter.join(fields)!r}; "
                "expected numbers for start, duration, pitch and velocity"
            ) from None
        rows.append((start, duration, pitch, velocity, row.get("instrument", "").strip()))
    if not rows:
        raise InputError(f"{path}: the CSV score has no notes")
    onset, duration_of, pitch_of, velocity_of, instrument = zip(*rows, strict=True)
    names = tuple(sorted(set(instrument)))
    loudest = max(velocity_of)
    return Score(
        np.array(onset),
        np.array(onset) + np.array(duration_of),
        np.array(pitch_of),
        np.array(velocity_of) / (127 if loudest > 1 else 1),
        np.array([HAND_NAMES.get(name.lower(), UNKNOWN) for name in instrument]),
        np.array([names.index(name) for name in instrument]),
        names,
    )
