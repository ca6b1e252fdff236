"""The judges before whom the notes come, and how far each can be believed: what it hears of real notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from terzetto.errors import ModelError
from terzetto.evaluate.intervals import interval
from terzetto.models import find_model, installed
from terzetto_export.instrument_data.medley_solos import read_medley_solos
from terzetto_export.instrument_data.names import INSTRUMENTS, PITCH_RANGES
from terzetto_export.instrument_data.recordings import Recording, Tell
from terzetto_export.instrument_data.sms_tools import read_sms_tools
from terzetto_export.instrument_judge.judge import TASK, Judge
from terzetto_export.instrument_judge.notes import pieces
from terzetto_export.orchestra_judge.judge import HEARS, OrchestraJudge
from terzetto_export.timbre_notes.melodies import SAMPLE_RATE
from terzetto_export.timbre_notes.targets import Real, trimmed

NAMES = ("instrument_judge", "orchestra_judge")
KINDS: dict[str, type[Judge]] = {"sustained part": Judge, HEARS: OrchestraJudge}
"""By what a model's constants say that it hears; the first where they say nothing."""


def open_judges(names: Sequence[str] = ()) -> dict[str, Judge]:
    """Open judges by name or path; without names, those of the two that are there.

    Raises
    ------
    ModelError
        There is none, two have one name, or a model is no judge.
    """
    there = {path.stem for path in installed()}
    wanted = list(names) or [name for name in NAMES if name in there]
    if not wanted:
        raise ModelError(
            "there is no judge of instruments yet; `terzetto train instrument-judge` makes one from sound fonts and "
            "the recordings of the folder that TERZETTO_DATA names, `terzetto train orchestra-judge` the second"
        )
    models = [find_model(TASK, name, threads=1) for name in wanted]
    judges: dict[str, Judge] = {}
    for model in models:
        hears = model.constants.get("hears", "sustained part")
        if hears not in KINDS:
            raise ModelError(f"{model.path}: a judge that hears {hears!r}; valid are {', '.join(KINDS)}: train it anew")
        if model.name in judges:
            raise ModelError(f"{model.path}: two judges are named {model.name}; rename one file, or give one of them")
        judges[model.name] = KINDS[hears](model)
    return judges


def judged_real(recordings: Sequence[Recording], judge: Judge, real: dict[str, Real]) -> dict[str, Any]:
    """Return how the judge hears real notes (the Philharmonia's test split), by instrument and on the mean.

    ``recall``: heard as what they are; ``two``: among the first two guesses; ``accepted``: see `Real`;
    ``mistaken``: the share of the other instruments' notes that are accepted.
    """
    test = [note for note in recordings if note.split == "test"]
    by_name: dict[str, Any] = {}
    if test:
        verdict = judge.hear([trimmed(note.audio) for note in test], SAMPLE_RATE, [note.pitch for note in test])
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


def judged_at(recordings: Sequence[Recording], judge: Judge, pitches: Sequence[int]) -> dict[str, Any]:
    """Return how many per cent of real notes a judge loses at the pitches (MIDI) of input notes, in range.

    So much is lost of the targets' own sounds, all splits: neither judge learned a player's note of the pitch that it
    judges. For each input note the real ones of the nearest pitch there is; 95 % interval over input notes.
    """
    verdict = judge.hear([trimmed(note.audio) for note in recordings], SAMPLE_RATE, [n.pitch for n in recordings])
    lost = np.array([said != n.instrument for said, n in zip(verdict.instruments, recordings, strict=True)])
    sounding = np.array([note.pitch for note in recordings], np.float64)
    shares: dict[str, dict[int, float]] = {}
    for name in sorted({note.instrument for note in recordings}):
        own = np.array([note.instrument == name for note in recordings])
        low, high = PITCH_RANGES[name]
        for place, pitch in enumerate(pitches):
            if low <= pitch <= high:
                off = np.abs(sounding[own] - pitch)
                shares.setdefault(name, {})[place] = 100.0 * float(lost[own][off == off.min()].mean())
    of_notes = [[each[place] for each in shares.values() if place in each] for place in range(len(pitches))]
    return {
        **interval([float(np.mean(each)) for each in of_notes if each]),
        "by instrument": {name: float(np.mean(list(each.values()))) for name, each in shares.items()},
    }


def elsewhere(tell: Tell) -> dict[str, list[Recording]]:
    """Return by source real sounds of the targets by other players, of which no judge learned.

    sms-tools' notes and pieces of its phrases, and pieces of Medley-solos-DB's test phrases.
    """
    single = read_sms_tools(tell, sample_rate=SAMPLE_RATE, instruments=INSTRUMENTS)
    songs = read_medley_solos(tell, sample_rate=SAMPLE_RATE, instruments=INSTRUMENTS)
    phrases = [each for each in songs if each.split == "test"]
    notes = [each for each in single if each.pitch is not None]
    return {
        "sms-tools": [*notes, *pieces(each for each in single if each.pitch is None)],
        "Medley-solos-DB": list(pieces(phrases)),
    }


def judged_elsewhere(others: Mapping[str, Sequence[Recording]], judge: Judge) -> dict[str, Any]:
    """Return by source how many sounds are heard as what they are, and which as what."""
    found: dict[str, Any] = {}
    for source, sounds in others.items():
        verdict = judge.hear([each.audio for each in sounds], SAMPLE_RATE, [each.pitch for each in sounds])
        heard: dict[str, dict[str, int]] = {}
        for each, instrument in zip(sounds, verdict.instruments, strict=True):
            row = heard.setdefault(each.instrument, {})
            row[instrument] = row.get(instrument, 0) + 1
        recalls = [row.get(name, 0) / sum(row.values()) for name, row in heard.items()]
        found[source] = {"recall": float(np.mean(recalls)), "sounds": len(sounds), "heard as": heard}
    return found
