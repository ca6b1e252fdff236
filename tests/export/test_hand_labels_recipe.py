"""The whole recipe on made-up music with clear hands: it learns, exports the same network, and says what it did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from terzetto.errors import InputError
from terzetto.evaluate import hand_labels as evaluation
from terzetto.score.hand_features import N_FEATURES, N_HELD, features, held_features, order_notes
from terzetto.score.hand_labels import HandLabeller, label_hands
from terzetto.score.midi import write_midi
from terzetto.score.notes import LEFT, RIGHT, Score
from terzetto.score.works import Work
from terzetto_export.hand_labels import augmentation
from terzetto_export.hand_labels.attention import WholeEnsemble, WholeNetwork
from terzetto_export.hand_labels.augmentation import Amount, Dice, augment
from terzetto_export.hand_labels.batched_features import features as batched_features
from terzetto_export.hand_labels.counterpoint import make_counterpoint
from terzetto_export.hand_labels.data import Piece, read_pieces, split_by_work
from terzetto_export.hand_labels.made_up import make_up
from terzetto_export.hand_labels.patterns import ACCOMPANYING, LEADING, Bar
from terzetto_export.hand_labels.recurrent import LiveEnsemble, LiveNetwork
from terzetto_export.hand_labels.stretches import NO_LABEL, Pool, Stretches, in_reading_order, is_mechanical
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


def _train(folder: Path, out: Path, live: bool) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("terzetto_export.hand_labels.recipe.BATCH", 8)
        patch.setattr("terzetto_export.hand_labels.recipe.STEPS", 8)
        patch.setattr("terzetto_export.hand_labels.train.MADE_UP_PIECES", 8)
        patch.setattr("terzetto_export.hand_labels.train.WHOLE_SIZE", (64, 2, 2))
        patch.setattr("terzetto_export.hand_labels.train.LIVE_SIZE", (64, 32))
        return train(Plan(data=[folder], live=live, out=out, epochs=6, device="cpu"), tell=lambda line: None)


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _train(folder, tmp_path_factory.mktemp("models"), live=False)


def test_a_tiny_training_learns_a_clear_split(trained: Path) -> None:
    new = _piece(99)
    assert (label_hands(new, str(trained)).hand == new.hand).mean() > 0.97
    assert not trained.with_name("hand_labels.seed0.ckpt").exists()


def test_the_live_model_streams(folder: Path, tmp_path: Path) -> None:
    path, new = _train(folder, tmp_path, live=True), _piece(98)
    labeller = HandLabeller(str(path))
    labels = [label for when, key in zip(new.onset, new.pitch, strict=True) for label in labeller.add(when, key)]
    labels += labeller.flush()
    assert np.mean([label.hand for label in sorted(labels)] == new.hand) > 0.95
    assert path.stem == "hand_labels_live" and "--live" in path.with_suffix(".md").read_text()
    assert evaluation.evaluate(folder, str(path), live=True)["all"]["model"]["mean"] > 0.95


def test_ensembles_are_the_mean_of_their_networks() -> None:
    torch.manual_seed(0)
    live = [LiveNetwork().eval(), LiveNetwork().eval()]
    together = LiveEnsemble(live)
    x = torch.rand(20, 1, N_FEATURES)
    with torch.no_grad():
        single = torch.stack([net(x, torch.zeros(1, 1, net.memory))[0] for net in live])
        first, state = together(x[:7], torch.zeros(1, 1, together.memory))
        second, _ = together(x[7:], state)
    assert not torch.allclose(single[0], single[1])
    assert torch.allclose(torch.cat([first, second]), single.mean(dim=0), atol=1e-6)
    whole = [WholeNetwork(64, 2, 1).eval(), WholeNetwork(64, 2, 1).eval()]
    table, time, pitch = torch.rand(2, 9, N_FEATURES + N_HELD), torch.rand(2, 9), torch.full((2, 9), 60.0)
    with torch.no_grad():
        singly = [net(table, time, pitch) for net in whole]
        assert torch.allclose(WholeEnsemble(whole)(table, time, pitch), (singly[0] + singly[1]) / 2)


def test_attention_goes_by_distances_not_by_the_clock_or_the_order() -> None:
    torch.manual_seed(1)
    net = WholeNetwork(64, 2, 2).eval()
    table, time = torch.rand(1, 12, N_FEATURES + N_HELD), torch.rand(1, 12).sort().values * 5
    pitch = torch.randint(40, 80, (1, 12)).float()
    order = torch.randperm(12)
    with torch.no_grad():
        plain = net(table, time, pitch)
        assert torch.allclose(net(table, time + 100.0, pitch), plain, atol=1e-3)
        assert torch.allclose(net(table[:, order], time[:, order], pitch[:, order]), plain[:, order], atol=1e-5)
        assert not torch.allclose(net(table, time * 2, pitch), plain, atol=1e-3)


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


def _pool(*seeds: int) -> Pool:
    scores = [_piece(seed) for seed in seeds]
    return Pool(
        [Piece(Path(), Work("", "", ""), each.onset, each.pitch, each.hand, each.offset) for each in scores],
        torch.device("cpu"),
    )


def _draw(seed: int = 0, stretches: int = 12) -> tuple[Stretches, Stretches, Dice]:
    random = torch.Generator().manual_seed(seed)
    pool = _pool(5, 6)
    return pool.draw(stretches, 200, random), pool.draw(stretches, 200, random), Dice(stretches, random)


def _mean_pitch(stretches: Stretches, hand: int) -> Tensor:
    chosen = stretches.there & (stretches.hand == hand)
    return (stretches.pitch * chosen).sum(1) / chosen.sum(1)


def test_batched_features_are_those_of_one_performance() -> None:
    drawn, others, _ = _draw()
    random = torch.Generator().manual_seed(3)
    ordered, event, time = in_reading_order(augment(drawn, others, Amount(), random))
    table = batched_features(ordered.pitch, event, time, ordered.offset, ordered.there)
    for row in range(3):
        there = ordered.there[row].numpy()
        n = int(there.sum())
        assert there[:n].all()
        pitch, offset = ordered.pitch[row, :n].numpy(), ordered.offset[row, :n].double().numpy()
        onset = ordered.onset[row, :n].double().numpy()
        order, number, when = order_notes(onset, pitch)
        assert np.array_equal(number, event[row, :n].numpy()) and np.array_equal(order, np.arange(n))
        one = np.concatenate(
            [features(pitch, number, when, slice(None)), held_features(pitch, number, when, offset, slice(None))],
            axis=1,
        )
        # A note exactly at the edge of a zone may fall to either side in single precision.
        assert (np.abs(one - table[row, :n].numpy()) > 1e-4).mean() < 1e-4


def test_a_player_keeps_the_notes_and_gives_them_a_time() -> None:
    drawn, _, dice = _draw()
    assert drawn.written.all()
    played = augmentation.play(drawn, dice)
    assert torch.equal(played.pitch, drawn.sorted().pitch) and (played.offset > played.onset).all()
    assert not any(is_mechanical(row.double().numpy()) for row in played.onset)
    longer = (played.onset.amax(1) - played.onset.amin(1)) / (drawn.onset.amax(1) - drawn.onset.amin(1))
    assert (longer.log().abs() < 0.5).all()


def test_each_change_keeps_what_it_should() -> None:
    drawn, others, dice = _draw()
    swapped = augmentation.swap_hands(drawn)
    assert torch.equal(swapped.hand, 1 - drawn.hand) and ((swapped.pitch >= 21) & (swapped.pitch <= 108)).all()
    moved = augmentation.transpose(drawn, dice).pitch - drawn.pitch
    assert (moved.amax(1) == moved.amin(1)).all() and moved.abs().max() <= 7 and moved.unique().numel() > 3
    for change in (augmentation.thin_out, augmentation.move_a_hand, augmentation.silence_a_hand):
        changed = change(drawn, dice)
        assert (changed.there.sum(1) >= 80).all() and (_mean_pitch(changed, LEFT) < _mean_pitch(changed, RIGHT)).all()
    ringing = augmentation.sustain(drawn, dice)
    assert (ringing.offset >= drawn.offset).all() and torch.equal(ringing.onset, drawn.onset)
    mixed = augmentation.recombine(drawn, others, dice)
    for row in range(len(mixed.onset)):
        kept = [torch.equal(*(_pitches(each, row, hand) for each in (mixed, drawn))) for hand in (LEFT, RIGHT)]
        assert any(kept) or not mixed.there[row].all()
    assert (_mean_pitch(mixed, LEFT) < _mean_pitch(mixed, RIGHT)).all()


def _pitches(stretches: Stretches, row: int, hand: int) -> Tensor:
    return stretches.pitch[row][stretches.there[row] & (stretches.hand[row] == hand)].sort().values


def test_mistakes_are_as_many_as_chosen_and_have_no_label() -> None:
    drawn, _, dice = _draw()
    chosen = torch.arange(len(drawn.onset)) % 2 == 0
    wrong = augmentation.mistranscribe(drawn, dice, chosen)
    invented = (wrong.there & (wrong.hand == NO_LABEL)).sum(1)
    assert (invented[chosen] <= 20).all() and invented[chosen].sum() > 0 and invented[~chosen].sum() == 0
    assert (wrong.there.sum(1)[~chosen] == drawn.there.sum(1)[~chosen]).all()
    assert (wrong.there & (wrong.hand != NO_LABEL)).sum(1)[chosen].sum() < drawn.there.sum(1)[chosen].sum()


def test_augmentation_is_the_seeds_alone() -> None:
    drawn, others, _ = _draw()
    first, second = (augment(drawn, others, Amount(), torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first.onset, second.onset) and torch.equal(first.pitch, second.pitch)
    assert (first.onset.diff(dim=1) >= 0).all()
    # Where ends are not told, none is.
    timeless = (first.offset == first.onset).all(1)
    assert 0 < timeless.sum() < len(timeless)


def test_made_up_voices_hardly_cross_and_inner_ones_change_hands() -> None:
    changed = crossed = chords = 0
    for seed in range(12):
        rows = make_counterpoint(280, np.random.default_rng(seed))
        assert rows == make_counterpoint(280, np.random.default_rng(seed)) and len(rows) > 100
        onset, offset, pitch, hand = (np.array(column) for column in zip(*rows, strict=True))
        assert (offset > onset).all() and (np.diff(onset) >= 0).all() and 21 <= pitch.min() <= pitch.max() <= 108
        for at in np.unique(onset):
            chord = np.flatnonzero(onset == at)
            low, high = pitch[chord][hand[chord] == LEFT], pitch[chord][hand[chord] == RIGHT]
            chords += 1
            crossed += bool(len(low) and len(high) and low.max() >= high.min())
        overlap = pitch[hand == LEFT].max() - pitch[hand == RIGHT].min()
        changed += overlap > 0
    assert changed > 6 and crossed < 0.02 * chords


def test_made_up_pieces_have_ends() -> None:
    for piece in make_up(12, 200, np.random.default_rng(0)):
        assert (piece.offset > piece.onset).all() and (piece.offset - piece.onset).max() < 60


def test_made_up_textures_are_playable_and_the_seeds_alone() -> None:
    alone = lower = 0
    for seed in range(40):
        made, again = (make_texture(280, np.random.default_rng(seed)) for _ in range(2))
        assert all(np.array_equal(*pair) for pair in zip(made, again, strict=True))
        onset, pitch, played_by = made
        assert is_mechanical(onset) or len(set(played_by.tolist())) == 1
        assert 150 < len(onset) < 400 and 21 <= pitch.min() <= pitch.max() <= 108
        hands = [pitch[played_by == hand] for hand in (LEFT, RIGHT)]
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
