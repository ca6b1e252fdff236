"""Scores as CSV in the layout of the FMP notebooks: ``Start;Duration;Pitch;Velocity;Instrument``."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    header = [name.strip().lower() for name in next(_rows(reader, path))]
    missing = [name for name in COLUMNS[:3] if name not in header]
    if missing:
        raise InputError(
            f"{path}: the CSV score has no column {missing[0]!r}; the first line must name "
            "Start;Duration;Pitch;Velocity;Instrument (seconds, seconds, MIDI pitch, 0..1, lh or rh)"
        )
    rows: list[tuple[float, float, int, float, str]] = []
    for fields in _rows(reader, path):
        if not any(field.strip() for field in fields):
            continue
        row = dict(zip(header, fields, strict=False))
        try:
            start, duration, pitch = (float(row[name]) for name in COLUMNS[:3])
            velocity = float(row.get("velocity", "").strip() or 0.5)
            if not all(map(math.isfinite, (start, duration, pitch, velocity))) or duration <= 0:
                raise ValueError
            if pitch not in range(128) or not 0 <= velocity <= 127:
                raise ValueError
        except (KeyError, ValueError):
            raise InputError(
                f"{path}: line {reader.line_num} is not a note: {delimiter.join(fields)!r}; "
                "expected numbers: start, duration above 0, pitch 0..127, velocity 0..1 or 0..127"
            ) from None
        rows.append((start, duration, int(pitch), velocity, row.get("instrument", "").strip()))
    if not rows:
        raise InputError(f"{path}: the CSV score has no notes")
    onset, duration_of, pitch_of, velocity_of, instrument = zip(*rows, strict=True)
    names = tuple(sorted(set(instrument)))
    loudest = max(velocity_of)
    try:
        return Score(
            np.array(onset),
            np.array(onset) + np.array(duration_of),
            np.array(pitch_of),
            np.array(velocity_of) / (127 if loudest > 1 else 1),
            np.array([HAND_NAMES.get(name.lower(), UNKNOWN) for name in instrument]),
            np.array([names.index(name) for name in instrument]),
            names,
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _rows(reader: Any, path: Path) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise InputError(f"{path}: not a readable CSV score ({error})") from None
