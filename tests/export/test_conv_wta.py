"""The CONV-WTA recipe on made-up beats: it learns their bars, exports the same network, and says what it did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from terzetto.analysis.winners import IN_EACH_COLUMN, OF_EACH_ATOM
from terzetto.analysis.winners import keep_winners as engine_winners
from terzetto.drums.beat import Beat
from terzetto.drums.dictionary import open_dictionary
from terzetto.drums.grid import Hvo
from terzetto.drums.midi import write_beat
from terzetto.errors import InputError
from terzetto_export.conv_wta.baselines import NearestBar, NmfDictionary, bars_of, sections_of
from terzetto_export.conv_wta.drum_sections import read_split, split_of
from terzetto_export.conv_wta.network import ConvWta, keep_winners
from terzetto_export.conv_wta.recipe import Design, DrumRecipe
from terzetto_export.conv_wta.reproduce import Plan as PaperPlan
from terzetto_export.conv_wta.reproduce import reproduce
from terzetto_export.conv_wta.seeds import over_seeds
from terzetto_export.conv_wta.seeds import table as seeds_table
from terzetto_export.conv_wta.train import DESIGNS, Plan, train
from terzetto_export.drum_data.files import Reading
from terzetto_export.drum_data.folder import read_folder

NOTES = np.array([36, 38, 42, 46, 51])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve files of 80 bars out of six patterns."""
    folder = tmp_path_factory.mktemp("beats") / "beats"
    random = np.random.default_rng(0)
    patterns = [random.random((len(NOTES), 16)) < 0.25 for _ in range(6)]
    for number in range(12):
        bars = [patterns[random.integers(6)] for _ in range(80)]
        drum, step = np.nonzero(np.concatenate(bars, axis=1))
        write_beat(folder / f"{number}.mid", Beat.of(step / 4, NOTES[drum], 0.7, bars=80))
    return folder


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    plan = Plan(data=folder, out=tmp_path_factory.mktemp("models"), epochs=200, device="cpu")
    return train(plan, tell=lambda line: None)


def test_a_tiny_training_learns_its_bars(trained: Path, folder: Path) -> None:
    dictionary, test = open_dictionary(str(trained)), read_split(folder).test
    assert trained.name == "beats_dictionary.onnx"
    bars = [Hvo.from_rows(bar) for bar in bars_of(test.rows)]
    found = dictionary.reconstruct(bars)
    hits, truth = (np.stack([bar.hits for bar in each]) for each in (found, bars))
    assert 2 * (hits & truth).sum() / (hits.sum() + truth.sum()) > 0.9
    assert not list(trained.parent.glob("*.ckpt"))


def test_the_card_says_what_and_how_well(trained: Path) -> None:
    card = trained.with_suffix(".md").read_text()
    for part in (
        "How the paper was read",
        "majority of 4 bars",
        "NMF",
        "hit F1",
        "data hash",
        "its own",
        "--data beats",
    ):
        assert part in card
    assert str(trained.parent) not in card


@pytest.mark.parametrize("winners", [OF_EACH_ATOM, IN_EACH_COLUMN])
@pytest.mark.parametrize("k", [1, 2])
def test_engine_and_training_take_the_same_winners(winners: str, k: int) -> None:
    activity = torch.rand(3, 7, 4, generator=torch.Generator().manual_seed(0))
    expected = [engine_winners(each.numpy(), k, winners, 4) for each in activity]
    assert np.array_equal(keep_winners(activity, k, winners).numpy(), np.stack(expected))


def test_k_falls_and_losers_learn_nothing() -> None:
    assert [Design().k_at(share) for share in (0.0, 0.34, 0.67, 1.0)] == [4, 3, 2, 1]
    activity = torch.rand(1, 5, 4, requires_grad=True)
    keep_winners(activity, 1, OF_EACH_ATOM).sum().backward()
    assert activity.grad is not None and int(activity.grad.sum()) == 5


def test_the_tcn_hears_nothing_of_the_future() -> None:
    torch.manual_seed(0)
    network, rows = ConvWta(6, 10, 4, levels=(1, 8, 16, 24)), torch.rand(1, 6, 32)
    changed = rows.clone()
    changed[:, :, 16:] += 1
    before, after = network.activity(rows), network.activity(changed)
    assert before.shape == (1, 10, 8)
    assert torch.equal(before[:, :, :4], after[:, :, :4])


def test_noise_for_training_drops_and_adds(folder: Path) -> None:
    rows = read_split(folder).training.rows
    torch.manual_seed(0)
    recipe = DrumRecipe(rows, rows, Design(noise=0.4), epochs=1)
    noisy, clean = next(recipe.batches(np.random.default_rng(0)))
    was, now = clean[:, :9] > 0.5, noisy[:, :9] > 0.5
    dropped, added = (was & ~now).sum() / was.sum(), (~was & now).sum() / was.sum()
    assert 0.15 < float(dropped) < 0.25 and 0.15 < float(added) < 0.25
    assert not noisy[:, 9:18][was & ~now].any()


def test_baselines(folder: Path) -> None:
    rows = read_split(folder).training.rows
    assert np.array_equal(sections_of(bars_of(rows), len(rows)), rows)
    assert np.array_equal(NearestBar(rows)(rows) > 0.5, rows[:, :9] > 0.5)
    nmf = NmfDictionary(rows, parts=8, iterations=30)
    dense, sparse = ((nmf.value(rows, k) - rows[:, :9]) ** 2 for k in (None, 1))
    assert dense.mean() < 0.02 and dense.mean() <= sparse.mean() + 1e-6


def test_reproduce_draws_figure_3(folder: Path, tmp_path: Path) -> None:
    text = reproduce(PaperPlan(folder, tmp_path, epochs=2), lambda line: None)
    assert "k = 1 after training" in text
    assert (tmp_path / "figure_3.png").read_bytes().startswith(b"\x89PNG") and (tmp_path / "results.json").is_file()


def test_too_little_and_unknown_drummers(tmp_path: Path, folder: Path) -> None:
    write_beat(tmp_path / "one.mid", Beat.of([0], [36], 0.7, bars=4))
    with pytest.raises(InputError, match="too little; at least 64"):
        read_split(tmp_path)
    with pytest.raises(InputError, match="no drummer 'nobody'"):
        read_split(folder, without="nobody")


def test_a_drummer_left_out_is_heard_in_the_test_only(folder: Path) -> None:
    reading = read_folder(folder)
    parts = ["train"] * 8 + ["validation"] * 2 + ["test"] * 2
    files = [
        replace(file, drummer=f"drummer{number % 2}", split=part)
        for number, (file, part) in enumerate(zip(reading.files, parts, strict=True))
    ]
    split = split_of(Reading(files), folder, "drummer1")
    left_out = {file.path for file in files if file.drummer == "drummer1"}
    assert set(split.test.paths) == left_out
    assert not left_out & {*split.training.paths, *split.validation.paths}


def test_seeds_differ_and_each_comes_again(folder: Path) -> None:
    split = read_split(folder)
    results = over_seeds(split, DESIGNS["bars"], 80, [0, 1, 0], lambda line: None)
    first, other, again = results["hit_f1"]["reconstruction"]["each"]
    assert first == again != other
    assert len(results["hit_f1"]) == 5 and "mean over 3 seeds of 80 epochs" in seeds_table(results)
