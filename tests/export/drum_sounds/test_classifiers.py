from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from terzetto.analysis.drum_classes import open_drum_classifier
from terzetto.drums.drum_map import CLASSES
from terzetto.errors import InputError, ModelError
from terzetto_export.drum_sounds.classifier_recipe import ClassifierRecipe
from terzetto_export.drum_sounds.classifier_train import JUDGE, SORTER, Kind, Plan, train
from terzetto_export.drum_sounds.copies import without_copies
from terzetto_export.drum_sounds.judge import open_judge
from terzetto_export.drum_sounds.judge_features import SIZE, judged
from terzetto_export.drum_sounds.one_shots import OneShot
from terzetto_export.drum_sounds.variations import varied

from .drums import drum, write_drums


def quiet(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def drums(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drums")
    write_drums(folder, 3)
    return folder


def test_features_know_neither_loudness_nor_silence_before() -> None:
    sound = drum("snare", 0)
    features = judged(sound)
    assert features.shape == (SIZE,) and np.isfinite(features).all()
    np.testing.assert_allclose(judged(0.05 * sound), features, atol=0.01)
    np.testing.assert_allclose(judged(np.concatenate([np.zeros(3000, np.float32), sound])), features, atol=0.01)
    assert np.abs(judged(drum("tom", 0)) - features).max() > 10


@pytest.mark.parametrize("name", CLASSES)
def test_variations_are_other_sounds_of_the_same_kind(name: str) -> None:
    sound = drum(name, 0)
    made = [varied(sound, np.random.default_rng(seed)) for seed in range(12)]
    assert all(np.isfinite(each).all() and np.abs(each).max() > 0.01 for each in made)
    assert len({each.tobytes() for each in made}) == 12
    np.testing.assert_array_equal(made[0], varied(sound, np.random.default_rng(0)))


def test_copies_are_left_out_however_loud() -> None:
    def shot(audio: np.ndarray) -> OneShot:
        return OneShot(Path("a.wav"), audio.astype(np.float32), 0, "kit")

    first, second = shot(drum("snare", 0)), shot(drum("cymbal", 1))
    again = shot(np.concatenate([np.zeros(500), 0.3 * first.audio]))
    assert without_copies([first, second], [again]) == [second]


def trained(kind: Kind, drums: Path, folder: Path, epochs: int) -> Path:
    path = train(Plan(replace(kind, variations=1), data=[drums], out=folder, epochs=epochs), quiet)
    card = path.with_suffix(".md").read_text()
    assert "macro recall" in card and "that of the data it was trained on" in card
    assert not list(folder.glob("*.ckpt"))
    return path


def test_a_judge_learns_to_tell_drums_apart(drums: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(trained(JUDGE, drums, tmp_path, 6))
    verdict = open_judge(path).hear([drum(name, 9999) for name in CLASSES])
    assert (verdict.classes == np.arange(8)).sum() >= 5
    assert verdict.embeddings.shape == (8, 16) and np.abs(verdict.embeddings).max() <= 1
    monkeypatch.setattr("terzetto_export.drum_sounds.judge.SIZE", SIZE + 1)
    with pytest.raises(ModelError, match=f"hears {SIZE} features of a sound, and here are {SIZE + 1}; make it anew"):
        open_judge(path)


def test_a_sorter_is_written_that_opens(drums: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClassifierRecipe, "STEPS_AN_EPOCH", 4)  # how well it learns, the shipped one shows
    share = open_drum_classifier(str(trained(SORTER, drums, tmp_path, 1))).probabilities([drum("kick", 9999)])
    assert share.shape == (1, 8) and share.sum() == pytest.approx(1.0)


def test_without_a_judge_it_is_said_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terzetto_export.drum_sounds.judge.installed", lambda: [])
    with pytest.raises(ModelError, match="terzetto train drum-judge"):
        open_judge()


def test_too_few_sounds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "Kicks").mkdir()
    with pytest.raises(InputError, match="no audio files"):
        train(Plan(JUDGE, data=[tmp_path], out=tmp_path), quiet)
    assert not list(tmp_path.glob("*.onnx"))
