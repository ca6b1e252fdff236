import json
from pathlib import Path

import numpy as np
import pytest

from terzetto.cli import main
from terzetto.drums.grid import Hvo, hvo_to_beat
from terzetto.drums.midi import write_beat
from terzetto.drums.patterns import open_pattern_model

pytest.importorskip("torch")


def write_folder(folder: Path, files: int, bars: int) -> Path:
    """Two styles: hats on eighths, hats on sixteenths; each bar a little different."""
    for number in range(files):
        random = np.random.default_rng(number)
        style = ("eighths", "sixteenths")[number % 2]
        made = []
        for _ in range(bars):
            hits = np.zeros((9, 16), bool)
            hits[2, :: 2 - number % 2] = hits[1, [4, 12]] = hits[0, 0] = True
            hits[0, random.integers(1, 16)] = True
            made.append(Hvo(hits, hits * random.uniform(0.5, 1.0, (9, 16)), hits * random.uniform(-0.2, 0.2, (9, 16))))
        (folder / style).mkdir(parents=True, exist_ok=True)
        write_beat(folder / style / f"{number}.mid", hvo_to_beat(made))
    return folder


def test_a_folder_of_midi_becomes_a_model_that_the_pad_can_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from terzetto_export.drum_patterns import calibrate, measures
    from terzetto_export.drum_patterns.pad_recipe import PadRecipe

    for where, name, value in (
        (PadRecipe, "SIDE", 8),
        (PadRecipe, "TABLE", 12),
        (PadRecipe, "STEPS_AN_EPOCH", 4),
        (PadRecipe, "SOFT_BATCH", 32),
        (PadRecipe, "BATCH", 32),
        (calibrate, "SAMPLES", 50),
        (calibrate, "POINTS", 20),
        (measures, "SAMPLES", 50),
        (measures, "MOVES", 20),
    ):
        monkeypatch.setattr(where, name, value)
    folder = write_folder(tmp_path / "My beats", 24, 12)
    (folder / "broken.mid").write_bytes(b"not MIDI")
    out = tmp_path / "models"
    flags = ["--epochs", "3", "2", "3", "--seed", "1", "-o", str(out), "-d", "cpu"]
    assert main(["train", "drums", "--data", str(folder), *flags]) == 0
    told = capsys.readouterr()
    assert "broken.mid: skipped" in told.err and "loss" in told.err
    assert told.out.strip() == str(out / "My_beats.onnx")
    model = open_pattern_model(str(out / "My_beats.onnx"))
    assert model.styles == ("eighths", "sixteenths")
    z = model.pad_latent(1.0, -1.0)
    assert model.pattern(z, density=0.3).hits.sum() == 12
    assert model.pattern(z, style="eighths", variation=0.5, seed=3) == model.pattern(
        z, style="eighths", variation=0.5, seed=3
    )
    card = (out / "My_beats.md").read_text(encoding="utf-8")
    assert "F1 of hits" in card and "most similar training bar" in card and "that of the data" in card
    assert not list(out.glob(".*.ckpt"))
    model_file = str(out / "My_beats.onnx")
    assert main(["evaluate", "drum-patterns", "--model", model_file, "--data", str(folder), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert 0 <= results["F1"]["latent, 16 steps"]["mean"] <= 1 and results["samples"]["samples"] == 50
    assert results["F1"]["most similar training bar, 16 steps"]["mean"] > 0.5


def test_too_little_is_refused_with_the_minimum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "drums", "--data", str(write_folder(tmp_path / "few", 3, 4)), "-o", str(tmp_path)]) == 2
    assert "at least 200 from 10 files" in capsys.readouterr().err


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "drums", "--data", str(tmp_path / "nowhere"), "-o", str(tmp_path)]) == 2
    assert "nowhere" in capsys.readouterr().err
