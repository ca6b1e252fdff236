"""The measures of transcriptions: known values on small scores, what a folder may hold, and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.conftest import PianoTake

from terzetto.audio.files import Take
from terzetto.cli import main
from terzetto.errors import InputError
from terzetto.evaluate.transcription import MEASURES, evaluate, lateness, measures, sounding_ends, table, validate
from terzetto.score.midi import read_midi, write_midi
from terzetto.score.notes import Score

NOTES = [(0.0, 1.0, 60, 0.5, "left"), (0.5, 1.5, 64, 0.6, "right"), (2.0, 3.0, 67, 0.9, "right")]


def test_a_perfect_and_an_empty_transcription() -> None:
    score = Score.from_notes(NOTES)
    for values in measures(score, score).values():
        assert values == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    nothing = score.select(np.zeros(3, bool))
    assert all(values["f1"] == 0.0 for values in measures(score, nothing).values())


def test_onsets_offsets_and_pitches_count() -> None:
    score = Score.from_notes(NOTES)
    late = replace(
        score, onset=score.onset + np.array([0.04, 0.06, 0.0]), offset=score.offset + (score.pitch == 67) * 0.5
    )
    values = measures(score, late)
    assert values["onset"]["f1"] == pytest.approx(2 / 3)
    assert values["offset"]["f1"] == pytest.approx(1 / 3)
    wrong = measures(score, replace(score, pitch=score.pitch + np.array([0, 0, 12])))
    assert wrong["onset"]["f1"] == pytest.approx(2 / 3)
    assert wrong["frame"]["f1"] == pytest.approx(2 / 3, abs=0.01)


def test_the_pedal_and_the_next_stroke_end_a_note() -> None:
    score = Score.from_notes([(0, 0.5, 60, 0.5, "left"), (1.0, 1.2, 60, 0.5, "left")], [(0.3, 2.0)])
    np.testing.assert_allclose(sounding_ends(score), [1.0, 2.0])


def test_what_is_late_throughout_is_told_and_can_be_removed(tmp_path: Path) -> None:
    score = Score.from_notes(NOTES)
    late = replace(score, onset=score.onset + 0.08, offset=score.offset + 0.08)
    assert lateness(score, late) == pytest.approx(0.08)
    soundfile.write(tmp_path / "take.wav", np.full(8000 * 4, 0.1), 8000)
    write_midi(score, tmp_path / "take.mid")

    def transcribe(take: Take) -> Score:
        return late

    assert evaluate(tmp_path, transcribe)["mean"]["onset"]["mean"] == 0.0
    results = evaluate(tmp_path, transcribe, shift=True)
    assert results["mean"]["onset"]["mean"] == 1.0
    assert "take" in table(results) and "80" in table(results)


def test_takes_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        validate(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no take with its notes"):
        validate(tmp_path)
    for name in ("a.lh.flac", "a.rh.flac", "b.wav", "c.wav"):
        soundfile.write(tmp_path / name, np.full(8000, 0.1), 8000)
    for name in ("a", "b"):
        write_midi(Score.from_notes(NOTES), tmp_path / f"{name}.mid")
    found = validate(tmp_path)
    assert {name: len(source.audio) for name, source in found.items()} == {"a": 2, "b": 1}
    np.testing.assert_allclose(found["a"].take().read(0, 8000), 0.2, atol=1e-4)


def test_the_commands_on_a_take(tmp_path: Path, piano: PianoTake, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "take.wav", piano.mix, piano.sample_rate)
    soundfile.write(tmp_path / "silence.wav", np.zeros(8000), 8000)
    command = ["transcribe", str(tmp_path / "take.wav"), str(tmp_path / "silence.wav"), "-o", str(tmp_path / "notes")]
    assert main([*command, "--json"]) == 1
    told = capsys.readouterr()
    done = json.loads(told.out)
    assert "nothing is heard" in done["failed"][0]["error"] and "nothing is heard" in told.err
    score = read_midi(Path(done["done"][0]["midi"]))
    assert len(score) == done["done"][0]["notes"]
    assert score.track_names == ("right", "left")
    assert measures(piano.score, score)["onset"]["f1"] > 0.95
    assert main([*command[:2], "-o", str(tmp_path), "--no-hands"]) == 0
    assert read_midi(tmp_path / "take.mid").track_names == ("notes",)
    write_midi(piano.score, tmp_path / "take.mid")
    capsys.readouterr()
    assert main(["evaluate", "transcription", str(tmp_path), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert list(values["mean"]) == list(MEASURES)
    assert values["takes"]["take"]["onset"]["f1"] > 0.95
