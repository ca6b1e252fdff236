"""Hands for unlabelled notes: the shipped model offline and live, the baselines, what is odd about real input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from terzetto.errors import InputError, ModelError
from terzetto.models import shipped_folder
from terzetto.score import hand_path, hand_reader
from terzetto.score.hand_baselines import Parameters, merged_output_hmm
from terzetto.score.hand_features import features, group_events, held_features, order_notes
from terzetto.score.hand_labels import (
    BASELINES,
    LOOK_AHEAD,
    HandLabeller,
    Label,
    label_hands,
    open_labeller_model,
    open_live_model,
)
from terzetto.score.hand_path import HandPath, probabilities
from terzetto.score.hand_reader import read_whole, windows
from terzetto.score.notes import LEFT, RIGHT, UNKNOWN, Score
from terzetto.score.read import read_score


def _score(
    onset: list[float] | np.ndarray, pitch: list[int] | np.ndarray, hand: list[int] | np.ndarray | None = None
) -> Score:
    onset = np.asarray(onset, float)
    n = len(onset)
    known = np.full(n, UNKNOWN) if hand is None else np.asarray(hand)
    return Score(onset, onset + 0.2, np.asarray(pitch), np.full(n, 0.5), known, np.zeros(n, int), ("piano",))


@pytest.fixture(scope="module")
def waltz() -> Score:
    """Bass, chord, chord; a melody above; the hands an octave and more apart; chords a little spread."""
    random = np.random.default_rng(0)
    rows: list[tuple[float, int, int]] = []
    for bar in range(40):
        root = int(random.choice((41, 43, 45, 48)))
        for beat in range(3):
            at = 1.8 * bar + 0.6 * beat
            chord = (root,) if beat == 0 else (root + 7, root + 12)
            rows += [(at + random.uniform(0, 0.02), pitch, LEFT) for pitch in chord]
            rows += [
                (at + 0.3 * half + random.uniform(0, 0.02), int(random.integers(72, 86)), RIGHT) for half in (0, 1)
            ]
    onset, pitch, hand = zip(*rows, strict=True)
    return _score(list(onset), list(pitch), list(hand))


def _labels(score: Score) -> list[Label]:
    labeller = HandLabeller()
    labels = [label for when, key in zip(score.onset, score.pitch, strict=True) for label in labeller.add(when, key)]
    labels += labeller.flush()
    assert sorted(label.note for label in labels) == list(range(len(score)))
    return sorted(labels)


def _live(score: Score) -> np.ndarray:
    return np.array([label.hand for label in _labels(score)])


def test_clear_hands_are_told(waltz: Score) -> None:
    assert (label_hands(waltz).hand == waltz.hand).mean() > 0.98


def test_labels_the_score_had_do_not_matter(waltz: Score) -> None:
    wrong = waltz.with_hands(1 - waltz.hand)
    assert np.array_equal(label_hands(wrong).hand, label_hands(waltz).hand)


def test_live_tells_clear_hands_too(waltz: Score) -> None:
    assert (_live(waltz) == waltz.hand).mean() > 0.98
    assert (_live(waltz) == label_hands(waltz).hand).mean() > 0.98


def test_offline_knows_what_follows_and_live_does_not(waltz: Score) -> None:
    """Live, what comes later than the look-ahead changes nothing."""
    changed = _score(waltz.onset, np.where(waltz.onset > 20, waltz.pitch - 12, waltz.pitch))
    early = waltz.onset < 15
    assert [label.right for label in _labels(waltz)][: early.sum()] == [label.right for label in _labels(changed)][
        : early.sum()
    ]
    random = np.random.default_rng(4)
    unclear = _score(np.arange(400) * 0.2, random.integers(50, 70, 400))
    cut = unclear.select(np.arange(400) < 200)
    # What lies far before the cut is read alike; near it, the rest is missed.
    assert (label_hands(unclear).hand[:60] == label_hands(cut).hand[:60]).mean() > 0.8
    assert not np.array_equal(label_hands(unclear).hand, _live(unclear))


def test_a_long_performance_is_read_in_pieces_that_do_not_show(waltz: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_labeller_model()
    notes = waltz.onset, waltz.offset, waltz.pitch
    whole, likely = read_whole(model, *notes)
    monkeypatch.setattr("terzetto.score.hand_reader._AT_ONCE", 1)
    in_pieces, likely_so = read_whole(model, *notes)
    assert np.array_equal(whole, in_pieces) and np.abs(likely - likely_so).max() < 1e-3
    assert ((likely > 0.5) == whole).mean() > 0.95


def test_windows_give_every_note_the_word_once() -> None:
    for notes in (1, 5, 255, 256, 257, 384, 385, 1000):
        said = np.zeros(notes, int)
        for start, low, high in windows(notes, 256):
            assert 0 <= low < high <= min(256, notes) and start + min(256, notes) <= notes
            assert (low == 0 or low >= 64) and (start + high == notes or high <= 192)
            said[start + low : start + high] += 1
        assert (said == 1).all()


def test_a_turned_reading_counts_only_where_it_agrees() -> None:
    logits = np.random.default_rng(0).normal(0, 3, 400)
    turned = np.where(np.arange(400) < 200, logits / 2, -logits)
    trust = hand_reader._trust(logits, turned)
    assert (trust[:150] == 1).all() and (trust[250:] == 0).all() and (np.diff(trust[150:250]) <= 0).all()
    assert hand_reader._trust(logits[:1], logits[:1]) == 1


def test_an_hour_later_the_hands_are_the_same(waltz: Score) -> None:
    late = Score(
        waltz.onset + 3600, waltz.offset + 3600, waltz.pitch, waltz.velocity, waltz.hand, waltz.track, ("piano",)
    )
    right, later = label_hands(waltz).right, label_hands(late).right
    assert right is not None and later is not None and np.abs(right - later).max() < 0.01


def test_ends_that_are_not_known_are_no_ends(waltz: Score) -> None:
    """An offset at its onset says nothing, and held keys are seen where offsets tell."""
    order, event, time = order_notes(waltz.onset, waltz.pitch)
    pitch = waltz.pitch[order]
    unknown = held_features(pitch, event, time, time, slice(None))
    assert not unknown.any()
    held = held_features(pitch, event, time, time + 0.7, slice(None))
    # The waltz's beats come every 0.6 s: what was struck a beat ago still sounds, what two beats ago does not.
    beat = np.flatnonzero(np.diff(event, prepend=-1))[10]
    sounding = pitch[(time < time[beat]) & (time + 0.7 > time[beat] + 0.03)]
    expected = np.zeros(73)
    expected[sounding - pitch[beat] + 36] = 1
    assert np.array_equal(held[beat, :73], expected) and held[beat, 73] == 1


def test_notes_without_a_length_say_nothing_of_their_ends() -> None:
    """Also those of a chord that begin a little after its first."""
    model, pitch = open_labeller_model(), np.random.default_rng(5).integers(50, 70, 200)
    onset = np.repeat(np.arange(100) * 0.2, 2) + np.tile((0.0, 0.02), 100)
    (_, likely), (_, unknown), (_, known) = (
        read_whole(model, onset, end, pitch) for end in (onset, onset - 1, onset + 0.1)
    )
    assert np.array_equal(likely, unknown) and not np.allclose(likely, known, atol=0.01)


def test_live_probabilities_are_the_same_however_time_is_told(waltz: Score) -> None:
    """With the clock advanced in steps between the notes, or all notes at once."""
    clocked, at_once = HandLabeller(), HandLabeller()
    labels = []
    for when, key in zip(waltz.onset, waltz.pitch, strict=True):
        for time in np.linspace(when - 0.1, when, 10, endpoint=False):
            labels += clocked.advance(time)
        labels += clocked.add(when, key)
    labels += clocked.flush()
    assert labels == at_once.extend(waltz.onset, waltz.pitch) + at_once.flush()


def test_labels_come_out_within_the_look_ahead(waltz: Score) -> None:
    labeller = HandLabeller()
    known: dict[int, float] = {}
    events = sorted([(when, int(key)) for when, key in zip(waltz.onset, waltz.pitch, strict=True)])
    for time, pitch in sorted(events + [(tick, -1) for tick in np.arange(0, waltz.onset[-1] + 2, 0.01)]):
        labels = labeller.advance(time) if pitch < 0 else labeller.add(time, pitch)
        known.update({label.note: time for label in labels})
    waited = np.array([known[note] - when for note, (when, _) in enumerate(events)])
    assert waited.max() <= LOOK_AHEAD + 0.011
    dense = HandLabeller()
    chords = [(0.05 * number, pitch) for number in range(12) for pitch in (48, 55, 64, 72)]
    first = [number for number, note in enumerate(chords) if any(label.note == 0 for label in dense.add(*note))]
    assert first == [36]  # the chord of the 32nd note after it is complete when the next one begins, after 0.45 s


def test_a_chord_is_one_event_whatever_the_order_of_its_notes() -> None:
    assert group_events([0.0, 0.02, 0.04, 0.06]).tolist() == [0, 0, 1, 1]
    spread = [0.0, 0.009, 0.018, 0.027]
    up = _score(spread, [43, 50, 71, 74])
    mixed = _score(spread, [71, 50, 43, 74])
    hands = [dict(zip(score.pitch.tolist(), label_hands(score).hand.tolist(), strict=True)) for score in (up, mixed)]
    assert hands[0] == hands[1] == {43: LEFT, 50: LEFT, 71: RIGHT, 74: RIGHT}


def test_features_end_at_the_look_ahead() -> None:
    random = np.random.default_rng(2)
    onset = np.sort(random.uniform(0, 10, 300))
    pitch = random.integers(30, 90, 300)
    order, event, time = order_notes(onset, pitch)
    whole = features(pitch[order], event, time, slice(0, 50))
    later = time > time[49] + 1.0
    pitch[order[later]] += 5
    assert np.array_equal(features(pitch[order], event, time, slice(0, 50)), whole)


@pytest.mark.parametrize("model", ["hand_labels", *BASELINES])
def test_no_note_one_note_one_hand(model: str) -> None:
    assert len(label_hands(_score([], []), model)) == 0
    assert label_hands(_score([1.0], [36]), model).hand.tolist() == [LEFT]
    assert label_hands(_score([1.0], [84]), model).hand.tolist() == [RIGHT]
    treble = _score(np.arange(60) * 0.25, 79 + np.arange(60) % 8)
    assert label_hands(treble, model).has_hands


def test_one_hand_only_stays_one_hand() -> None:
    treble = _score(np.arange(80) * 0.25, 79 + np.arange(80) % 8)
    assert (label_hands(treble).hand == RIGHT).mean() > 0.9


def test_unsorted_notes_live_are_refused_and_offline_sorted(waltz: Score) -> None:
    labeller = HandLabeller()
    labeller.add(2.0, 60)
    with pytest.raises(InputError, match=r"note 1 starts at 1\.000 s, before 2\.000 s"):
        labeller.add(1.0, 60)
    for onset, pitch in ((float("nan"), 60), (3.0, 128)):
        with pytest.raises(InputError, match="a finite onset and a pitch"):
            labeller.add(onset, pitch)
    labeller.reset()
    assert labeller.add(0.0, 60) == [] and [label.note for label in labeller.flush()] == [0]
    backwards = _score(waltz.onset[::-1], waltz.pitch[::-1])
    assert np.array_equal(label_hands(backwards).hand, label_hands(waltz).hand)


def test_a_huge_performance_and_a_thousand_notes_at_once() -> None:
    random = np.random.default_rng(3)
    huge = _score(np.sort(random.uniform(0, 1500, 12_000)), random.integers(21, 109, 12_000))
    assert label_hands(huge).has_hands
    cluster = _score(np.zeros(1000), random.integers(0, 128, 1000))
    assert label_hands(cluster).has_hands and len(_live(cluster)) == 1000


def test_the_memory_does_not_grow(waltz: Score) -> None:
    labeller = HandLabeller()
    for number in range(2000):
        labeller.add(0.1 * number, 40 + number % 40)
    assert len(labeller._reader._note) < 200


def test_baselines_on_clear_cases(waltz: Score) -> None:
    assert label_hands(_score([0, 1, 2], [59, 60, 61]), "middle-c").hand.tolist() == [LEFT, RIGHT, RIGHT]
    high = _score([0, 0, 1, 1, 2, 2], [72, 84, 71, 86, 74, 88])
    assert label_hands(high, "midpoint").hand.tolist() == [LEFT, RIGHT] * 3
    for name in BASELINES:
        assert (label_hands(waltz, name).hand == waltz.hand).mean() > 0.9


def test_the_hmm_follows_hands_that_a_split_cannot_tell() -> None:
    """Two voices in steps that come close: the HMM keeps each in its hand."""
    n = 60
    left = np.array([48 + min(k, 2 * n // 3) // 4 for k in range(n)])
    onset, pitch = np.repeat(np.arange(n) * 0.25, 2), np.stack([left, left + 9], axis=1).ravel()
    hand = np.tile([LEFT, RIGHT], n)
    parameters = Parameters.count([(onset, pitch, hand)])
    assert np.array_equal(merged_output_hmm(onset, pitch, parameters), hand)
    again = Parameters.from_json(parameters.to_json())
    assert np.array_equal(merged_output_hmm(onset, pitch, again), hand)


def test_models_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model 'hand_lables'"):
        label_hands(_score([0.0], [60]), "hand_lables")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="not a usable ONNX model"):
        HandLabeller(str(tmp_path / "broken.onnx"))


@pytest.mark.parametrize(
    ("name", "again"), [("hand_labels", "hand-labels$"), ("hand_labels_live", "hand-labels --live$")]
)
def test_a_model_of_an_earlier_recipe_is_refused_by_name(tmp_path: Path, name: str, again: str) -> None:
    model, path = onnx.load(shipped_folder() / f"{name}.onnx"), tmp_path / f"{name}.onnx"
    (constants,) = (each for each in model.metadata_props if each.key == "constants")
    constants.value = json.dumps({**json.loads(constants.value), "features": 7})
    onnx.save(model, path)
    with pytest.raises(ModelError, match=rf"{name}\.onnx: made for another version .* terzetto train {again}"):
        open_live_model(str(path)) if name.endswith("live") else open_labeller_model(str(path))


def test_an_opened_model_for_the_other_way_is_refused() -> None:
    with pytest.raises(ModelError, match="a model for 'hand-labels-live'; needed is one for 'hand-labels'"):
        label_hands(_score([0.0], [60]), open_live_model())
    with pytest.raises(ModelError, match="a model for 'hand-labels'; needed is one for 'hand-labels-live'"):
        HandLabeller(open_labeller_model())


@pytest.mark.data
def test_labels_survive_a_transcription(data: Path) -> None:
    """One note in ten missed, one in ten invented (octaves, twelfths, fifths), onsets off by 10 ms: F1 is 0.9."""
    shares = []
    for path in sorted((data / "piano/rendered_hands").glob("*.mid")):
        random, score = np.random.default_rng(0), read_score(path)
        kept = score.select(random.random(len(score)) > 0.1)
        ghosts = random.choice(len(kept), round(0.1 * len(kept)), replace=False)
        pitch = (kept.pitch[ghosts] + random.choice((12, -12, 19, 7), len(ghosts))).clip(21, 108)
        moved = (kept.onset + random.normal(0, 0.01, len(kept))).clip(0)
        onset = np.concatenate([moved, kept.onset[ghosts] + random.uniform(0, 0.5, len(ghosts))])
        truth = np.concatenate([kept.hand, np.full(len(ghosts), UNKNOWN)])
        order = np.lexsort((np.concatenate([kept.pitch, pitch]), onset))
        labelled = label_hands(_score(onset, np.concatenate([kept.pitch, pitch])))
        real = truth[order] != UNKNOWN
        shares.append((labelled.hand == truth[order])[real].mean())
    assert np.mean(shares) > 0.8


@pytest.mark.data
def test_agreement_on_the_published_takes(data: Path) -> None:
    scores = [read_score(path) for path in sorted((data / "piano/rendered_hands").glob("*.mid"))]
    shares = [(label_hands(score).hand == score.hand).mean() for score in scores]
    assert len(shares) == 6 and np.mean(shares) > 0.88
    assert np.mean([(_live(score) == score.hand).mean() for score in scores]) > 0.87


@pytest.mark.data
def test_a_melody_over_repeated_chords(data: Path) -> None:
    """The demo: the left hand's chords are not far below the melody, and nothing is below them."""
    score = read_score(data / "demo/chopin_op28no4_opening.csv")
    assert (label_hands(score).hand == score.hand).mean() > 0.95
    assert (_live(score) == score.hand).mean() > 0.9


