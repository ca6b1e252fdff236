"""The performance recipe on made-up performances: it learns their figures, and each command does what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from torch.nn.utils import parametrize

from terzetto.analysis.performance_atoms import atom_notes, used_atoms
from terzetto.analysis.performance_dictionary import (
    PerformanceDictionary,
    likely_line,
    open_performance_dictionary,
)
from terzetto.analysis.performance_drawing import draw_atoms
from terzetto.analysis.performance_edits import columns_between, denoise, note_values, shift_variance, simplify
from terzetto.analysis.winners import IN_EACH_COLUMN, OF_EACH_ATOM
from terzetto.cli import main
from terzetto.errors import InputError, ModelError
from terzetto.models import shipped_folder
from terzetto.score.midi import read_midi, write_midi
from terzetto.score.notes import UNKNOWN, Score
from terzetto.score.performance_events import EVENTS, NOTE_OFF, TIME_SHIFT, VELOCITY, from_events, one_hot, to_events
from terzetto_export.conv_wta import performance_reproduce, performance_train
from terzetto_export.conv_wta.composers import measure as measure_composers
from terzetto_export.conv_wta.event_products import activity_of, error_of_event, lay_back, lay_out
from terzetto_export.conv_wta.network import ConvWta, keep_winners
from terzetto_export.conv_wta.performance_measures import accuracy, add_noise, middle, note_f1
from terzetto_export.conv_wta.performance_recipe import learn
from terzetto_export.conv_wta.performance_reproduce import PianoPlan
from terzetto_export.conv_wta.performance_train import DESIGNS, Plan, train
from terzetto_export.conv_wta.performances import Split, read_split
from terzetto_export.conv_wta.piano_bars import read_pieces
from terzetto_export.conv_wta.recipe import AFTER, DURING
from terzetto_export.conv_wta.reproduce import Plan as PaperPlan
from terzetto_export.conv_wta.reproduce import reproduce
from terzetto_export.drum_data.piano import read_performances
from tests.export.performances import performance, write_maestro

SMALL = replace(DESIGNS["plain"], atoms=40, k_first=12, k_last=8)


@pytest.fixture(scope="module")
def maestro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_maestro(tmp_path_factory.mktemp("data") / "maestro")


@pytest.fixture(scope="module")
def split(maestro: Path) -> Split:
    return read_split(maestro)


@pytest.fixture(scope="module")
def made(maestro: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dictionary with its card."""
    out = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(performance_train.DESIGNS, "plain", SMALL)
        return train(Plan(data=maestro, out=out, epochs=40, columns=16), lambda line: None)


@pytest.fixture(scope="module")
def dictionary(made: Path) -> PerformanceDictionary:
    return open_performance_dictionary(str(made))


@pytest.fixture
def take(tmp_path: Path) -> Path:
    path = tmp_path / "take.mid"
    write_midi(performance("Ascending", 9), path)
    return path


def test_works_are_split_as_published(split: Split) -> None:
    assert [len(part) for part in (split.training, split.validation, split.test)] == [9, 3, 3]
    assert {line.work for line in split.test} == {f"{name}: Study 4" for name in ("Ascending", "Descending", "Leaping")}


def test_a_composer_can_be_left_out(maestro: Path) -> None:
    split = read_split(maestro, "Leaping")
    assert {line.composer for line in split.test} == {"Leaping"} and len(split.test) == 5
    assert {line.composer for line in (*split.training, *split.validation)} == {"Ascending", "Descending"}
    with pytest.raises(InputError, match="no composer 'Nobody'; there are: Ascending, Descending, Leaping"):
        read_split(maestro, "Nobody")


def test_it_learns_what_comes_again(dictionary: PerformanceDictionary, split: Split) -> None:
    for line in split.test:
        events = middle(line, dictionary.kernel)
        found = dictionary.values(events).argmax(axis=0)
        assert accuracy(found, events) > 0.55 > accuracy(np.full(len(events), 256 + 7), events)
        assert note_f1(events, events) == 1.0 and note_f1(found, events) > 0.5


def test_the_card_says_what_it_is(made: Path) -> None:
    card = made.with_suffix(".md").read_text(encoding="utf-8")
    for part in (
        "not shipped",
        "16 events",
        "held-out works",
        "terzetto train performance-dictionary",
        "[1, 8, 16, 24]",
    ):
        assert part in card
    assert not made.with_suffix(".ckpt").exists()


class _CutOffError(Exception):
    pass


