"""The whole recipe on made-up music with clear hands: it learns, exports the same network, and says what it did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from terzetto.errors import InputError
from terzetto.evaluate import hand_labels as evaluation
from terzetto.models import find_model
from terzetto.score.hand_features import N_FEATURES
from terzetto.score.hand_labels import TASK, HandLabeller, label_hands
from terzetto.score.midi import write_midi
from terzetto.score.notes import LEFT, RIGHT, Score
from terzetto_export.hand_labels.augmentation import (
    NO_LABEL,
    Amount,
    Notes,
    augment,
    change_texture,
    is_mechanical,
    mistranscribe,
    play,
    recombine,
    swap_hands,
    transpose,
)
from terzetto_export.hand_labels.data import read_pieces, split_by_work
from terzetto_export.hand_labels.network import HandEnsemble, HandNetwork
from terzetto_export.hand_labels.patterns import ACCOMPANYING, LEADING, Bar
from terzetto_export.hand_labels.textures import make_texture
from terzetto_export.hand_labels.train import Plan, train


def _piece(seed: int, notes: int = 400) -> Score:
    """Left below, right above, moving freely; the gap between them moves too, so that no fixed split tells them."""
    random = np.random.default_rng(seed)
    rows: list[tuple[float, float, int, float, str]] = []
    for step in range(notes // 2):
        centre = 60 + round(8 * np.sin(step / 25 + seed))
        at = 0.25 * step
        rows.append((at, at + 0.2, int(centre - random.integers(6, 16)), 0.5, "left"))
        rows.append((at, at + 0.2, int(centre + random.integers(6, 16)), 0.5, "right"))
    return Score.from_notes(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pieces")
    for number in range(8):
        write_midi(_piece(number), folder / f"piece_{number}.mid")
    return folder


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("terzetto_export.hand_labels.recipe.BATCH", 8)
        return train(Plan(data=[folder], out=out, epochs=12, device="cpu"), tell=lambda line: None)


def test_a_tiny_training_learns_a_clear_split(trained: Path) -> None:
    new = _piece(99)
    assert (label_hands(new, str(trained)).hand == new.hand).mean() > 0.97
    assert not trained.with_name("hand_labels.seed0.ckpt").exists()


def test_the_model_streams(trained: Path) -> None:
    model, new = find_model(TASK, str(trained), threads=1), _piece(98)
    labeller = HandLabeller(model)
    labels = [label for when, key in zip(new.onset, new.pitch, strict=True) for label in labeller.add(when, key)]
    labels += labeller.flush()
    assert np.mean([label.hand for label in sorted(labels)] == new.hand) > 0.97


def test_an_ensemble_is_the_mean_of_its_networks_piece_by_piece() -> None:
    torch.manual_seed(0)
    networks = [HandNetwork().eval(), HandNetwork().eval()]
    ensemble = HandEnsemble(networks)
    x, live = torch.rand(20, 1, N_FEATURES), torch.zeros(1, 1, 1)
    with torch.no_grad():
        single = torch.stack([net(x, torch.zeros(1, 1, net.memory), live)[0] for net in networks])
        first, state = ensemble(x[:7], torch.zeros(1, 1, ensemble.memory), live)
        second, _ = ensemble(x[7:], state, live)
        whole, _ = ensemble(x, torch.zeros(1, 1, ensemble.memory), torch.ones(1, 1, 1))
    assert not torch.allclose(single[0], single[1])
    assert torch.allclose(torch.cat([first, second]), single.mean(dim=0), atol=1e-6)
    assert not torch.allclose(whole, torch.cat([first, second]), atol=1e-3)


def test_the_card_says_what_was_learned_from_and_how_well(trained: Path) -> None:
    card = trained.with_suffix(".md").read_text()
    for part in (
        "staff agreement",
        "middle-c",
        "hmm",
        "data hash",
        "commit",
        "Works held out",
        "terzetto train hand-labels",
    ):
        assert part in card
    assert "that of the data it was trained on" in card
    assert str(trained.parent) not in card


def test_evaluation_leaves_out_what_was_learned_from(trained: Path, folder: Path) -> None:
    results = evaluation.evaluate(folder, str(trained))
    assert 1 <= results["pieces"] <= 2 and results["pieces"] + len(results["left_out"]) == 8
    assert results["all"]["model"]["mean"] > 0.95
    lonely = folder.parent / "seen"
    lonely.mkdir(exist_ok=True)
    name = results["left_out"][0]
    (lonely / f"{name}.mid").write_bytes((folder / f"{name}.mid").read_bytes())
    with pytest.raises(InputError, match="trained on every work"):
        evaluation.evaluate(lonely, str(trained))


def test_broken_files_are_named_and_skipped(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.mid").write_bytes(b"MThd\0\0")
    one_track = Score.from_notes([(0.0, 1.0, 60, 0.5, "left"), (1.0, 2.0, 64, 0.5, "left")])
    write_midi(one_track, tmp_path / "one_hand.mid")
    (tmp_path / "028-1-XX-004.mid").write_bytes((folder / "piece_0.mid").read_bytes())
    told: list[str] = []
    pieces = read_pieces([tmp_path], told.append)
    assert len(pieces) == 8 and len(told) == 3
    assert any("broken.mid: skipped: the MIDI file is damaged" in line for line in told)
    assert any(
        "one_hand.mid: skipped: the score has no notes for the right hand" in line or "one part only" in line
        for line in told
    )
    assert any("004.mid: left out, the demo" in line for line in told)


def test_too_little_or_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_pieces([tmp_path / "nowhere"])
    with pytest.raises(InputError, match="no scores"):
        read_pieces([tmp_path])
    write_midi(_piece(0), tmp_path / "only.mid")
    with pytest.raises(InputError, match="1 works with 400 notes are too little"):
        read_pieces([tmp_path])


def test_no_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERZETTO_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="set TERZETTO_DATA"):
        train(Plan(recipe="performances"))


def test_works_stay_together(folder: Path, tmp_path: Path) -> None:
    index = ["composer,title,midi"]
    for number, path in enumerate(sorted(folder.iterdir())):
        for player in ("a", "b"):
            (tmp_path / f"{number}_{player}.mid").write_bytes(path.read_bytes())
            index.append(f"Bach,Prelude_bwv_{number},{number}_{player}.mid")
    (tmp_path / "index.csv").write_text("\n".join(index))
    split = split_by_work(read_pieces([tmp_path]))
    parts = [set(split.works(part)) for part in ("training", "validation", "test")]
    assert all(parts) and sum(map(len, parts)) == len(set.union(*parts)) == 8
    assert len(split.training) + len(split.validation) + len(split.test) == 16
    apart = split_by_work(read_pieces([tmp_path, folder]), ("Bach",))
    assert {piece.work.composer for piece in apart.other_composers} == {"Bach"} and len(apart.other_composers) == 16


@pytest.fixture
def notes() -> Notes:
    score = _piece(5)
    return Notes(score.onset, score.pitch, score.hand)


def test_augmentation_keeps_what_it_should(notes: Notes) -> None:
    random = np.random.default_rng(0)
    assert is_mechanical(notes)
    played = play(notes, random)
    assert not is_mechanical(played) and np.array_equal(played.pitch, notes.pitch)
    assert np.abs(np.log(np.ptp(played.onset) / np.ptp(notes.onset))) < 0.5
    swapped = swap_hands(notes)
    assert np.array_equal(swapped.hand, 1 - notes.hand) and 21 <= swapped.pitch.min() <= swapped.pitch.max() <= 108
    assert swapped.pitch[swapped.hand == LEFT].mean() < swapped.pitch[swapped.hand == RIGHT].mean()
    moved = transpose(notes, random).pitch - notes.pitch
    assert np.ptp(moved) == 0 and abs(moved[0]) <= 7
    wrong = mistranscribe(notes, random)
    assert (wrong.hand == NO_LABEL).sum() < 0.15 * len(notes.onset)
    for _ in range(10):
        other = change_texture(notes, random)
        assert len(other.onset) >= len(notes.onset) // 2
        assert other.pitch[other.hand == LEFT].mean() < other.pitch[other.hand == RIGHT].mean()


def test_augmentation_is_the_seeds_alone(notes: Notes) -> None:
    first, second = (augment(notes, Amount(), np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first.onset, second.onset) and np.array_equal(first.pitch, second.pitch)


def test_recombined_hands_keep_one_hand_and_put_another_in_the_others_place(notes: Notes) -> None:
    score = _piece(6)
    other = Notes(score.onset, score.pitch + 7, score.hand)
    for seed in range(4):
        mixed = recombine(notes, other, np.random.default_rng(seed))
        same = [
            np.array_equal(np.sort(mixed.pitch[mixed.hand == h]), np.sort(notes.pitch[notes.hand == h]))
            for h in (LEFT, RIGHT)
        ]
        assert sorted(same) == [False, True]
        moved = mixed.hand == (RIGHT if same[0] else LEFT)
        kept_place = np.median(mixed.pitch[moved]) - np.median(notes.pitch[notes.hand == (RIGHT if same[0] else LEFT)])
        assert abs(kept_place) <= 8
        assert notes.onset.min() <= mixed.onset.min() and mixed.onset.max() <= notes.onset.max()


def test_made_up_textures_are_playable_and_the_seeds_alone() -> None:
    alone = lower = 0
    for seed in range(40):
        made, again = (make_texture(280, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(made.pitch, again.pitch) and np.array_equal(made.hand, again.hand)
        assert is_mechanical(made) or len(set(made.hand.tolist())) == 1
        assert 150 < len(made.onset) < 400 and 21 <= made.pitch.min() <= made.pitch.max() <= 108
        hands = [made.pitch[made.hand == hand] for hand in (LEFT, RIGHT)]
        if min(map(len, hands)) == 0:
            alone += 1
            continue
        lower += hands[0].mean() < hands[1].mean()
    assert alone < 10 and lower == 40 - alone


def test_every_pattern_stays_on_its_side() -> None:
    bar = Bar(8.0, 4, [0, 2, 4, 5, 7, 9, 11], [0, 4, 7])
    for pattern in {*LEADING, *ACCOMPANYING}:
        for sign, nearest in ((-1, 57.0), (1, 64.0)):
            rows = [row for seed in range(20) for row in pattern(nearest, sign, np.random.default_rng(seed))(bar)]
            assert rows and all(8.0 <= at < 12.5 for at, _ in rows)
            beyond = [pitch for _, pitch in rows if sign * (pitch - nearest) < -1]
            assert len(beyond) <= 0.25 * len(rows), pattern.__name__
