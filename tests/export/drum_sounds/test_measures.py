"""The figures, of models whose faults are known: one that gives back what it was given, and one that only hisses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from terzetto.analysis.drum_spectra import from_onset
from terzetto.cli import main
from terzetto.commands.evaluate import _json
from terzetto.drums.drum_map import CLASSES
from terzetto_export.drum_sounds.baselines import nearest, principal_components
from terzetto_export.drum_sounds.classifier_train import JUDGE, Plan, train
from terzetto_export.drum_sounds.data import read_data
from terzetto_export.drum_sounds.judge import Judge, open_judge
from terzetto_export.drum_sounds.measures import measure
from terzetto_export.drum_sounds.measures_table import table
from terzetto_export.drum_sounds.one_shots import OneShot, in_split

from .drums import drum, write_drums

SAMPLES = 120


def quiet(line: str) -> None:
    pass


class Memory:
    """A sound model whose latent space is a list of all sounds it has met."""

    classes, latent_size, sample_rate = CLASSES, 1, 44_100

    def __init__(self, *, hiss: bool = False, click_every: int = 0) -> None:
        self._met: list[np.ndarray] = []
        self._hiss, self._click_every = hiss, click_every

    def encode(self, audio: np.ndarray, sample_rate: float, sound_class: str) -> np.ndarray:
        self._met.append(audio)
        return np.array([len(self._met) - 1], np.float32)

    def sample(self, sound_class: str, seed: int = 0, spread: float = 0.5) -> np.ndarray:
        sound = drum(sound_class, 50_000 + seed)
        if self._click_every and seed % self._click_every == 0:
            sound[-1] = 0.5
        return self.encode(sound, 44_100, sound_class)

    def decode(self, z: np.ndarray, sound_class: str, seed: int = 0) -> np.ndarray:
        if self._hiss:
            return drum("closed hat", seed)
        return self._met[int(z[0])]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> list[OneShot]:
    folder = tmp_path_factory.mktemp("drums")
    write_drums(folder, 4)
    return read_data([folder], quiet)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    folder = tmp_path_factory.mktemp("judge")
    write_drums(folder, 2)
    return open_judge(str(train(Plan(JUDGE, data=[folder], out=folder, epochs=6, seed=1), quiet)))


def measured(model: Any, sounds: list[OneShot], judge: Judge) -> dict[str, Any]:
    return measure(model, sounds, judge, quiet, samples=SAMPLES)


def test_a_model_that_gives_back_what_it_is_given(sounds: list[OneShot], judge: Judge) -> None:
    results = measured(Memory(click_every=12), sounds, judge)
    assert all(value["mean"] == pytest.approx(0, abs=1e-6) for value in results["distance"]["reconstructions"].values())
    recognised = results["recognised"]
    assert recognised["reconstructions"]["macro"] == recognised["real sounds"]["macro"]
    assert recognised["reconstructions"]["lost"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert recognised["reconstructions"]["same verdict"] == 1.0
    assert recognised["samples"]["macro"]["mean"] > 0.8
    faults = results["faults"]["samples"]
    assert (faults["sounds"], faults["click_at_end"], faults["faulty"]) == (SAMPLES, SAMPLES // 12, SAMPLES // 12)
    assert results["faults"]["reconstructions"]["faulty"] == 0
    frechet = results["Fréchet distance"]
    assert frechet["reconstructions"]["mean"] == pytest.approx(0, abs=1e-6)
    assert frechet["samples"]["mean"] < frechet["real training sounds of any class"]["mean"] * 3
    text = table(results)  # type: ignore[arg-type]
    for word in ("real sounds", "PCA-1", "nearest training sound", "click at end", "the floor"):
        assert word in text
    json.loads(_json(results))


def test_a_model_that_hisses_is_found_out(sounds: list[OneShot], judge: Judge) -> None:
    results = measured(Memory(hiss=True), sounds, judge)
    recognised = results["recognised"]
    assert recognised["samples"]["macro"]["mean"] == pytest.approx(1 / 8, abs=0.05)
    assert recognised["samples"]["classes"]["closed hat"] > 0.9
    assert recognised["reconstructions"]["lost"]["low"] > 0.5
    assert results["distance"]["reconstructions"]["log-spectral distance, dB"]["mean"] > 10
    assert (
        results["Fréchet distance"]["samples"]["low"]
        > 3 * results["Fréchet distance"]["real training sounds (the floor)"]["high"]
    )
    assert results["faults"]["samples"]["faulty"] == 0


def test_the_command_with_the_shipped_model(tmp_path: Path, judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    write_drums(tmp_path, 1)
    command = ["evaluate", "drum-sounds", "--data", str(tmp_path), "--judge", str(judge.model.path)]
    assert main([*command, "--samples", "100", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert "not measured" in table(results)
    assert results["model"] == "drum_sounds" and results["seed"] == 0
    assert results["faults"]["samples"]["sounds"] == 100
    assert list(results["Fréchet distance"]) == ["dimensions", "sounds"]  # 16 sounds have no covariance in 16
    assert main([*command, "--samples", "99"]) == 2
    assert "at least 100" in capsys.readouterr().err


def test_the_nearest_training_sound_is_of_the_class(sounds: list[OneShot]) -> None:
    training, test = in_split(sounds, "train"), in_split(sounds, "test")
    found = nearest(training[:5], training)
    for sound, other in zip(training[:5], found, strict=True):
        np.testing.assert_array_equal(other, from_onset(sound.audio))
    assert len(nearest(test, training)) == len(test)


def test_more_components_come_nearer(sounds: list[OneShot]) -> None:
    from terzetto.evaluate.drum_sounds import log_spectral_distance

    training, test = in_split(sounds, "train"), in_split(sounds, "test")[:8]
    distance = {}
    for size in (1, 32):
        found = principal_components(test, training, size)
        distance[size] = np.mean(
            [log_spectral_distance(from_onset(s.audio), from_onset(f)) for s, f in zip(test, found, strict=True)]
        )
    assert distance[32] < 0.8 * distance[1]
