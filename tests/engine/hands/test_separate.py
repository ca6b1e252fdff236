import warnings
from dataclasses import replace

import numpy as np
import pytest

import terzetto
from terzetto.audio.files import ArrayTake
from terzetto.errors import InputError, TerzettoWarning
from terzetto.evaluate.separation import si_sdr
from terzetto.hands import segment as segment_module
from terzetto.hands import separate as separate_module
from terzetto.hands.factorise import Options
from terzetto.hands.separate import Separation, separate_hands
from terzetto.hands.settings import Settings
from terzetto.parallel import in_parallel

from .conftest import compose, play


def quality(piece, stems) -> tuple[float, float]:
    return si_sdr(piece.left, stems["left_hand"]), si_sdr(piece.right, stems["right_hand"])


@pytest.mark.parametrize("mask", ["coherent", "wiener", "ratio"])
@pytest.mark.parametrize("method", ["nmf", "nae"])
def test_hands_are_separated_and_sum_to_the_take(piece, method, mask) -> None:
    stems = separate_hands(piece.mix, piece.sample_rate, piece.score, method=method, mask=mask)
    assert list(stems) == ["left_hand", "right_hand", "residual"]
    assert all(stem.shape == piece.mix.shape and stem.dtype == np.float32 for stem in stems.values())
    assert np.abs(sum(stems.values()) - piece.mix).max() < 1e-6
    for found, mixed in zip(
        quality(piece, stems), (si_sdr(piece.left, piece.mix), si_sdr(piece.right, piece.mix)), strict=True
    ):
        assert found > mixed + 7.0


@pytest.mark.parametrize("encoder", ["fitted", "informed", "random", "higher"])
def test_every_encoder_separates(piece, encoder) -> None:
    stems = separate_hands(piece.mix, piece.sample_rate, piece.score, method="nae", options=Options(encoder=encoder))
    assert min(quality(piece, stems)) > 5.0


def test_euclidean_loss_separates(piece) -> None:
    options = Options(loss="euclidean", iterations=30)
    stems = separate_hands(piece.mix, piece.sample_rate, piece.score, options=options)
    assert min(quality(piece, stems)) > 5.0


@pytest.mark.parametrize("mask", ["coherent", "wiener"])
def test_hands_that_nobody_can_tell_get_half_of_the_take_each(piece, mask) -> None:
    unknown = piece.score.with_hands(piece.score.hand, np.full(len(piece.score), 0.5))
    stems = separate_hands(piece.mix, piece.sample_rate, unknown, mask=mask)
    assert np.abs(sum(stems.values()) - piece.mix).max() < 1e-6
    half = piece.mix - stems["residual"]
    assert si_sdr(half, stems["left_hand"]) > 30 and si_sdr(half, stems["right_hand"]) > 30
    assert np.linalg.norm(stems["left_hand"]) == pytest.approx(np.linalg.norm(half) / 2, rel=0.02)


def test_a_doubtful_note_is_shared_or_decided(piece) -> None:
    score = piece.score
    # One hand's label is wrong for every fourth note, and the model was in doubt about just these.
    doubtful = np.arange(len(score)) % 4 == 1
    told = score.with_hands(
        np.where(doubtful, 1 - score.hand, score.hand),
        np.where(doubtful, np.where(score.hand == 1, 0.45, 0.55), score.hand),
    )
    shared = quality(piece, separate_hands(piece.mix, piece.sample_rate, told))
    decided = separate_hands(piece.mix, piece.sample_rate, told, doubt="decide")
    without = separate_hands(piece.mix, piece.sample_rate, told.with_hands(told.hand))
    assert all(np.array_equal(decided[name], without[name]) for name in without)
    assert min(np.subtract(shared, quality(piece, decided))) > 2.0


@pytest.mark.parametrize("by", ["pitch", "note", "track"])
def test_finer_stems_sum_to_the_take(piece, by) -> None:
    stems = separate_hands(piece.mix, piece.sample_rate, piece.score, by=by, mask="wiener")
    counts = {"pitch": len(np.unique(piece.score.pitch)), "note": len(piece.score), "track": 2}
    assert len(stems) == counts[by] + 1 and list(stems)[-1] == "residual"
    assert np.abs(sum(stems.values()) - piece.mix).max() < 1e-5
    assert all(np.abs(stem).max() > 0 for name, stem in stems.items() if name != "residual")


def test_a_note_stem_lives_where_the_note_does(piece) -> None:
    stems = separate_hands(piece.mix, piece.sample_rate, piece.score, by="note", mask="wiener")
    name = next(name for name in stems if name.startswith("note_0010"))
    energy = stems[name] ** 2
    start = int((piece.score.onset[9] - 0.3) * piece.sample_rate)
    assert energy[:start].sum() < 0.01 * energy.sum()


