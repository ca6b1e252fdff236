from __future__ import annotations

import argparse
import math
import shutil
from pathlib import Path

import mido
import numpy as np
import pytest

pytest.importorskip("parselmouth")

import itertools

from terzetto.errors import InputError
from terzetto.evaluate.pitch_tracks import TRACKERS
from terzetto.evaluate.timbre import NoteResult
from terzetto_export.instrument_data.recordings import Recording
from terzetto_export.instrument_data.sound_font_notes import Note
from terzetto_export.instrument_judge.fonts import OF_INPUTS
from terzetto_export.instrument_judge.judge import Judge
from terzetto_export.timbre_notes import evaluation
from terzetto_export.timbre_notes.gestures import GLISSANDO, gestures
from terzetto_export.timbre_notes.judges import judged_at
from terzetto_export.timbre_notes.measures import Piece, converted, measure_gesture, measure_notes
from terzetto_export.timbre_notes.melodies import (
    HIGHEST,
    LOWEST,
    NOTES,
    PLAYERS,
    SAMPLE_RATE,
    Melody,
    random_notes,
    write_midi,
)
from terzetto_export.timbre_notes.methods import IDENTITY, USUAL, Converter, names
from terzetto_export.timbre_notes.suite import Plan, measure
from terzetto_export.timbre_notes.table import table
from terzetto_export.timbre_notes.targets import Real

from ..instrument_judge.instruments import note


def font_is_there() -> bool:
    try:
        OF_INPUTS.find()
    except InputError:
        return False
    return shutil.which("fluidsynth") is not None


needs_font = pytest.mark.skipif(not font_is_there(), reason="no fluidsynth or no TimGM6mb.sf2")


def played(instrument: str, transposed: float = 0.0) -> Melody:
    """A melody of three made notes; its sound may lie elsewhere than its notes say."""
    notes = tuple(Note(0.2 + 0.8 * i, 0.6, pitch) for i, pitch in enumerate((64, 67, 69)))
    audio = np.zeros(round(2.6 * SAMPLE_RATE), np.float32)
    for i, each in enumerate(notes):
        sound = note(instrument, each.pitch + transposed, i, SAMPLE_RATE)
        first = round((each.onset - 0.05) * SAMPLE_RATE)
        audio[first : first + len(sound)] += sound
    return Melody(instrument, notes, audio)


def real(judge: Judge, instrument: str) -> Real:
    verdict = judge.hear([note(instrument, 66, 50)], SAMPLE_RATE)
    return Real(np.array([66.0]), np.zeros((1, 20)), verdict.embeddings, -3.0)


def test_melodies_are_random_but_always_the_same(tmp_path: Path) -> None:
    every = [random_notes(seed) for seed in range(len(PLAYERS))]
    assert len(every) == 5 and all(len(notes) == NOTES for notes in every) and every[0] == random_notes(0)
    pitches = np.array([[each.pitch for each in notes] for notes in every])
    assert pitches.min() >= LOWEST and pitches.max() <= HIGHEST and len(np.unique(pitches)) > 25
    for notes in every:
        for one, following in itertools.pairwise(notes):
            assert following.onset >= one.onset + one.duration + 0.1
    files = write_midi(tmp_path)
    assert len(files) == 5
    heard = [m.note for m in mido.MidiFile(files[2]) if m.type == "note_on"]
    assert heard == [each.pitch for each in every[2]]


def measured(piece: Piece, judge: Judge) -> list[NoteResult]:
    """What one judge, twice on the bench, says; both times it is the same."""
    bench = judge, {piece.target: real(judge, piece.target)}
    results = measure_notes(piece, {"first": bench, "second": bench})
    assert str(results["first"]) == str(results["second"])
    return results["first"]


