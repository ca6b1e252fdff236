"""A user's own recordings: one file, or folders whose subfolders are instruments."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from terzetto.audio.files import FileTake
from terzetto.errors import InputError, TerzettoWarning
from terzetto.timbre.recording_check import check_recording, faults
from terzetto_export.drum_sounds.one_shots import ENDINGS
from terzetto_export.instrument_data.names import pitch_of_name
from terzetto_export.instrument_data.recordings import SAMPLE_RATE, Recording, Tell, audio_files, read_files

HELD_OUT = 0.1
"""Of the seconds of a lone recording: its end, which is validated on."""


def read_own(paths: Sequence[Path], tell: Tell, *, sample_rate: int = SAMPLE_RATE) -> list[Recording]:
    """Read a user's files and folders; what is broken or silent is named and skipped.

    A file is an instrument of its own, called as the file. In a folder, each subfolder is one, and files that lie in
    the folder itself are one together, called as the folder. A pitch name in the file's name (``sax_A4_1.wav``) is
    taken for its pitch. Each file is its own unit; all are training, and `with_held_out_end` parts them in time.

    Raises
    ------
    InputError
        There is no such file or folder, or nothing in it can be used.
    """
    recordings = []
    for path in paths:
        if path.is_dir():
            endings = [f"*{cased}" for ending in ENDINGS for cased in (ending, ending.upper())]
            files = audio_files(path, *endings)
            entries = [(file, _instrument(path, file)) for file in files]
        elif path.is_file():
            entries = [(path, path.stem)]
        else:
            raise InputError(f"{path}: no such file or folder; give recordings of one instrument, or folders of them")
        described = (
            (
                file,
                partial(
                    Recording,
                    file,
                    sample_rate=sample_rate,
                    instrument=name,
                    pitch=_pitch(file),
                    unit=str(file),
                    source=path.name,
                ),
            )
            for file, name in entries
        )
        recordings += read_files(described, sample_rate, tell)
    if not recordings:
        raise InputError(f"{', '.join(map(str, paths))}: nothing that can be used; give audible recordings")
    return recordings


def warn_of_faults(recordings: Sequence[Recording]) -> None:
    """Warn of what is wrong with recordings that a timbre is learned from, and say what to expect.

    Warns
    -----
    TerzettoWarning
        They are short, one clips or holds several notes at a time; a line each. Also of rates that were converted.
    """
    checks = []
    for recording in recordings:
        with FileTake(recording.path) as take:  # as it was recorded: clipping does not survive another rate
            checks.append(check_recording(take, recording.path.name))
            rate = take.sample_rate
        if rate != recording.sample_rate:
            _warn(f"{recording.path.name}: resampled from {rate:g} Hz to the model's {recording.sample_rate} Hz")
    for fault in faults(checks):
        _warn(fault)


def with_held_out_end(recordings: Sequence[Recording], share: float = HELD_OUT) -> list[Recording]:
    """Return the recordings in two parts each: all but the end for training, the end for validation."""
    from dataclasses import replace

    parts = []
    for recording in recordings:
        cut = round((1.0 - share) * len(recording.audio))
        parts.append(replace(recording, audio=recording.audio[:cut], split="train"))
        parts.append(replace(recording, audio=recording.audio[cut:], split="validation"))
    return parts


def _warn(text: str) -> None:
    warnings.warn(text, TerzettoWarning, stacklevel=3)


def _instrument(folder: Path, file: Path) -> str:
    inside = file.relative_to(folder).parts
    return inside[0] if len(inside) > 1 else folder.resolve().name


def _pitch(file: Path) -> int | None:
    found = (pitch_of_name(part) for part in file.stem.replace("-", "_").split("_"))
    return next((pitch for pitch in found if pitch is not None), None)
