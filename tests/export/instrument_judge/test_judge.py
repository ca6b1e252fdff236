from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from terzetto.errors import InputError, ModelError  # noqa: E402
from terzetto.onnx_session import open_model  # noqa: E402
from terzetto_export.instrument_data.names import GENERAL_MIDI, INSTRUMENTS  # noqa: E402
from terzetto_export.instrument_judge.features import BANDS, PARTS, SAMPLE_RATE, features, spectra  # noqa: E402
from terzetto_export.instrument_judge.fonts import (  # noqa: E402
    OF_INPUTS,
    OF_MODELS,
    OF_THE_JUDGE,
    OTHERS,
    programs,
)
from terzetto_export.instrument_judge.judge import Judge  # noqa: E402
from terzetto_export.instrument_judge.notes import CLASSES, Notes, fonts_among  # noqa: E402
from terzetto_export.instrument_judge.recipe import changed  # noqa: E402
from terzetto_export.instrument_judge.train import Plan, table  # noqa: E402
from terzetto_export.timbre_notes.judges import open_judges  # noqa: E402
from terzetto_export.timbre_notes.melodies import PLAYERS  # noqa: E402

from .instruments import note, recordings  # noqa: E402


def test_it_hears_notes_it_never_heard_at_any_sample_rate_and_level(judge: Judge) -> None:
    for rate, gain in ((SAMPLE_RATE, 1.0), (48_000, 0.01)):
        notes = [gain * note(name, 57, 9999, rate) for name in CLASSES]
        verdict = judge.hear(notes, rate)
        assert np.mean([a == b for a, b in zip(verdict.instruments, CLASSES, strict=True)]) > 0.8
        assert verdict.order[0][0] == verdict.instruments[0] and sorted(verdict.order[0]) == sorted(CLASSES)
        assert verdict.rank(0, verdict.order[0][3]) == 4
        assert np.allclose(np.linalg.norm(verdict.embeddings, axis=1), 1.0)


def test_embeddings_of_one_instrument_lie_near_each_other(judge: Judge) -> None:
    names = ("bassoon", "bassoon", "trumpet", "trumpet")
    e = judge.hear([note(name, 50 + i, i) for i, name in enumerate(names)], SAMPLE_RATE).embeddings
    assert np.linalg.norm(e[0] - e[1]) < np.linalg.norm(e[0] - e[2])
    assert np.linalg.norm(e[2] - e[3]) < np.linalg.norm(e[1] - e[3])


@pytest.mark.parametrize(
    ("sound", "what"),
    [(np.zeros(0), "finite"), (np.zeros(5000), "silent"), (np.array([np.nan]), "finite"), (np.ones((2, 9)), "one row")],
)
def test_what_cannot_be_judged(judge: Judge, sound: np.ndarray, what: str) -> None:
    with pytest.raises(InputError, match=what):
        judge.hear([sound], SAMPLE_RATE)


def test_features_know_no_level_and_no_silence_before() -> None:
    sound = note("flute", 60, 0)
    plain = features(spectra(sound, SAMPLE_RATE))
    late = features(spectra(np.concatenate([np.zeros(8192, np.float32), 0.1 * sound]), SAMPLE_RATE))
    assert plain.shape == (len(PARTS), BANDS + 30) and np.abs(plain - late).max() < 0.1
    levels = spectra(sound, SAMPLE_RATE)
    loud = levels > levels.max(axis=1, keepdims=True) - 20
    change = np.abs(changed(levels, np.random.default_rng(0)) - levels)[loud]
    assert 1.0 < change.max() < 12.0


def test_judge_models_and_inputs_share_no_font_and_no_program() -> None:
    assert OF_INPUTS not in (*OF_MODELS, *OF_THE_JUDGE) and not set(OF_MODELS) & set(OF_THE_JUDGE)
    assert not set(PLAYERS.values()) & set(GENERAL_MIDI.values())
    assert {name for name, _, _ in programs()} == set(CLASSES)
    assert not set(OTHERS.values()) & {program for name, program, _ in programs() if name in INSTRUMENTS}


def test_the_card_names_the_fonts_that_were_there() -> None:
    rows = fonts_among([Path("there/A320U.sf2"), Path("FluidR3_GM.sf2"), Path("Medley-solos-DB_training-5_1.flac")])
    assert [row[0] for row in rows] == ["Airfont 320, Milton Paredes", "Fluid R3 GM, Frank Wen"]
    assert rows[0][2].endswith("others") and rows[1][2].endswith("without trumpet and violin")


def test_table_of_recalls() -> None:
    notes = Notes.of(recordings(2, 3))
    wrong = notes.label.copy()
    wrong[0] = (wrong[0] + 1) % len(CLASSES)
    lines = table(notes.label, wrong).splitlines()
    assert "macro recall 0.955" in lines[0] and lines[3].startswith("bassoon") and " 0.500" in lines[3]


def test_without_a_judge_it_is_said_how_to_make_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TERZETTO_MODELS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(ModelError, match="terzetto train instrument-judge"):
        open_judges()
    assert Plan(out=tmp_path).model == tmp_path / "instrument_judge.onnx"


def test_another_model_is_refused(tmp_path: Path, judge: Judge) -> None:
    assert open_model(judge.model.path) is not None
    with pytest.raises(ModelError):
        open_judges(["drum_classes"])
