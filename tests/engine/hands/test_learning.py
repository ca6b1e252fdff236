"""What is learned of a take, its bytes, and how a take is recognised."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terzetto.audio.files import ArrayTake
from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.hands import fingerprint, storage
from terzetto.hands.fingerprint import Fingerprint, Recogniser
from terzetto.hands.learning import WINDOWS, Learned, extended, informed, learn, live_grid
from terzetto.hands.separate import Separation
from terzetto.hands.settings import Settings
from terzetto.score import embedded
from terzetto.score.notes import Score

from .conftest import Piece

FIELDS = ("pitches", "W", "encoder", "turning", "gains")


@pytest.fixture(scope="module")
def learned(piece: Piece) -> Learned:
    return learn(ArrayTake(piece.mix, piece.sample_rate), piece.score, threads=2)


def test_the_pieces_are_the_offline_methods(piece: Piece, learned: Learned) -> None:
    separation = Separation(ArrayTake(piece.mix, piece.sample_rate), piece.score, Settings("nae", jobs=2))
    list(separation.stems())
    found = separation.analysis.found
    assert np.array_equal(learned.W, found.W) and np.array_equal(learned.encoder, found.encoder)
    low = learned.turning.shape[1]
    turning = separation.phase.turning(
        np.ascontiguousarray(found.W[:, :low]), separation.grid, 3 * len(learned.pitches)
    )
    assert np.array_equal(learned.turning, turning)


@pytest.mark.parametrize("window", list(WINDOWS))
def test_every_window_is_as_long_as_it_says(piece: Piece, window: str) -> None:
    found = learn(ArrayTake(piece.mix[: 2 * 22050], piece.sample_rate), piece.score, window=window, threads=1)
    assert found.grid.n_fft / piece.sample_rate == pytest.approx(WINDOWS[window], rel=0.01)
    assert found.W.shape == found.encoder.shape == (4 * len(found.pitches), found.grid.bins_up_to(11025))


def test_progress_rises_to_the_end(piece: Piece) -> None:
    fractions: list[float] = []
    learn(
        ArrayTake(piece.mix[:40000], 22050),
        piece.score,
        window="short",
        progress=lambda _, done: fractions.append(done),
    )
    assert fractions == sorted(fractions) and fractions[-1] == 1.0


def test_what_cannot_be_learned_is_said(piece: Piece) -> None:
    with pytest.raises(InputError, match="silent"), pytest.warns(UserWarning):
        learn(ArrayTake(0 * piece.mix, 22050), piece.score)
    with pytest.raises(InputError, match="does not overlap"):
        learn(ArrayTake(piece.mix, 22050), Score.from_notes([(90.0, 91.0, 60, 0.5, "left")]))
    with pytest.raises(InputError, match="valid: long, medium, short"):
        learn(ArrayTake(piece.mix, 22050), piece.score, window="wide")


def test_pitches_that_were_not_heard_take_what_the_score_tells(piece: Piece, learned: Learned) -> None:
    score = Score.from_notes([(0.0, 1.0, 30, 0.5, "left"), (1.0, 2.0, 60, 0.5, "right")])
    more = extended(learned, score)
    assert set(more.pitches) == {30, *learned.pitches}
    alone = informed(score, 22050, 1)
    assert (
        np.array_equal(more.W[0], more.W[2])
        and more.W[0].argmax() == alone.W[0].argmax()
        and (more.encoder[:3].sum(axis=1) > 0).all()
    )
    for pitch in (45, 60, 72):
        new = more.layout.rows_of(int(np.searchsorted(more.pitches, pitch)))
        old = learned.layout.rows_of(int(np.searchsorted(learned.pitches, pitch)))
        assert np.array_equal(more.W[new], learned.W[old]) and np.array_equal(more.turning[new], learned.turning[old])
    assert extended(learned, piece.score) is learned


def test_a_first_half_serves_the_second(piece: Piece) -> None:
    """Pitches only heard later are not lost."""
    half = learn(ArrayTake(piece.mix[: len(piece.mix) // 2], 22050), piece.score)
    assert np.array_equal(half.pitches, np.unique(piece.score.pitch))
    assert (half.encoder.sum(axis=1) > 0).all() and (half.W.sum(axis=1) > 0).all()


def test_bytes_go_round(learned: Learned) -> None:
    data = storage.to_bytes(learned)
    assert len(data) < 5_000 * len(learned.W)
    back = storage.from_bytes(data)
    for name in FIELDS:
        known, found = getattr(learned, name), getattr(back, name)
        assert known.shape == found.shape and known.dtype == found.dtype
        assert np.abs(found - known).max() <= 1e-3 * np.abs(known).max()
    assert (back.grid, back.window, back.peak, back.tuning) == (
        learned.grid,
        learned.window,
        learned.peak,
        learned.tuning,
    )
    assert np.array_equal(back.fingerprint.levels, learned.fingerprint.levels)
    assert storage.to_bytes(storage.from_bytes(storage.to_bytes(back))) == storage.to_bytes(back)


def test_four_minutes_of_a_hundred_pitches_fit_into_a_project() -> None:
    rng = np.random.default_rng(0)
    notes = [(2.4 * i, 2.4 * i + 1, 14 + i, 0.5, ("left", "right")[i % 2]) for i in range(100)]
    full = informed(Score.from_notes(notes), 48000, 2)
    W = rng.random(full.W.shape, np.float32)
    phases = np.exp(2j * np.pi * rng.random(full.turning.shape))
    noisy = replace(
        full,
        W=W,
        encoder=rng.random(full.W.shape, np.float32),
        turning=(W[:, : phases.shape[1]] * phases).astype(np.complex64),
        fingerprint=Fingerprint(rng.integers(-120, 0, (1300, fingerprint.BANDS)).astype(np.int8), 1.0),
    )
    assert len(storage.to_bytes(noisy)) < 8e6, "even of pure noise, which does not compress"


def packed(body: bytes) -> bytes:
    content = zlib.compress(body)
    return storage._HEAD.pack(storage._MAGIC, storage.VERSION, zlib.crc32(content), len(content)) + content


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "not Terzetto's"),
        (lambda data: b"\x80\x04\x95" + data, "not Terzetto's"),
        (lambda data: data[:8] + b"\0\x09" + data[10:], "of version 9, this Terzetto reads 1"),
        (lambda data: data[:-1], "damaged"),
        (lambda data: data[:500] + bytes([data[500] ^ 1]) + data[501:], "damaged"),
        (lambda data: packed(b""), "damaged"),
        (lambda data: packed(struct.pack(">I", 2) + b"{}"), "damaged"),
        (lambda data: packed(struct.pack(">I", 2) + b"[]"), "damaged"),
        (lambda data: packed(bytes(65 << 20)), "too large"),
        (lambda data: packed(zlib.decompress(data[18:])[:-100]), "damaged"),
        (lambda data: packed(zlib.decompress(data[18:]).replace(b'"long"', b'"wide"', 1)), "not known"),
        (lambda data: packed(zlib.decompress(data[18:]).replace(b'"float16"', b'"object0"', 1)), "cannot be"),
    ],
)
def test_damaged_bytes_are_refused_with_what_to_do(learned: Learned, damage, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        storage.from_bytes(damage(storage.to_bytes(learned)))
    assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_inside_is_refused_or_harmless(learned: Learned, data: st.DataObject) -> None:
    body = bytearray(zlib.decompress(storage.to_bytes(learned)[18:]))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, 700) | st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = storage.from_bytes(packed(bytes(body)))
    except InputError:
        return
    assert np.isfinite(found.W).all() and np.isfinite(found.encoder).all()


def test_another_sample_rate_moves_frequencies_and_phases(learned: Learned) -> None:
    """A bin whose phase turns with a frequency turns with the same one on the other grid."""
    moved = storage.at_rate(learned, 48000)
    assert storage.at_rate(moved, 48000) is moved
    assert moved.grid == live_grid(48000, "long") and moved.W.shape[1] == moved.grid.bins_up_to(11025)
    row = 0
    for one in (learned, moved):
        peak = int(np.argmax(one.W[row, : one.turning.shape[1]]))
        turn = np.angle(one.turning[row, peak] * np.exp(-2j * np.pi * peak * one.grid.hop_length / one.grid.n_fft))
        frequency = peak * one.grid.bin_hz + turn / (2 * np.pi * one.grid.hop_seconds)
        assert frequency == pytest.approx(440 * 2 ** ((learned.pitches[0] - 69) / 12), rel=0.01)


def test_the_take_is_recognised_whatever_the_gain_and_another_one_is_not() -> None:
    grid = FrameGrid.from_seconds(22050, WINDOWS["long"])
    rng = np.random.default_rng(3)
    bins = grid.bins_up_to(11025)
    course = np.repeat(rng.gamma(0.3, 1.0, (50, 1, bins // 64 + 1)), 64, axis=2)[..., :bins]
    take = np.repeat(course, 4, axis=1).reshape(-1, bins).astype(np.float32)  # a new chord every 0.2 s
    other = take[::-1].copy()
    known = Fingerprint.of(fingerprint.bands(take, grid), grid)
    for gain in (1e-3, 1.0, 50.0):
        recogniser = Recogniser(known, grid)
        for frame, power in enumerate(gain * take):
            recogniser.hear(frame, power)
            assert recogniser.matches
        for frame, power in enumerate(gain * other):
            recogniser.hear(frame, power)
        assert not recogniser.matches
        recogniser.forget()
        assert not recogniser.matches, "a jump alone does not change the verdict"
        for frame, power in enumerate(gain * take):
            recogniser.hear(frame, power)
        assert recogniser.matches
    silent = Recogniser(known, grid)
    for frame in range(200):
        silent.hear(frame, np.zeros(bins, np.float32))
        silent.hear(10_000 + frame, take[frame])
    assert silent.matches, "silence, and what was never learned, are no evidence"


def test_scores_go_round_in_a_project_and_damage_is_said(piece: Piece) -> None:
    score = replace(piece.score, pedal=np.array([[0.5, 1.5]]))
    back = embedded.from_json(embedded.to_json(score))
    for name in ("onset", "offset", "pitch", "velocity", "hand", "pedal"):
        assert np.allclose(getattr(back, name), getattr(score, name), atol=1e-5)
    assert back.right is None
    told = score.with_hands(score.hand, np.linspace(0, 1, len(score)))
    again = embedded.from_json(embedded.to_json(told)).right
    assert again is not None and np.allclose(again, told.right, atol=1e-4)
    note = [0, 1, 60, 0.5, 0]
    damaged = ({"notes": [note], "right": right} for right in ([2.0], [], "x", [0.1, 0.2]))
    for content in (
        *(None, {}, {"notes": 3}, {"notes": [[1, 2]]}, {"notes": []}, {"notes": [[0, 1, 60, 2.0, 0]]}),
        *damaged,
    ):
        with pytest.raises(InputError):
            embedded.from_json(content)


@pytest.mark.data
def test_live_is_as_good_as_offline_on_real_takes(data) -> None:
    """Within half a decibel of the offline NAE, on two takes of the published set."""
    from terzetto.evaluate import live_hands
    from terzetto.evaluate.hands_benchmark import in_condition, measure, read_hands, validate
    from terzetto.hands.separate import separate_hands
    from terzetto.score.read import read_score

    takes = validate(data / "piano" / "rendered_hands", "b")
    for name in ("bach_bwv875_prelude", "beethoven_op111_1"):
        pair, path = takes[name]
        mix, truth, rate = read_hands(pair)
        mix, truth = mix[:, : 20 * int(rate)], truth[:, : 20 * int(rate)]
        score = in_condition(read_score(path), "b", 0)
        score = score.select(score.onset < 20)
        stems = separate_hands(mix, rate, score, method="nae")
        offline = measure(truth, [stems["left_hand"].mean(axis=0), stems["right_hand"].mean(axis=0)])
        found = live_hands._learned(mix, rate, score, "long")
        live = measure(truth, live_hands.hear(mix, rate, score, found, "long"))
        assert min(np.subtract(live, offline)) > -0.5
