"""NSynth (Engel et al. 2017; CC BY 4.0) as published: ``nsynth-SPLIT/examples.json``, ``nsynth-SPLIT/audio/NAME.wav``.

A name is ``FAMILY_SOURCE_INSTRUMENT-PITCH-VELOCITY``, as in ``bass_synthetic_033-022-050``: four seconds at 16 kHz.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.errors import InputError
from terzetto_export.instrument_data.recordings import SAMPLE_RATE, Recording, Tell, read_files

FAMILIES = (
    "bass",
    "brass",
    "flute",
    "guitar",
    "keyboard",
    "mallet",
    "organ",
    "reed",
    "string",
    "synth_lead",
    "vocal",
)
"""The eleven classes of the slides."""
_SPLITS = {"train": "train", "valid": "validation", "test": "test"}
_NEEDED = ("instrument_family_str", "instrument_str", "pitch", "velocity")


def read_nsynth(
    folder: Path,
    tell: Tell,
    *,
    sample_rate: int = SAMPLE_RATE,
    families: Sequence[str] | None = None,
    most_of_each: int | None = None,
    seed: int = 0,
) -> list[Recording]:
    """Read notes of all splits that are in a folder; the unit is the instrument, which is in one split only.

    The published test and validation splits share no instrument with training.

    Parameters
    ----------
    folder
        Holds ``nsynth-train``, ``nsynth-valid`` or ``nsynth-test``, or is one of them.
    families
        Those wanted of `FAMILIES`, None for all.
    most_of_each
        Of each family and split, drawn at random (the slides drew 3500); None for all.

    Raises
    ------
    InputError
        There is no such split, its ``examples.json`` is damaged, or there is no such family.
    """
    unknown = sorted(set(families or ()) - set(FAMILIES))
    if unknown:
        raise InputError(f"there is no family {unknown[0]!r} in NSynth; give of {', '.join(FAMILIES)}")
    splits = {
        name: part
        for name in _SPLITS
        for part in (folder / f"nsynth-{name}", folder)
        if part.name == f"nsynth-{name}" and part.is_dir()
    }
    if not splits:
        raise InputError(
            f"{folder}: no folder nsynth-train, nsynth-valid or nsynth-test in it; give NSynth's (json/wav)"
        )
    random = np.random.default_rng(seed)
    recordings = []
    for name, part in splits.items():
        notes = _drawn(_notes(part), families, most_of_each, random)
        recordings += read_files(_entries(part, notes, _SPLITS[name], sample_rate), sample_rate, tell)
    return recordings


def _notes(part: Path) -> dict[str, dict[str, Any]]:
    path = part / "examples.json"
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); it comes with NSynth's json/wav archives") from None
    lacking = [key for note in notes.values() for key in _NEEDED if key not in note]
    if lacking:
        raise InputError(f"{path}: a note lacks {lacking[0]!r}; each has {', '.join(_NEEDED)}")
    return dict(notes)


def _drawn(
    notes: dict[str, dict[str, Any]], families: Sequence[str] | None, most: int | None, random: np.random.Generator
) -> dict[str, dict[str, Any]]:
    chosen: list[str] = []
    for family in families or FAMILIES:
        names = sorted(name for name, note in notes.items() if note["instrument_family_str"] == family)
        if most is not None and len(names) > most:
            names = sorted(random.choice(names, most, replace=False).tolist())
        chosen += names
    return {name: notes[name] for name in chosen}


def _entries(
    part: Path, notes: dict[str, dict[str, Any]], split: str, sample_rate: int
) -> Iterator[tuple[Path, partial[Recording]]]:
    for name, note in notes.items():
        path = part / "audio" / f"{name}.wav"
        yield (
            path,
            partial(
                Recording,
                path,
                sample_rate=sample_rate,
                instrument=str(note["instrument_family_str"]),
                pitch=int(note["pitch"]),
                dynamic=str(note["velocity"]),
                unit=f"nsynth/{note['instrument_str']}",
                source="nsynth",
                split=split,
            ),
        )