def _settled(path: HandPath, chords: Sequence[tuple[float, list[int], list[float]]]) -> list[int]:
    cuts = []
    for time, pitch, logit in chords:
        path.take(time, pitch, np.array(logit))
        cuts.append(path.settle())
    return cuts


def _best(chords: Sequence[tuple[float, list[int], list[float]]]) -> list[int]:
    path = HandPath()
    for time, pitch, logit in chords:
        path.take(time, pitch, np.array(logit))
    return path.cuts()


def _right(chords: Sequence[tuple[float, list[int], list[float]]]) -> NDArray[np.float64]:
    """Return the right hand's probabilities of chords read as a whole."""
    sizes = [len(pitch) for _, pitch, _ in chords]
    return probabilities(
        np.concatenate([logit for _, _, logit in chords]),
        np.concatenate([pitch for _, pitch, _ in chords]),
        np.repeat(np.arange(len(chords)), sizes),
        np.repeat([time for time, _, _ in chords], sizes),
    )


def _voice(doubt: float, surety: float) -> list[tuple[float, list[int], list[float]]]:
    """Return a bass and, after each of its notes, an inner voice under a high one."""
    chords = [([40], [-surety]), ([59, 68], [-doubt, surety])] * 4
    return [(0.25 * step, *chord) for step, chord in enumerate(chords)]


