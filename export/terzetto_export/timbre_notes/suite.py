"""The whole evaluation: methods side by side on the thousand notes, moving pitches, and the curve over the amount."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.evaluate.intervals import interval
from terzetto.evaluate.pitch_tracks import TRACKERS
from terzetto.evaluate.timbre import NoteResult, evaluate
from terzetto_export.card import data_hash
from terzetto_export.instrument_data.names import INSTRUMENTS
from terzetto_export.instrument_data.recordings import Tell
from terzetto_export.instrument_judge.judge import Judge
from terzetto_export.timbre_notes.gestures import gestures
from terzetto_export.timbre_notes.judges import elsewhere, judged_at, judged_elsewhere, judged_real
from terzetto_export.timbre_notes.measures import Bench, convert_all, measure_gesture, measure_notes
from terzetto_export.timbre_notes.melodies import NOTES, SAMPLE_RATE, Melody, melodies
from terzetto_export.timbre_notes.methods import Converter
from terzetto_export.timbre_notes.targets import read_targets, real_notes, write_recordings

AMOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0)
CURVE_NOTES = 4
"""Of each melody, for the curve, which is measured on `SOME_TARGETS`."""
GESTURE_STEP = 0.01
"""Seconds between the frames of a moving pitch."""
SOME_TARGETS = ("cello", "clarinet", "saxophone")


@dataclass(frozen=True)
class Plan:
    """What to measure; see ``terzetto evaluate timbre --help``."""

    model: str
    methods: Sequence[str]
    targets: Sequence[str] = INSTRUMENTS
    notes: int = NOTES
    amounts: Sequence[float] = AMOUNTS
    gestures: bool = True
    jobs: int = 1
    audio: Path | None = None


def measure(plan: Plan, judges: Mapping[str, Judge], tell: Tell) -> OrderedDict[str, Any]:
    """Measure as planned, each note before every judge.

    Raises
    ------
    InputError
        Data, fluidsynth, a sound font or a tracker are missing, or there is no such method or target.
    ModelError
        There is no such model.
    """
    results: OrderedDict[str, Any] = OrderedDict()
    recordings = read_targets(tell, plan.targets)
    benches = {name: (judge, real_notes(recordings, judge)) for name, judge in judges.items()}
    results["data"] = data_hash({note.path for note in recordings})
    others, played = elsewhere(tell), melodies(plan.notes)
    pitches = [note.pitch for melody in played for note in melody.notes]
    results["judges"] = OrderedDict(
        (
            name,
            OrderedDict(
                real=judged_real(recordings, judge, real),
                here=judged_at(recordings, judge, pitches),
                elsewhere=judged_elsewhere(others, judge),
            ),
        )
        for name, (judge, real) in benches.items()
    )
    for of_judge in results["judges"].values():
        of_judge["notes"] = OrderedDict()
    with tempfile.TemporaryDirectory(prefix="terzetto-timbre-") as folder:
        files = write_recordings(recordings, Path(folder))
        converters = {method: Converter(method, plan.model, files) for method in plan.methods}
        for method, converter in converters.items():
            tell(f"{method}: {len(played) * plan.notes * len(plan.targets)} notes")
            for name, notes in _measured(played, plan, converter, benches).items():
                results["judges"][name]["notes"][method] = _shares(notes)
        if plan.gestures:
            results["gestures"] = _gestures(plan, converters, tell)
        if plan.amounts:
            for name, curves in _curves(plan, converters, benches, tell).items():
                results["judges"][name]["curve"] = curves
    return results


def _measured(
    played: Sequence[Melody], plan: Plan, converter: Converter, benches: Mapping[str, Bench]
) -> dict[str, list[NoteResult]]:
    notes: dict[str, list[NoteResult]] = {name: [] for name in benches}
    for piece in convert_all(played, plan.targets, converter, plan.jobs):
        if plan.audio is not None and converter.amount == 1.0:
            _write(plan.audio / converter.method / f"{piece.melody.name} as {piece.target}.wav", piece.audio)
        for name, found in measure_notes(piece, benches).items():
            notes[name] += found
    return notes


def _shares(notes: Sequence[NoteResult]) -> OrderedDict[str, Any]:
    groups: OrderedDict[str, Any] = OrderedDict(all=evaluate(notes))
    for name, inside in (("in range", True), ("out of range", False)):
        part = [note for note in notes if note.in_range == inside]
        if part:
            groups[name] = evaluate(part)
        groups[f"notes {name}"] = len(part)
    groups["by target"] = {
        name: evaluate([note for note in notes if note.target == name]) for name in sorted({n.target for n in notes})
    }
    heard: dict[str, dict[str, int]] = {}
    for note in notes:
        row = heard.setdefault(note.target, {})
        row[note.heard] = row.get(note.heard, 0) + 1
    groups["heard as"] = heard
    groups["each"] = [asdict(note) for note in notes]
    return groups


def _gestures(plan: Plan, converters: dict[str, Converter], tell: Tell) -> OrderedDict[str, Any]:
    targets = _some(plan.targets)
    results: OrderedDict[str, Any] = OrderedDict()
    for kind in ("glissando", "vibrato"):
        played = gestures(kind)
        wanted = {
            melody.name: [track(melody.audio, SAMPLE_RATE, GESTURE_STEP) for track in TRACKERS.values()]
            for melody in played
        }
        results[kind] = OrderedDict()
        for method, converter in converters.items():
            tell(f"{method}: {kind}")
            notes: dict[tuple[str, int], list[dict[str, float]]] = {}
            for piece in convert_all(played, targets, converter, plan.jobs, GESTURE_STEP):
                for i, each in enumerate(measure_gesture(piece, wanted[piece.melody.name])):
                    notes.setdefault((piece.melody.name, i), []).append(each)
            results[kind][method] = {
                key: _interval([[each[key] for each in note] for note in notes.values()])
                for key in next(iter(notes.values()))[0]
            }
    return results


def _curves(
    plan: Plan, converters: dict[str, Converter], benches: Mapping[str, Bench], tell: Tell
) -> OrderedDict[str, Any]:
    played, plan = melodies(min(plan.notes, CURVE_NOTES)), replace(plan, targets=_some(plan.targets))
    curves: OrderedDict[str, Any] = OrderedDict((name, OrderedDict()) for name in benches)
    for method, converter in converters.items():
        if method == "identity":
            continue
        for amount in plan.amounts:
            tell(f"{method}: amount {amount:g}")
            for name, notes in _measured(played, plan, replace(converter, amount=amount), benches).items():
                curves[name].setdefault(method, OrderedDict())[f"{amount:g}"] = evaluate(notes)
    return curves


def _some(targets: Sequence[str]) -> list[str]:
    return [name for name in SOME_TARGETS if name in targets] or list(targets)[:1]


def _interval(units: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return the mean over units of the means of their known values, with its interval."""
    known = [[value for value in unit if np.isfinite(value)] for unit in units]
    means = [float(np.mean(values)) for values in known if values]
    return {**interval(means), "units": len(means)} if means else {"mean": np.nan, "low": np.nan, "high": np.nan}


def _write(path: Path, audio: Any) -> None:
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, SAMPLE_RATE, subtype="FLOAT")