def test_what_is_kept_and_what_is_lost(judge: Judge) -> None:
    same = Converter(IDENTITY, "", {})
    kept = measured(converted(played("cello"), "cello", same), judge)
    assert all(each.pitch_kept and each.in_range for each in kept)
    assert sum(each.kept for each in kept) >= 2 and [each.kept for each in kept] == [e.rank == 1 for e in kept]
    assert all(each.loudness == 0.0 and each.attack == 0.0 for each in kept)
    other = measured(converted(played("cello"), "trumpet", same), judge)
    assert not any(each.kept for each in other) and all(each.pitch_kept and each.rank > 1 for each in other)
    off = measured(converted(played("cello", 0.8), "cello", same), judge)
    assert not any(each.pitch_kept for each in off)


def test_silence_is_lost(judge: Judge) -> None:
    piece = converted(played("cello"), "cello", Converter(IDENTITY, "", {}))
    silent = type(piece)(piece.melody, "cello", np.zeros_like(piece.audio), {n: t for n, t in piece.tracks.items()})
    results = measured(silent, judge)
    assert all(each.heard == "" and not each.recognised and math.isnan(each.mfcc) for each in results)


@needs_font
def test_a_glissando_is_what_it_says() -> None:
    melody = gestures("glissando")[1]
    tracks = {name: track(melody.audio, SAMPLE_RATE, 0.01) for name, track in TRACKERS.items()}
    first = melody.notes[0]
    cents = tracks["Praat"].between(first.onset + 1.4, first.onset + 1.55)
    assert abs(np.nanmedian(cents) - 100 * first.pitch - GLISSANDO) < 15
    piece = converted(melody, "cello", Converter(IDENTITY, "", {}), 0.01)
    followed = measure_gesture(piece, list(tracks.values()))
    assert len(followed) == 3 and all(each["Praat cents"] == 0.0 and each["pYIN lost"] == 0.0 for each in followed)


def test_real_notes_are_judged_at_the_melodies_pitches(judge: Judge) -> None:
    """A trumpet's note among the cello's is lost where a melody asks for its pitch; beyond the range nothing counts."""
    sounds = (("cello", 57), ("trumpet", 67))
    real_notes = [
        Recording(Path(__file__), note(sound, pitch, 3, SAMPLE_RATE), SAMPLE_RATE, "cello", pitch, source="made")
        for sound, pitch in sounds
    ]
    assert judged_at(real_notes, judge, [57, 60])["mean"] == 0.0
    lost = judged_at(real_notes, judge, [20, 56, 66, 69])
    assert lost["mean"] == pytest.approx(200 / 3) and lost["by instrument"] == {"cello": lost["mean"]}


def test_methods_by_name() -> None:
    assert set(USUAL) <= set(names())
    with pytest.raises(InputError, match="no method 'vocoder'"):
        Converter("vocoder", "", {})


@pytest.mark.parametrize(("flags", "what"), [(["--targets", "kazoo"], "kazoo"), (["--notes", "21"], "20 notes")])
def test_bad_arguments(flags: list[str], what: str) -> None:
    parser = argparse.ArgumentParser()
    evaluation.configure(parser)
    with pytest.raises(InputError, match=what):
        evaluation.run(parser.parse_args(flags))


@needs_font
@pytest.mark.data
def test_methods_side_by_side(data: Path, judge: Judge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TERZETTO_DATA", str(data))
    methods = ("identity", "envelope", "xsynth")
    plan = Plan("timbre_instruments", methods, ("cello",), 1, (0.0,), gestures=False, audio=tmp_path)
    results = measure(plan, {"first": judge, "second": judge}, lambda line: None)
    judged = results["judges"]["first"]
    assert judged["elsewhere"]["sms-tools"]["sounds"] >= 6 and judged["real"]["by instrument"]["cello"]["notes"] == 22
    shares = judged["notes"]["identity"]["all"]
    assert shares["pitch lost by pYIN, %"]["mean"] == 0.0 and shares["loudness error, dB"]["mean"] == 0.0
    assert judged["notes"]["xsynth"]["all"]["lost, %"]["units"] == 5
    assert judged["curve"]["envelope"]["0"]["MFCC distance"] == judged["curve"]["xsynth"]["0"]["MFCC distance"]
    text = table(results)
    assert "JUDGE first: on" in text and "JUDGE second" in text and "xsynth, by amount" in text
    assert len(list((tmp_path / "xsynth").glob("*.wav"))) == 5