def test_a_run_that_was_cut_off_ends_like_one_that_was_not(split: Split, tmp_path: Path) -> None:
    def cut_off(line: str) -> None:
        if line.startswith("epoch 3/"):  # told before the third epoch's checkpoint is written
            raise _CutOffError

    def run(tell: Callable[[str], None], resume: bool = False) -> torch.Tensor:
        checkpoint = tmp_path / "run.ckpt"
        few, one = split.training[:3], split.validation[:1]
        network, _ = learn(few, one, SMALL, epochs=4, columns=8, checkpoint=checkpoint, resume=resume, tell=tell)
        return network.decoder.weight.detach()

    whole = run(lambda line: None)
    with pytest.raises(_CutOffError):
        run(cut_off)
    assert torch.equal(run(lambda line: None, resume=True), whole)
    (tmp_path / "run.ckpt").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"not a checkpoint of this recipe .*; remove it or train without --resume"):
        run(lambda line: None, resume=True)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("winners", "taken", "levels", "apart"),
    [
        (IN_EACH_COLUMN, DURING, (), False),
        (OF_EACH_ATOM, DURING, (), False),
        (IN_EACH_COLUMN, AFTER, (), False),
        (IN_EACH_COLUMN, DURING, (8, 16, 24), False),
        (IN_EACH_COLUMN, DURING, (8, 16, 24), True),
    ],
)
def test_the_products_are_the_network_s(
    split: Split, winners: str, taken: str, levels: tuple[int, ...], apart: bool, whole: bool
) -> None:
    """Loss and derivatives are those of the convolutions, as computed on a processor and on a GPU (``whole``)."""
    torch.manual_seed(0)
    kernel, columns = 16, 12
    network = ConvWta(EVENTS, 40, kernel, levels, rows_apart=apart)
    events = split.training[0].events[: columns * kernel].copy()
    events[5] = events[3]  # twice within the TCN's reach
    rows, batch = torch.from_numpy(one_hot(events))[None], torch.from_numpy(events.reshape(columns, kernel))

    def found(fast: bool) -> list[torch.Tensor]:
        weights = [network.encoder.weight, network.decoder.weight, network.encoder.bias, *network.tcn.parameters()]
        activity = activity_of(network, batch, whole=whole) if fast else network.activity(rows)
        code = activity if taken == AFTER else keep_winners(activity, 5, winners)
        dense = EVENTS * torch.nn.functional.mse_loss(network.decoder(code), rows)
        loss = error_of_event(network, code, batch, whole=whole) if fast else dense
        return [loss, *torch.autograd.grad(loss, weights)]

    def kept(layer: torch.nn.Module) -> torch.Tensor:
        return layer.parametrizations.weight.original

    dense = found(fast=False)
    torch.testing.assert_close(found(fast=True), dense, rtol=1e-4, atol=1e-7)
    lay_out(network)
    with parametrize.cached():
        torch.testing.assert_close(found(fast=True), dense, rtol=1e-4, atol=1e-7)
    assert kept(network.encoder).is_contiguous() and kept(network.decoder).is_contiguous()
    lay_back(network)
    torch.testing.assert_close(found(fast=False), dense, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("recipe", ["paper", "of-each-atom"])
def test_the_other_recipes_learn_too(split: Split, recipe: str) -> None:
    design = replace(DESIGNS[recipe], atoms=30, k_first=8, k_last=6)
    _, history = learn(split.training, split.validation, design, epochs=3, columns=16, tell=lambda line: None)
    assert history.loss[-1] < history.loss[0]


def first_editions(folder: Path) -> Path:
    """Write made-up waltzes by the names of the first editions: an upbeat, then a low note on each first beat."""
    folder.mkdir()
    for number, opus in enumerate((6, 7, 17, 24, 30)):
        beats = np.arange(25)
        pitch = np.where(beats % 3 == 1, 40 + number, 64 + beats % 3)
        onset, unknown = 0.5 * beats, np.full(25, UNKNOWN)
        score = Score(onset, onset + 0.4, pitch, np.full(25, 0.5), unknown, np.zeros(25, int), ("lh",))
        write_midi(score, folder / f"{opus:03}-1-KI-001.mid")
    return folder


def test_bars_begin_where_the_left_hand_is_lowest(tmp_path: Path) -> None:
    pieces = read_pieces(first_editions(tmp_path / "scores"), lambda line: None)
    assert [len(part) for part in (pieces.training, pieces.validation, pieces.test)] == [3, 1, 1]
    bars = pieces.test[0].bars
    assert bars.shape == (88, 9 * 36) and bars.sum() == 25
    assert np.flatnonzero(bars[43 - 21]).tolist() == [36 * n for n in range(1, 9)]


def test_the_paper_is_reproduced_in_small(maestro: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, design in performance_reproduce.DESIGNS.items():
        monkeypatch.setitem(performance_reproduce.DESIGNS, name, replace(design, atoms=30))
    plan = PianoPlan(maestro, first_editions(tmp_path / "scores"), tmp_path, epochs=2, columns=8, pieces=3)
    text = reproduce(PaperPlan(None, tmp_path, epochs=1, piano=plan), lambda line: None)
    results = json.loads((tmp_path / "results.json").read_text())
    assert set(results["piano"]["designs"]) == set(performance_reproduce.designs(8)) and "drums" not in results
    assert all(name in text for name in results["piano"]["designs"]) and "kernels of a bar" in text
    for figure in ("figure_2.png", "figure_3.png"):
        assert (tmp_path / figure).read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="neither drums nor piano"):
        PaperPlan(None, tmp_path, epochs=1)


def test_a_likely_line_makes_sense() -> None:
    values = one_hot([60, 60, NOTE_OFF + 62, VELOCITY, TIME_SHIFT, 64])
    values[NOTE_OFF + 60, 1] = 0.5  # down already: it comes up instead
    values[61, 2] = 0.4  # what is up cannot come up
    values[62, 4] = 0.3  # after a velocity, a key
    assert likely_line(values).tolist() == [60, NOTE_OFF + 60, 61, VELOCITY, 62, 64]
    assert likely_line(np.zeros((388, 5), np.float32)).tolist() == []


def test_spurious_notes_have_low_values_and_go(dictionary: PerformanceDictionary) -> None:
    noisy, true = add_noise(performance("Ascending", 9), 0.1, seed=1)
    values = note_values(noisy, dictionary.values(to_events(noisy)))
    assert 5 < (~true).sum() < 40
    assert values[true].mean() > values[~true].mean() + 0.1
    clean = denoise(dictionary, noisy, keep=0.2)
    assert len(clean) < len(noisy) and set(clean.onset) <= set(noisy.onset)


def test_fewer_atoms_explain_fewer_notes(dictionary: PerformanceDictionary) -> None:
    score = performance("Descending", 3)
    counts = [len(simplify(dictionary, score, atoms)) for atoms in (1, 5, 40)]
    assert counts[0] <= counts[1] <= counts[2] <= len(score) and counts[0] < counts[2]


def test_what_never_came_is_shift_variant(dictionary: PerformanceDictionary) -> None:
    score = performance("Ascending", 9)
    odd = replace(score, pitch=np.where((score.onset > 6) & (score.onset < 9), 127 - score.pitch, score.pitch))
    times, error = shift_variance(dictionary, odd)
    assert len(times) == len(error)
    inside = (times > 6) & (times < 8.5)
    assert error[inside].mean() > 1.2 * error[~inside].mean()


def test_what_is_heard_of_an_atom_is_what_it_adds(dictionary: PerformanceDictionary, split: Split) -> None:
    score = from_events(split.test[0].events)
    used = used_atoms(dictionary, score)
    code = dictionary.encode(score)
    assert {each.index for each in used} == set(np.flatnonzero(code.max(axis=1) > 0).tolist())
    assert sum(each.share for each in used) == pytest.approx(1.0)
    heard = 0
    for each in used:
        atom = dictionary.atoms[each.index]
        try:
            notes = atom_notes(dictionary, each.index)
        except InputError as problem:
            assert "no key goes down in it" in str(problem)
            continue
        heard += 1
        assert all(atom[pitch].max() > 0 for pitch in notes.pitch)
    assert heard > 0
    with pytest.raises(InputError, match="there is no atom 40; there are 0 to 39"):
        atom_notes(dictionary, 40)


@pytest.mark.parametrize(("atoms", "rows"), [(0, 1), (5, 2), (800, 16)])
def test_a_picture_of_atoms_is_no_larger_than_can_be_drawn(
    dictionary: PerformanceDictionary, tmp_path: Path, atoms: int, rows: int
) -> None:
    draw_atoms(dictionary, [0] * atoms, tmp_path / "atoms.png")
    height, width, _ = imread(tmp_path / "atoms.png").shape
    assert (height, width) == (rows * 484, 1144)


def test_columns_are_where_the_seconds_are(dictionary: PerformanceDictionary) -> None:
    score = performance("Ascending", 9)
    times = dictionary.column_times(to_events(score))
    found = columns_between(dictionary, score, 4.0, 6.0)
    assert times[found.start] <= 4.0 < times[found.start + 1] and times[found.stop - 1] < 6.0 <= times[found.stop]
    with pytest.raises(InputError, match="give two times within"):
        columns_between(dictionary, score, 90.0, 95.0)


def test_composers_are_told_apart(dictionary: PerformanceDictionary, split: Split) -> None:
    results = measure_composers(dictionary, split, lambda line: None)
    told = results["accuracy"]
    assert (
        told["atoms (15 works, 3)"][0]["mean"] > 0.9 > told["always the one with most works (15 works, 3)"][0]["mean"]
    )
    assert all("works by Haydn" in each for each in results["claim"].values())


def test_each_command_works(made: Path, maestro: Path, take: Path, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    other = tmp_path / "other.mid"
    write_midi(performance("Leaping", 4), other)
    model = ["--model", str(made)]
    for command, extra in (
        ("reconstruct", []),
        ("denoise", ["--keep", "0.1"]),
        ("simplify", ["--keep", "20"]),
        ("swap", [str(other), "--atoms", "3"]),
    ):
        out = tmp_path / f"{command}.mid"
        assert main(["piano", command, str(take), *extra, "-o", str(out), "--json", *model]) == 0, command
        assert json.loads(capsys.readouterr().out)["notes"] == len(read_midi(out))
    for command in (f"reconstruct {take} -o {take}", f"swap {take} {other} -o {other}"):
        assert main(["piano", *command.split(), *model]) == 2
        assert "would replace what it is made from" in capsys.readouterr().err
    way = tmp_path / "way"
    assert (
        main(["piano", "interpolate", str(take), str(other), "--only", "4-8", "--steps", "3", "-o", str(way), *model])
        == 0
    )
    assert len(list(way.glob("*.mid"))) == 3
    assert main(["piano", "variance", str(take), "-o", str(tmp_path / "v.png"), *model]) == 0
    capsys.readouterr()
    assert main(["piano", "atoms", str(take), "--top", "6", "-o", str(tmp_path / "atoms"), "--json", *model]) == 0
    atoms = json.loads(capsys.readouterr().out)
    shares = [each["share"] for each in atoms["atoms"]]
    assert len(shares) == 6 and shares == sorted(shares, reverse=True) and sum(shares) < 1
    picture, *heard = map(Path, atoms["files"])
    assert picture.is_file() and heard and all(len(read_midi(path)) for path in heard)
    assert main(["piano", "similar", str(take), str(maestro / "2004"), "--top", "2", "--json", *model]) == 0
    assert all("ascending" in each["take"] for each in json.loads(capsys.readouterr().out)["similar"])
    folder = tmp_path / "composers"
    for name in ("ascending", "descending", "leaping"):
        (folder / name).mkdir(parents=True)
        for number in range(3):
            write_midi(performance(name.capitalize(), number), folder / name / f"study{number}_x__a.mid")
    asked = [
        "piano",
        "map",
        str(folder),
        "-o",
        str(tmp_path / "m.png"),
        "--nearer",
        "ascending",
        "descending",
        "leaping",
    ]
    assert main([*asked, "--json", *model]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["distances"]) == 3 and found["nearer"]["verdict"] in ("nearer", "farther", "undecided")
    assert (tmp_path / "m.png").is_file() and (tmp_path / "v.png").is_file()


def test_a_place_that_cannot_be_written_to_is_said(made: Path, take: Path, capsys: pytest.CaptureFixture[str]) -> None:
    below = str(take / "below")
    for asked in (["reconstruct", str(take), "-o", below + ".mid"], ["interpolate", str(take), str(take), "-o", below]):
        assert main(["piano", *asked, "--model", str(made)]) == 2
        assert "could not be written" in capsys.readouterr().err


def test_without_a_dictionary_each_command_says_how_to_make_it(
    take: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    out = tmp_path / "out.mid"
    assert main(["piano", "denoise", str(take), "-o", str(out)]) == 2
    assert "make one with: terzetto train performance-dictionary" in capsys.readouterr().err
    assert not out.exists()
    with pytest.raises(ModelError, match="needed is one for 'performance-dictionary'"):
        open_performance_dictionary(str(shipped_folder() / "drum_dictionary.onnx"))


def test_too_little_is_refused(maestro: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 3 to train on"):
        read_split(maestro, pieces=2)
    with pytest.raises(InputError, match="no such folder"):
        read_split(tmp_path / "none")
    long, split = replace(SMALL, kernel=1_000_000), read_split(maestro)
    with pytest.raises(InputError, match="no performance to train on has 1000000 events, the length of one kernel"):
        learn(split.training, split.validation, long, tell=lambda line: None)


@pytest.mark.data
def test_real_performances_come_back_from_their_events(data: Path) -> None:
    folder = data / "piano" / "performances"
    listed = read_performances(folder)
    for each in (listed[0], listed[len(listed) // 2], listed[-1]):
        score = each.read()
        events = to_events(score)
        found = from_events(events)
        assert np.array_equal(to_events(found), events)
        assert 0.99 * len(score) <= len(found) <= len(score)
        assert found.end == pytest.approx(score.sounding_offset().max(), abs=0.006)
