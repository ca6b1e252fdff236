"""The recipe: what it plays, how it divides works, what it teaches; and a real training, small, end to end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from terzetto.audio.pitch_spectra import FRAME_RATE
from terzetto.cli import main
from terzetto.errors import InputError
from terzetto.evaluate.transcription import sounding_ends
from terzetto.models import find_model
from terzetto.score.midi import write_midi
from terzetto.score.note_picking import Thresholds, pick_notes
from terzetto.score.notes import Score
from terzetto.score.transcription import TASK
from terzetto_export.transcription import sound_fonts
from terzetto_export.transcription.dataset import analyse, split_works, targets
from terzetto_export.transcription.network import Network
from terzetto_export.transcription.performance import HIGHEST, LOWEST, perform
from terzetto_export.transcription.random_pianos import RandomPiano
from terzetto_export.transcription.recording import record
from terzetto_export.transcription.textures import texture


def written(bars: int = 20) -> Score:
    rows = []
    for bar in range(bars):
        rows += [(2.0 * bar, 2.0 * bar + 2.0, pitch, 0.5, "left") for pitch in (48, 55)]
        rows += [(2.0 * bar + 0.5 * i, 2.0 * bar + 0.5 * i + 0.5, 60 + i + bar % 5, 0.5, "right") for i in range(4)]
    return Score.from_notes(rows)


@pytest.mark.parametrize("seed", range(5))
def test_performances_can_be_played(seed: int) -> None:
    random = np.random.default_rng(seed)
    for score in (perform(written(), 20.0, random), texture(20.0, random)):
        assert len(score) > 20
        assert LOWEST <= score.pitch.min() <= score.pitch.max() <= HIGHEST
        assert score.onset.min() >= 0
        assert 0 < score.velocity.min() <= score.velocity.max() < 1
        for pitch in np.unique(score.pitch):  # a key is let go before it is struck again
            same = score.pitch == pitch
            assert (score.onset[same][1:] > score.offset[same][:-1]).all()


def test_textures_reach_every_key() -> None:
    random = np.random.default_rng(0)
    reached = {int(pitch) for _ in range(12) for pitch in texture(60.0, random).pitch}
    assert reached == set(range(LOWEST, HIGHEST + 1))


def test_a_work_is_on_one_side_only(tmp_path: Path) -> None:
    for opus in ("009", "010", "025", "028_1", "028_13", "Waltz", "Mazurka"):
        for number in range(3):
            (tmp_path / f"{opus}-1-A-{number:03d}.mid").touch()
    parts = split_works(tmp_path)
    sides = {name: {path.name.partition("-")[0].partition("_")[0] for path in paths} for name, paths in parts.items()}
    assert sum(map(len, parts.values())) == 21
    assert sum(map(len, sides.values())) == 6
    assert not sides["train"] & sides["test"]
    with pytest.raises(InputError, match="at least 3"):
        split_works(tmp_path / "nothing")


def test_targets_are_what_the_notes_are_read_from() -> None:
    score = texture(10.0, np.random.default_rng(3))
    notes = np.stack([score.onset, sounding_ends(score), score.pitch, score.velocity], axis=1).astype(np.float32)
    found, _ = pick_notes(targets(notes, 0, 700), Thresholds(onset=0.3))
    assert abs(len(found) - len(score)) <= 0.05 * len(score)
    later = targets(notes, 50, 100)
    np.testing.assert_array_equal(later, targets(notes, 0, 700)[:, 50:150])
    np.testing.assert_array_equal(targets(notes, 50, 100, shift=2)[..., 2:], later[..., :-2])


def test_an_answer_depends_on_its_margin_and_no_more() -> None:
    torch.manual_seed(0)
    network = Network(channels=4).eval()
    spectra = torch.rand(1, 2, 2 * network.margin + 1, 300)
    with torch.no_grad():
        alone = network(spectra)[:, :, network.margin]
        among = network(torch.cat([torch.rand(1, 2, 40, 300), spectra, torch.rand(1, 2, 40, 300)], dim=2))
    torch.testing.assert_close(among[:, :, 40 + network.margin], alone, rtol=1e-4, atol=1e-5)


def test_a_made_up_piano_is_in_tune_and_in_time() -> None:
    random = np.random.default_rng(2)
    score = perform(written(4), 8.0, random)
    item = analyse(record(RandomPiano(random).play(score), random), score)
    assert item.features.shape[0::2] == (2, 300)
    assert item.features.shape[1] / FRAME_RATE > score.end
    before, after = (np.round((score.onset[0] + by) * FRAME_RATE).astype(int) for by in (-0.15, 0.15))
    assert item.features[1, after].mean() > item.features[1, before].mean() + 10


def test_missing_sound_fonts_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = sound_fonts.SoundFont("nowhere.sf2", "some-package", (0,), "", "")
    monkeypatch.setattr(sound_fonts.shutil, "which", lambda name: "/usr/bin/fluidsynth")
    with pytest.raises(InputError, match="apt-get install some-package"):
        sound_fonts.require([nowhere])
    monkeypatch.setattr(sound_fonts.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="apt-get install fluidsynth"):
        sound_fonts.require([])


def test_a_small_training_from_scores_to_a_model_with_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("fluidsynth") is None:
        pytest.skip("fluidsynth is not installed")
    found = [font for font in (sound_fonts.TIM, sound_fonts.CSOUND, sound_fonts.FLUID) if _is_there(font)]
    if not found:
        pytest.skip("no sound font is installed")
    monkeypatch.setattr(sound_fonts, "TRAINING", (found[0],))
    monkeypatch.setattr(sound_fonts, "HELD_OUT", found[-1])
    scores = tmp_path / "scores"
    scores.mkdir()
    for number in range(4):
        write_midi(written(8), scores / f"{number:03d}-1.mid")
    command = [
        "train",
        "transcription",
        "--data",
        str(scores),
        "--recordings",
        "3",
        "--seconds",
        "6",
        "--channels",
        "4",
    ]
    command += ["--epochs", "1", "--batches", "3", "--work", str(tmp_path / "work"), "-o", str(tmp_path / "models")]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    model = find_model(TASK, told["model"])
    assert model.constants["margin"] == 34
    card = Path(told["card"]).read_text(encoding="utf-8")
    assert "CC BY 4.0" in card and found[0].source in card and "never heard" in card
    # What was rendered is not rendered again, and the training goes on where it was.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").glob("*.npz")}
    assert main([*command, "--resume", "--performances"]) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "work").glob("*.npz")} == before
    own = find_model(TASK, json.loads(capsys.readouterr().out)["model"])
    assert own.name == "transcription-performances"
    assert "performances" in own.licence


def _is_there(font: sound_fonts.SoundFont) -> bool:
    try:
        font.find()
    except InputError:
        return False
    return True