def test_stereo_goes_in_and_comes_out(piece) -> None:
    take = np.stack([0.9 * piece.left + 0.4 * piece.right, 0.3 * piece.left + 0.8 * piece.right])
    stems = separate_hands(take, piece.sample_rate, piece.score)
    assert stems["left_hand"].shape == take.shape
    assert np.abs(sum(stems.values()) - take).max() < 1e-6
    left, right = stems["left_hand"], stems["right_hand"]
    assert si_sdr(piece.left, left[0]) > 8 and si_sdr(piece.right, right[1]) > 8
    # The hands keep their places in the stereo picture.
    assert np.linalg.norm(left[0]) > 2 * np.linalg.norm(left[1])
    assert np.linalg.norm(right[1]) > 1.5 * np.linalg.norm(right[0])


def test_channels_out_of_phase_do_not_cancel(piece) -> None:
    take = np.stack([piece.mix, -piece.mix])
    stems = separate_hands(take, piece.sample_rate, piece.score)
    assert si_sdr(piece.left, stems["left_hand"][0]) > 8
    assert np.allclose(stems["left_hand"][0], -stems["left_hand"][1], atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 96000])
def test_any_sample_rate(rate) -> None:
    score = compose(5.0, seed=2)
    left, right = play(score, 5.0, rate)
    stems = separate_hands(left + right, rate, score)
    assert np.abs(sum(stems.values()) - (left + right)).max() < 1e-6
    assert si_sdr(left, stems["left_hand"]) > si_sdr(left, left + right) + 6


def test_a_long_take_in_segments_is_as_good_as_whole(piece, monkeypatch) -> None:
    whole = separate_hands(piece.mix, piece.sample_rate, piece.score)
    monkeypatch.setattr(separate_module, "_SEGMENT", 3.0)
    monkeypatch.setattr(segment_module, "_PIECE", 1.0)
    pieces = separate_hands(piece.mix, piece.sample_rate, piece.score)
    assert np.abs(sum(pieces.values()) - piece.mix).max() < 1e-6
    for a, b in zip(quality(piece, whole), quality(piece, pieces), strict=True):
        assert b > a - 2.0
    # No seam: the largest step is of the size the whole take's has.
    for name in ("left_hand", "right_hand"):
        assert np.abs(np.diff(pieces[name])).max() < 1.5 * np.abs(np.diff(whole[name])).max()


def test_how_a_take_is_cut_into_pieces_hardly_matters(piece, monkeypatch) -> None:
    whole = separate_hands(piece.mix, piece.sample_rate, piece.score)
    monkeypatch.setattr(segment_module, "_PIECE", 2.0)
    cut = separate_hands(piece.mix, piece.sample_rate, piece.score)
    assert si_sdr(whole["left_hand"], cut["left_hand"]) > 40


def test_the_result_does_not_depend_on_the_threads(piece) -> None:
    one = separate_hands(piece.mix, piece.sample_rate, piece.score, jobs=1)
    three = separate_hands(piece.mix, piece.sample_rate, piece.score, jobs=3)
    assert all(np.array_equal(one[name], three[name]) for name in one)


def test_the_level_of_the_take_does_not_matter(piece) -> None:
    loud = separate_hands(piece.mix, piece.sample_rate, piece.score)
    quiet = separate_hands(piece.mix * np.float32(1e-4), piece.sample_rate, piece.score)
    assert si_sdr(loud["left_hand"], quiet["left_hand"]) > 40


def test_a_piano_half_a_tone_low_is_found(piece) -> None:
    import librosa

    score = compose(6.0, seed=3)
    left, right = play(replace(score, pitch=score.pitch - 1), 6.0)
    separation = Separation(ArrayTake(left + right, 22050), score)
    assert separation.analysis.tuning == pytest.approx(-1.0, abs=0.05)
    # librosa, which does not know the score, hears the same deviation from the nearest semitone.
    assert librosa.estimate_tuning(y=left + right, sr=22050) == pytest.approx(0.0, abs=0.06)
    stems = separate_hands(left + right, 22050, score)
    assert si_sdr(left, stems["left_hand"]) > 5


def test_silence_gives_silent_stems_and_a_warning(piece) -> None:
    with pytest.warns(TerzettoWarning, match="silent"):
        stems = separate_hands(np.zeros_like(piece.mix), piece.sample_rate, piece.score)
    assert not any(stem.any() for stem in stems.values())