def _any_chords(random: np.random.Generator, size: int, surety: float) -> list[tuple[float, list[int], list[float]]]:
    chords = [(sorted(random.integers(40, 80, size).tolist()), random.normal(0, surety, size)) for _ in range(50)]
    return [(0.2 * i, pitch, logit.tolist()) for i, (pitch, logit) in enumerate(chords)]


def test_a_path_prefers_what_hands_can_play() -> None:
    """A model in doubt about an inner voice: it stays with the hand that need not jump for it."""
    assert _settled(HandPath(), _voice(0.3, 4.0)) == _best(_voice(0.3, 4.0)) == [1, 0] * 4
    assert _settled(HandPath(), _voice(9.0, 9.0)) == _best(_voice(9.0, 9.0)) == [1, 1] * 4
    doubtful, sure = _right(_voice(0.3, 4.0)), _right(_voice(9.0, 9.0))
    assert (doubtful > 0.5).tolist() == [False, True, True] * 4
    assert (sure > 0.5).tolist() == [False, False, True] * 4
    assert doubtful[1::3].max() < sure[2::3].min()


def test_a_settled_chord_is_settled() -> None:
    random = np.random.default_rng(0)
    settled = _settled(HandPath(), _any_chords(random, 4, 3.0))
    assert set(settled) <= {0, 1, 2, 3, 4} and len(set(settled)) > 2
    assert HandPath().settle() == 0


