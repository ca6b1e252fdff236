"""The whole evaluation: methods side by side on the thousand notes, moving pitches, and the curve over the amount."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.evaluate.intervals import interval
from terzetto.evaluate.pitch_tracks import TRACKERS
from terzetto.evaluate.timbre import NoteResult, evaluate
from terzetto_export.card import data_hash
from terzetto_export.instrument_data.names import INSTRUMENTS
from terzetto_export.instrument_data.recordings import Recording, Tell
from terzetto_export.instrument_judge.judge import Judge
from terzetto_export.timbre_notes.gestures import gestures
from terzetto_export.timbre_notes.measures import convert_all, measure_gesture, measure_notes
from terzetto_export.timbre_notes.melodies import NOTES, SAMPLE_RATE, Melody, melodies
from terzetto_export.timbre_notes.methods import Converter
from terzetto_export.timbre_notes.targets import Real, read_targets, real_notes, trimmed, write_recordings

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


def measure(plan: Plan, judge: Judge, tell: Tell) -> OrderedDict[str, Any]:
    """Measure as planned.

    Raises
    ------
    InputError
        Data, fluidsynth, a sound font or a tracker are missing, or there is no such method or target.
    ModelError
        There is no such model.
    """
    results: OrderedDict[str, Any] = OrderedDict()
    recordings = read_targets(tell, plan.targets)
    real = real_notes(recordings, judge)
    results["data"] = data_hash({note.path for note in recordings})
    results["judge on real notes"] = judged_real(recordings, judge, real)
    played = melodies(plan.notes)
    with tempfile.TemporaryDirectory(prefix="terzetto-timbre-") as folder:
        files = write_recordings(recordings, Path(folder))
        converters = {method: Converter(method, plan.model, files) for method in plan.methods}
        results["notes"] = OrderedDict()
        for method, converter in converters.items():
            tell(f"{method}: {len(played) * plan.notes * len(plan.targets)} notes")
            results["notes"][method] = _shares(_measured(played, plan, converter, judge, real))
        if plan.gestures:
            results["gestures"] = _gestures(plan, converters, tell)
        if plan.amounts:
            results["curve"] = _curves(plan, converters, judge, real, tell)
    return results


def judged_real(recordings: Sequence[Recording], judge: Judge, real: dict[str, Real]) -> dict[str, Any]:
    """Return how the judge hears real notes (the Philharmonia's test split), by instrument and on the mean.

    ``recall``: heard as what they are; ``two``: among the first two guesses; ``accepted``: see `Real`;
    ``mistaken``: the share of the other instruments' notes that are accepted.
    """
    test = [note for note in recordings if note.split == "test"]
    by_name: dict[str, Any] = {}
    if test:
        verdict = judge.hear([trimmed(note.audio) for note in test], SAMPLE_RATE)
    for name in sorted({note.instrument for note in test}):
        own = np.array([note.instrument == name for note in test])
        ranks = np.array([verdict.rank(i, name) for i in range(len(test))])
        accepted = verdict.likelihood[:, judge.classes.index(name)] >= real[name].accepted
        by_name[name] = {
            "recall": float(np.mean(ranks[own] == 1)),
            "two": float(np.mean(ranks[own] <= 2)),
            "accepted": float(np.mean(accepted[own])),
            "mistaken": float(np.mean(accepted[~own])) if not own.all() else float("nan"),
            "notes": int(own.sum()),
        }
    result: dict[str, Any] = {"notes": len(test), "by instrument": by_name}
    for key in ("recall", "two", "accepted", "mistaken"):
        result[key] = float(np.mean([each[key] for each in by_name.values()])) if by_name else float("nan")
    return result


def _measured(
    played: Sequence[Melody], plan: Plan, converter: Converter, judge: Judge, real: dict[str, Real]
) -> list[NoteResult]:
    notes: list[NoteResult] = []
    for piece in convert_all(played, plan.targets, converter, plan.jobs):
        if plan.audio is not None and converter.amount == 1.0:
            _write(plan.audio / converter.method / f"{piece.melody.name} as {piece.target}.wav", piece.audio)
        notes += measure_notes(piece, judge, real[piece.target])
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
    plan: Plan, converters: dict[str, Converter], judge: Judge, real: dict[str, Real], tell: Tell
) -> OrderedDict[str, Any]:
    played, plan = melodies(min(plan.notes, CURVE_NOTES)), replace(plan, targets=_some(plan.targets))
    curves: OrderedDict[str, Any] = OrderedDict()
    for method, converter in converters.items():
        if method == "identity":
            continue
        curves[method] = OrderedDict()
        for amount in plan.amounts:
            tell(f"{method}: amount {amount:g}")
            notes = _measured(played, plan, replace(converter, amount=amount), judge, real)
            curves[method][f"{amount:g}"] = evaluate(notes)
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
