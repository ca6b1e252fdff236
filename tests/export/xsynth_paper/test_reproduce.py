import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from terzetto.cli import main

pytest.importorskip("torch")

from terzetto_export.xsynth_paper import ddsp, networks, pitch_cases, reproduce, sounds, training


def short(data: Path, most: int, tell: sounds.Tell) -> sounds.Material:
    """The real recordings, so much of them as a test has time for; the singer is on her B4."""
    whole = sounds.read_material(data, most, tell)
    voice = whole.voice[int(1.3 * sounds.SAMPLE_RATE) : int(2.3 * sounds.SAMPLE_RATE)]
    few = {
        name: [each for each in class_ if each.pitch is None or each.pitch % 6 == 0]
        for name, class_ in whole.classes.items()
    }
    return replace(
        whole, recording=whole.recording[: 14 * sounds.SAMPLE_RATE], classes=few, voice=voice, voices=[voice]
    )


@pytest.mark.data
def test_the_slides_experiments_from_the_recordings_to_the_page(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERZETTO_DATA", str(data))
    for module in (training, ddsp):
        monkeypatch.setattr(module, "BATCHES", 2)
    monkeypatch.setattr(pitch_cases, "LOWEST", 67)  # three semitones are enough here
    monkeypatch.setattr(pitch_cases, "TOP", 69)
    monkeypatch.setattr(networks, "METHODS", (networks.MOSAIC,))
    monkeypatch.setattr(reproduce, "read_material", short)
    flags = ["--epochs", "1", "--note-epochs", "0", "--image-steps", "1", "--phrases", "1", "-o", str(tmp_path)]
    assert main(["reproduce", "xsynth", *flags]) == 0
    page = (tmp_path / "results.md").read_text("utf-8")
    assert page.strip() in capsys.readouterr().out
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert len(results["experiments"]) == page.count("\n## ") == 9
    assert len(results["trained"]) == 8 and results["commit"] and results["data"]
    for name in ("fv1", "b4", "reconstruction", "training", "movement", "energy", "image_style"):
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
        assert name == "fv1" or f"({name}.png)" in page
    import soundfile

    sounds = sorted((tmp_path / "audio").glob("fv1*.wav"))
    assert len(sounds) == 11  # the input, eight networks, mosaicing, image style transfer
    for path in sounds:
        audio, rate = soundfile.read(path)
        assert rate == 22_050 and abs(len(audio) - rate) < 2
        assert np.isfinite(audio).all() and np.abs(audio).max() <= 1.0


def test_numbers_that_ask_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "xsynth", "--epochs", "0"]) == 2
    assert "at least 1 epoch" in capsys.readouterr().err