def test_probabilities_are_those_of_all_ways_to_cut() -> None:
    """Against every way enumerated: two chords, so that few ways are beyond what is pursued."""
    random = np.random.default_rng(1)
    chords = [(0.3 * i, sorted(random.integers(50, 70, 2).tolist()), random.normal(0, 1, 2).tolist()) for i in range(2)]
    mass = np.zeros((3, 3))
    for cuts in np.ndindex(3, 3):
        places, gain = (None, None), 0.0
        for (time, pitch, logit), cut in zip(chords, cuts, strict=True):
            gain += (sum(logit[cut:]) - sum(logit[:cut])) / 2
            left, right = places
            if cut:
                left, cost = hand_path._move(left, pitch[0], pitch[cut - 1], time)
                gain -= cost
            if cut < 2:
                right, cost = hand_path._move(right, pitch[cut], pitch[1], time)
                gain -= cost
            places = (left, right)
        mass[cuts] = np.exp(gain / hand_path.WARMTH)
    mass /= mass.sum()
    first, second = mass.sum(axis=1), mass.sum(axis=0)
    expected = [first[0], first[:2].sum(), second[0], second[:2].sum()]
    assert _right(chords) == pytest.approx(expected, abs=1e-9)


def test_probabilities_never_fall_within_a_chord() -> None:
    random = np.random.default_rng(2)
    right = _right(_any_chords(random, 5, 4.0)).reshape(-1, 5)
    assert (np.diff(right, axis=1) >= -1e-12).all() and (right >= 0).all() and (right <= 1).all()
    assert np.ptp(right) > 0.9
