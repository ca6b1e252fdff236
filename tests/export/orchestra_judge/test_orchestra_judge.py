from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from terzetto.errors import InputError, ModelError  # noqa: E402
from terzetto_export.instrument_judge.features import SAMPLE_RATE  # noqa: E402
from terzetto_export.instrument_judge.notes import CLASSES  # noqa: E402
from terzetto_export.orchestra_judge import recipe as recipe_module  # noqa: E402
from terzetto_export.orchestra_judge.features import BINS, FRAMES, frames, shape  # noqa: E402
from terzetto_export.orchestra_judge.judge import MODEL, OrchestraJudge  # noqa: E402
from terzetto_export.orchestra_judge.network import FOLDS  # noqa: E402
from terzetto_export.orchestra_judge.network import OrchestraJudge as Network  # noqa: E402
from terzetto_export.orchestra_judge.notes import (  # noqa: E402
    AGAIN,
    PLAYERS,
    Notes,
    again,
    judging_fold,
    learned_by,
)
from terzetto_export.orchestra_judge.recipe import OrchestraRecipe, by_fold, changed  # noqa: E402
from terzetto_export.orchestra_judge.train import Plan, export_judge, metrics  # noqa: E402
from terzetto_export.timbre_notes.judges import open_judges  # noqa: E402
from terzetto_export.training import Schedule, fit  # noqa: E402

from ..instrument_judge.instruments import note, recordings  # noqa: E402


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Network, OrchestraJudge, Notes]:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = Network(len(CLASSES))
    training = Notes.of(replace(each, source=PLAYERS) for each in recordings(14, 1))
    validation = Notes.of(replace(each, source=PLAYERS) for each in recordings(3, 2))
    network(torch.from_numpy(shape(validation.levels[:2])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe_module, "BATCH", 64)
        patch.setattr(recipe_module, "STEPS_AN_EPOCH", 80)
        recipe = OrchestraRecipe(network, training, validation, torch.device("cpu"))
        assert fit(recipe, Schedule(1, 3e-3), seed=0, tell=lambda line: None).best > 0.7
    path = tmp_path_factory.mktemp("orchestra") / f"{MODEL}.onnx"
    assert export_judge(network, path, validation) <= 1e-5
    (judge,) = open_judges([str(path)]).values()
    assert isinstance(judge, OrchestraJudge)
    return network, judge, validation


def test_it_hears_notes_of_pitches_it_never_heard(taught: tuple[Network, OrchestraJudge, Notes]) -> None:
    judge = taught[1]
    for rate, gain in ((SAMPLE_RATE, 1.0), (48_000, 0.01)):
        notes = [gain * note(name, 57, 9999, rate) for name in CLASSES]
        verdict = judge.hear(notes, rate, [57] * len(notes))
        assert np.mean([a == b for a, b in zip(verdict.instruments, CLASSES, strict=True)]) > 0.7
        assert np.allclose(np.linalg.norm(verdict.embeddings, axis=1), 1.0)


def test_judges_that_cannot_be_told_apart_are_refused(
    taught: tuple[Network, OrchestraJudge, Notes], tmp_path: Path
) -> None:
    path = str(shutil.copy(taught[1].model.path, tmp_path / f"{MODEL}.onnx"))
    with pytest.raises(ModelError, match=f"two judges are named {MODEL}"):
        open_judges([path, str(taught[1].model.path)])
    onnx = pytest.importorskip("onnx")
    model = onnx.load(path)
    (constants,) = (each for each in model.metadata_props if each.key == "constants")
    constants.value = constants.value.replace('"frames"', '"smells"')
    onnx.save(model, path)
    with pytest.raises(ModelError, match="hears 'smells'; valid are sustained part, frames"):
        open_judges([path])


def test_a_judge_of_two_halves_is_refused_by_name(
    taught: tuple[Network, OrchestraJudge, Notes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the recipe made them before: its halves are not for the same pitches as the folds."""
    monkeypatch.setattr("terzetto_export.orchestra_judge.network.FOLDS", 2)
    network, real = Network(len(CLASSES)), taught[2]
    network(torch.from_numpy(shape(real.levels[:2])))
    export_judge(network, tmp_path / f"{MODEL}.onnx", real)
    with pytest.raises(ModelError, match=f"{MODEL}.onnx: a judge of 2 networks.*terzetto train orchestra-judge"):
        open_judges([str(tmp_path / f"{MODEL}.onnx")])


def test_each_pitch_has_its_fold(taught: tuple[Network, OrchestraJudge, Notes]) -> None:
    judge = taught[1]
    sound = [note("flute", 60, 1)]
    each = [judge.hear(sound, SAMPLE_RATE, [pitch]).likelihood for pitch in (60, 61, 62, 63)]
    everyone = judge.hear(sound, SAMPLE_RATE, [None]).likelihood
    assert not np.allclose(each[0], each[1]) and np.allclose(everyone, np.mean(each, axis=0), atol=1e-5)
    said = np.arange(12.0).reshape(4, 3, 1)
    assert by_fold(said, np.array([60, 63, -1])).ravel().tolist() == [0.0, 10.0, 6.5]


def test_the_fold_that_judges_a_players_note_has_not_learned_its_pitch() -> None:
    notes = Notes.of(replace(each, source=PLAYERS) for each in recordings(4, 3))
    for pitch in np.unique(notes.pitch):
        assert not learned_by(judging_fold(int(pitch)), notes)[notes.pitch == pitch].any()
    font = Notes.of(recordings(1, 3))
    assert all(learned_by(fold, font).all() for fold in range(FOLDS))
    processed = Notes.of(replace(each, source=PLAYERS + AGAIN) for each in recordings(1, 3))
    learned = sum(learned_by(fold, processed).astype(int) for fold in range(FOLDS))
    assert (learned == FOLDS - 1).all()


def test_what_is_put_together_again_sounds_as_before() -> None:
    (once,) = (each for each in recordings(1, 4) if each.instrument == "oboe")
    (made,) = again([once], np.random.default_rng(0))
    assert made.source.endswith(AGAIN) and made.sample_rate == SAMPLE_RATE
    before, after = (shape(frames(each.audio, each.sample_rate)).mean(axis=0) for each in (once, made))
    loud = before > 0.6  # 24 dB
    off = 60 * np.abs(before - after)[loud]  # dB; a vibrato of its own moves some between bins
    assert off.mean() < 3.0 and off.max() < 12.0


def test_frames_know_no_level() -> None:
    sound = note("flute", 60, 0)
    plain, late = (frames(each, SAMPLE_RATE) for each in (sound, 0.1 * sound))
    assert plain.shape == (FRAMES, BINS) and np.abs(shape(plain) - shape(late)).max() < 0.05
    noisy = changed(plain, np.random.default_rng(0))
    assert noisy.shape == plain.shape and not np.allclose(noisy, plain)
    for bad in (np.zeros(0), np.zeros(5000), np.array([np.nan]), np.ones((2, 9))):
        with pytest.raises(InputError):
            frames(bad, SAMPLE_RATE)


def test_its_card_tells_sources_apart(taught: tuple[Network, OrchestraJudge, Notes], tmp_path: Path) -> None:
    network, _, validation = taught
    processed = Notes(**{**vars(validation), "source": tuple(PLAYERS + AGAIN for _ in validation.source)})
    phrases = Notes(**{**vars(validation), "source": tuple("medley-solos" for _ in validation.source)})
    text = metrics(network, validation + processed + phrases, validation)
    assert text.count("macro recall") == 4 and "sms-tools" in text
    assert Plan(out=tmp_path).model == tmp_path / "orchestra_judge.onnx"