def test_what_sounds_where_no_note_does_is_residual(piece) -> None:
    late = replace(piece.score, onset=piece.score.onset + 4, offset=piece.score.offset + 4)
    rng = np.random.default_rng(0)
    take = np.concatenate([0.01 * rng.standard_normal(4 * piece.sample_rate).astype(np.float32), piece.mix])
    stems = separate_hands(take, piece.sample_rate, late)
    noise = slice(0, 3 * piece.sample_rate)
    assert np.abs(stems["residual"][noise] - take[noise]).max() < 1e-5
    assert np.abs(stems["left_hand"][noise]).max() < 1e-5


def test_one_hand_alone_gets_everything(piece) -> None:
    score = piece.score.select(piece.score.hand == 1)
    stems = separate_hands(piece.right, piece.sample_rate, score)
    assert np.abs(stems["left_hand"]).max() < 1e-3 * np.abs(piece.right).max()
    assert si_sdr(piece.right, stems["right_hand"]) > 30


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": lambda s: replace(s, onset=s.onset + 100, offset=s.offset + 100)}, "does not overlap"),
        ({"score": lambda s: s.select(np.zeros(len(s), bool))}, "no notes"),
        ({"score": lambda s: s.with_hands(np.full(len(s), -1))}, "no hand"),
        ({"audio": lambda x: np.where(np.arange(len(x)) == 99, np.nan, x)}, "sample 99 .* not a finite"),
        ({"audio": lambda x: x[:0]}, "no samples"),
        ({"audio": lambda x: np.stack([x, x]).T}, "transpose"),
        ({"audio": lambda x: np.stack([x, x, x])}, "3 channels"),
        ({"audio": lambda x: (x * 32767).astype(np.int16)}, "floating point"),
        ({"rate": 100}, "4000 to 384000"),
        ({"method": "mf"}, "valid: nae, nmf"),
        ({"by": "finger"}, "valid: hand, pitch, note, track"),
        ({"mask": "binary"}, "valid: coherent"),
        ({"jobs": -1}, "0 \\(all cores\\)"),
    ],
)
def test_bad_input_is_explained(piece, change, message) -> None:
    audio = change.pop("audio", lambda x: x)(piece.mix)
    score = change.pop("score", lambda s: s)(piece.score)
    rate = change.pop("rate", piece.sample_rate)
    with pytest.raises(InputError, match=message):
        separate_hands(audio, rate, score, **change)


def test_notes_beyond_the_end_are_mentioned(piece) -> None:
    take = piece.mix[: len(piece.mix) // 2]
    with pytest.warns(TerzettoWarning, match="after the end of the audio"):
        stems = separate_hands(take, piece.sample_rate, piece.score)
    assert np.abs(sum(stems.values()) - take).max() < 1e-6


def test_progress_rises_to_one(piece) -> None:
    seen: list[float] = []
    separate_hands(piece.mix, piece.sample_rate, piece.score, progress=lambda stage, fraction: seen.append(fraction))
    assert seen[-1] == 1.0 and seen == sorted(seen) and len(seen) > 5


def test_an_interrupt_stops_the_work(piece) -> None:
    def stop(stage: str, fraction: float) -> None:
        if fraction > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        separate_hands(piece.mix, piece.sample_rate, piece.score, progress=stop)


def test_parallel_work_comes_in_order_and_only_a_few_ahead() -> None:
    started: list[int] = []

    def jobs():
        for i in range(50):
            started.append(i)
            yield i

    results = []
    for result in in_parallel(lambda i: i * i, jobs(), threads=3):
        results.append(result)
        assert len(started) - len(results) <= 4
    assert results == [i * i for i in range(50)]


def test_settings_are_checked_before_anything_is_read() -> None:
    with pytest.raises(InputError):
        Settings(by="nothing")
    with pytest.raises(InputError, match="share, decide"):
        Settings(doubt="ask")


@pytest.mark.data
def test_a_real_recording_separates_as_the_thesis_shows(data) -> None:
    """The running example (figures 2.2 to 2.7): the right hand is alone until the first chord at 2.2 s."""
    folder = data / "piano" / "chopin_op28no4"
    audio, rate = _read(folder / "FMP_C8_Audio_Chopin_Op028-04_SMD_beginning.wav")
    score = terzetto.read_score(folder / "FMP_C8_Audio_Chopin_Op028-04_SMD_beginning.csv")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stems = separate_hands(audio, rate, score)
    solo = slice(int(0.2 * rate), int(1.8 * rate))
    left, right = (np.square(stems[name][:, solo]).sum() for name in ("left_hand", "right_hand"))
    assert left < 0.05 * right
    accompaniment = slice(int(3.2 * rate), int(5.2 * rate))
    left, right = (np.square(stems[name][:, accompaniment]).sum() for name in ("left_hand", "right_hand"))
    assert left > 5 * right
    assert np.abs(sum(stems.values()) - audio).max() < 1e-6


def _read(path):
    from terzetto.audio.files import read_audio

    return read_audio(path)
