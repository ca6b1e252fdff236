"""Hands live: what comes out, when, and what it says."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake, read_audio
from terzetto.audio.stream import Processor, Stateful, Transport, render
from terzetto.control import table
from terzetto.control.messages import Message
from terzetto.demo.run import EXCERPT, excerpt
from terzetto.evaluate.separation import si_sdr
from terzetto.hands.learning import WINDOWS, Learned, learn, live_grid
from terzetto.hands.live import HandsProcessor
from terzetto.models import shipped_folder
from terzetto.score.midi import write_midi
from terzetto.score.notes import Score

from .conftest import Piece

Float = NDArray[np.float32]
HANDS = table.instrument("hands")
NAMES = [each.name for each in HANDS.parameters] + [each.name for each in HANDS.commands]


@pytest.fixture(scope="module")
def learned(piece: Piece) -> Learned:
    return learn(ArrayTake(piece.mix, piece.sample_rate), piece.score, threads=2)


@pytest.fixture
def hands(piece: Piece, learned: Learned) -> HandsProcessor:
    processor = HandsProcessor()
    processor.use(piece.score, [learned])
    return processor


def to(name: str, *arguments: object, frame: int = 0) -> Message:
    return Message(f"/terzetto/hands/{name}", arguments, frame)  # type: ignore[arg-type]


def play(
    processor: Processor, audio: Float, events: Iterable[Message] = (), rate: int = 22050, **options: object
) -> Float:
    take = ArrayTake(audio, rate)
    return np.concatenate(list(render(processor, take, list(events), **options)), axis=1)  # type: ignore[arg-type]


def stereo(piece: Piece) -> Float:
    """The hands at different places."""
    return np.stack([0.8 * piece.left + 0.5 * piece.right, 0.4 * piece.left + piece.right]).astype(np.float32)


def said(processor: HandsProcessor, what: str = "status") -> list[object]:
    return [each.arguments[0] for each in processor.outbox if each.address == f"/terzetto/{what}"]


LEFT_ONLY = [to("right_gain", -60.0), to("residual_gain", -60.0)]


def test_it_is_found_by_its_instruments_name() -> None:
    (point,) = entry_points(group="terzetto.processors", name="hands")
    processor = point.load()()
    assert isinstance(processor, Stateful) and isinstance(processor, HandsProcessor)


@pytest.mark.parametrize("window", list(WINDOWS))
def test_at_0_db_the_take_comes_out_bit_for_bit(hands: HandsProcessor, piece: Piece, window: str) -> None:
    audio = stereo(piece)
    assert np.array_equal(play(hands, audio, [to("window", window)]), audio)
    assert hands.latency == live_grid(22050, window).n_fft


def test_the_hands_are_parted_far_better_than_not_at_all(hands: HandsProcessor, piece: Piece) -> None:
    found = play(hands, piece.mix, LEFT_ONLY)[0]
    right = play(hands, piece.mix, [to("right_gain", 0.0), to("solo", "right")])[0]
    assert si_sdr(piece.left, found) > si_sdr(piece.left, piece.mix) + 9
    assert si_sdr(piece.right, right) > si_sdr(piece.right, piece.mix) + 9


def test_the_three_stems_sum_to_the_take(hands: HandsProcessor, piece: Piece) -> None:
    audio = stereo(piece)
    total = sum(play(hands, audio, [to("solo", name)]) for name in ("left", "right"))
    residual = play(hands, audio, [to("left_gain", -60.0), to("right_gain", -60.0)])
    assert np.abs(total + residual - audio).max() < 1e-5


@pytest.mark.parametrize("hop", [32, 500, 2048, 8192])
def test_the_hosts_blocks_do_not_matter_to_the_bit(hands: HandsProcessor, piece: Piece, hop: int) -> None:
    audio = stereo(piece)[:, :60000]
    events = [*LEFT_ONLY, to("spread", 0.0), to("right_gain", -3.0, frame=20001), to("spread", 0.7, frame=30011)]
    assert np.array_equal(play(hands, audio, events, hop=hop), play(hands, audio, events))


def test_it_is_the_same_every_time_and_after_a_reset(hands: HandsProcessor, piece: Piece) -> None:
    audio = stereo(piece)
    first = play(hands, audio, LEFT_ONLY)
    assert np.array_equal(play(hands, audio, LEFT_ONLY), first)
    hands.process(np.ones((2, 512), np.float32), [], Transport(7777, 0.0, True))
    hands.reset()
    blocks = [hands.process(audio[:, at : at + 512], [], Transport(at, 0.0, True)) for at in range(0, 512 * 200, 512)]
    late = np.concatenate(blocks, axis=1)[:, hands.latency :]
    assert np.array_equal(late, first[:, : late.shape[1]])


def test_a_host_that_tells_no_position_is_counted_from_the_reset(hands: HandsProcessor, piece: Piece) -> None:
    first = play(hands, piece.mix, LEFT_ONLY)[0]
    for told in (Transport(), Transport(0, 120.0, False), Transport(0, 120.0, True)):
        hands.prepare(22050, 1, 512)
        mix = np.concatenate([piece.mix, np.zeros(hands.latency, np.float32)])[None]
        blocks = [
            hands.process(mix[:, at : at + 512], LEFT_ONLY if at == 0 else [], told)
            for at in range(0, mix.shape[1], 512)
        ]
        assert np.array_equal(np.concatenate(blocks, axis=1)[0, hands.latency :], first)


def test_playback_may_begin_anywhere(hands: HandsProcessor, piece: Piece) -> None:
    """What is heard two windows after the start does not depend on where it was (but for the filter's memory)."""
    whole = play(hands, piece.mix, LEFT_ONLY)[0]
    begin = 50_001
    part = play(hands, piece.mix[begin:], LEFT_ONLY, position=begin)[0]
    assert si_sdr(whole[begin + 40_000 :], part[40_000:]) > 50


def test_a_jump_of_the_song_brings_the_right_notes_at_once(hands: HandsProcessor, piece: Piece) -> None:
    cut, to_frame = 60_000, 110_000
    spliced = np.concatenate([piece.mix[:cut], piece.mix[to_frame:]])[None]
    hands.prepare(22050, 1, 500)
    out = []
    for at in range(0, spliced.shape[1] - 499, 500):
        position = at if at < cut else at - cut + to_frame
        out.append(hands.process(spliced[:, at : at + 500], LEFT_ONLY if at == 0 else [], Transport(position, 0, True)))
    found = np.concatenate(out, axis=1)[0, hands.latency :]
    after = slice(cut + 2 * hands.latency, len(found))
    truth = np.concatenate([piece.left[:cut], piece.left[to_frame:]])
    whole = play(hands, piece.mix, LEFT_ONLY)[0]
    expected = si_sdr(piece.left[to_frame + 2 * hands.latency :], whole[to_frame + 2 * hands.latency :])
    assert si_sdr(truth[after], found[after]) > expected - 1.0


def test_take_start_moves_the_score(hands: HandsProcessor, piece: Piece) -> None:
    whole = play(hands, piece.mix, LEFT_ONLY)
    late = play(hands, piece.mix, [*LEFT_ONLY, to("take_start", 2.5)], position=round(2.5 * 22050))
    assert np.array_equal(whole, late)


def test_changes_count_for_the_take_at_their_frame_and_glide(piece: Piece) -> None:
    hands = HandsProcessor()
    hands.use(Score.from_notes([(9.0, 9.5, 60, 0.5, "left")]))  # not yet: all is residual
    audio = np.full((1, 60000), 0.5, np.float32)  # a constant shows every step
    out = play(hands, audio, [to("mix", 0.0, frame=30000), to("residual_gain", -60.0, frame=10000)])[0]
    assert (out[:10000] == 0.5).all() and (out[30000 + 221 :] == 0.5).all()
    assert (np.abs(out[10000 + 221 : 30000]) < 1e-4).all()
    assert np.abs(np.diff(out)).max() < 0.5 / 200, "a change takes 10 ms"


def test_spread_puts_a_hand_on_each_side(hands: HandsProcessor, piece: Piece) -> None:
    audio = np.stack([piece.mix, piece.mix])
    wide = play(hands, audio, [to("spread", 1.0)])
    assert si_sdr(piece.left, wide[0]) > 9 and si_sdr(piece.right, wide[1]) > 9
    mono = play(hands, piece.mix, [to("spread", 1.0)])
    assert np.array_equal(mono[0], piece.mix), "a mono track has no sides"


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 96000, 192000])
def test_any_sample_rate(piece: Piece, learned: Learned, rate: int) -> None:
    """What was learned at one rate parts at another; silence stays silence."""
    import scipy.signal

    def resampled(signal: Float) -> Float:
        return np.asarray(scipy.signal.resample_poly(signal[: 3 * 22050], rate // 50, 441), np.float32)

    processor = HandsProcessor()
    processor.use(piece.score, [learned])
    mix, left = resampled(piece.mix), resampled(piece.left)
    found = play(processor, mix, LEFT_ONLY, rate)[0]
    assert processor.latency == live_grid(rate, "long").n_fft
    assert si_sdr(left, found) > si_sdr(left, mix) + 5
    assert not play(processor, np.zeros((2, rate), np.float32), LEFT_ONLY, rate).any()


def test_changing_the_window_changes_the_latency_without_a_click(hands: HandsProcessor, piece: Piece) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 220.5 * np.arange(80000) / 22050)).astype(np.float32)[None]
    hands.prepare(22050, 1, 512)
    hands.process(tone[:, :512])
    before, latencies, out = hands.latency, [], []
    for at in range(512, 79872, 512):
        events = [to("window", "short")] if at == 512 * 40 else []
        out.append(hands.process(tone[:, at : at + 512], events, Transport(at, 0, True)))
        latencies.append(hands.latency)
        while events and not hands._background.has_news:  # the new window is made ready on a thread
            time.sleep(0.001)
    short = live_grid(22050, "short").n_fft
    assert latencies[0] == before and latencies[-1] == short
    found = np.concatenate(out, axis=1)[0]
    assert np.abs(np.diff(found[before:])).max() < 1.2 * np.abs(np.diff(tone)).max()
    assert np.array_equal(found[-20000:], tone[0, 79872 - 20000 - short : 79872 - short])


def test_another_take_is_noticed_and_played_unchanged_until_it_matches_again(
    hands: HandsProcessor, piece: Piece
) -> None:
    rng = np.random.default_rng(0)
    time_axis = np.arange(55000) / 22050
    other = sum(np.sin(2 * np.pi * f * time_axis) for f in (311.1, 1244.5, 3729.3)) * np.exp(-((time_axis % 0.7) * 6))
    other = (0.05 * other + 0.002 * rng.standard_normal(len(time_axis))).astype(np.float32)
    audio = piece.mix.copy()
    audio[22050 : 22050 + 55000] = other
    said_so: list[Message] = []
    out = play(hands, audio, LEFT_ONLY, listen=said_so.append)[0]
    texts = [str(each.arguments[0]) for each in said_so if each.address == "/terzetto/status"]
    assert [text.split(":")[0].split(",")[0] for text in texts[-3:]] == [
        "Ready",
        "This is not the take that was learned",
        "Ready",
    ]
    assert np.array_equal(out[3 * 22050 : 72000], audio[3 * 22050 : 72000]), "the take, unchanged"
    assert np.abs(np.diff(out - audio)).max() < 1.2 * max(
        np.abs(np.diff(piece.mix)).max(), np.abs(np.diff(other)).max()
    )


def test_gain_does_not_matter_to_recognition(hands: HandsProcessor, piece: Piece) -> None:
    for gain in (0.1, 3.0):
        said_so: list[Message] = []
        play(hands, gain * piece.mix, LEFT_ONLY, listen=said_so.append)
        assert not any("not the take" in str(each.arguments[0]) for each in said_so)


def test_without_a_score_the_take_plays_unchanged_and_it_says_what_to_do(piece: Piece) -> None:
    processor = HandsProcessor()
    assert np.array_equal(play(processor, stereo(piece), LEFT_ONLY), stereo(piece))
    assert "Drop the take's score here" in str(processor._said)


def shipped_sha256(name: str) -> str:
    return hashlib.sha256((shipped_folder() / f"{name}.onnx").read_bytes()).hexdigest()


def run_until_learned(processor: HandsProcessor, messages: list[Message]) -> None:
    assert processor.lessons.wait(120)
    processor.process(np.zeros((1, 512), np.float32), [], Transport(0, 0, False))
    messages += processor.outbox
    processor.outbox.clear()


def test_learn_by_playing(piece: Piece, tmp_path: Path) -> None:
    """Score dropped, Learn on, play from 3 s on, stop: learned, and take start is where it began."""
    write_midi(piece.score, tmp_path / "piece.mid")
    processor = HandsProcessor()
    processor.prepare(22050, 1, 512)
    processor.process(np.zeros((1, 512), np.float32), [to("score", str(tmp_path / "piece.mid"))])
    assert "Parting the hands by piece.mid alone: press Learn" in str(said(processor)[-1])
    start = 3 * 22050
    processor.process(np.zeros((1, 512), np.float32), [to("learn", True)], Transport(0, 0, False))
    assert said(processor)[-1].startswith("Listening")  # type: ignore[attr-defined]
    for at in range(0, len(piece.mix) - 511, 512):
        processor.process(piece.mix[None, at : at + 512], [], Transport(start + at, 0, True))
    count = processor.state_changed
    processor.process(np.zeros((1, 512), np.float32), [], Transport(start, 0, False))
    assert to("learn", False) in processor.outbox, "the host's switch goes back when playback stops"
    messages: list[Message] = []
    run_until_learned(processor, messages)
    assert "Ready: parting the hands of piece.mid" in str(messages[-1].arguments[0])
    fractions = [each.arguments[0] for each in messages if each.address == "/terzetto/progress"]
    assert fractions[-1] == -1.0 and all(0 <= each <= 1 for each in fractions[:-1])  # type: ignore[operator]
    assert processor.state_changed > count
    state = processor.state()
    assert state["take_start"] == pytest.approx(3.0) and set(state["learned"]) == set(WINDOWS)
    found = play(processor, piece.mix, LEFT_ONLY, position=start)[0]
    assert si_sdr(piece.left, found) > si_sdr(piece.left, piece.mix) + 9
    # A project opened again sounds the same, without the score's file.
    (tmp_path / "piece.mid").unlink()
    other = HandsProcessor()
    other.restore(state)
    assert np.array_equal(play(other, piece.mix, LEFT_ONLY, position=start)[0], found)


def test_learn_without_a_score_hears_the_notes(tmp_path: Path) -> None:
    """Nothing but the take: Learn, play it once, and the left hand can be turned off; another take is heard anew."""
    with excerpt() as folder:
        audio, rate = read_audio(folder / f"{EXCERPT}.flac")
        left, _ = read_audio(folder / f"{EXCERPT}.lh.flac")
    rate = int(rate)
    audio, left = audio[:, : 16 * rate], left[0, : 16 * rate]
    processor = HandsProcessor()
    processor.prepare(rate, 1, 512)
    processor.process(np.zeros((1, 512), np.float32), [to("learn", True)], Transport(0, 0, False))
    for at in range(0, audio.shape[1] - 511, 512):
        processor.process(audio[:, at : at + 512], [], Transport(at, 0, True))
    processor.process(np.zeros((1, 512), np.float32), [], Transport(0, 0, False))
    messages: list[Message] = []
    run_until_learned(processor, messages)
    assert "Ready: parting the hands of the notes that were heard" in str(messages[-1].arguments[0])
    state = processor.state()
    assert state["score_origin"] == "heard" and state["score"]["notes"]
    assert state["models"] == {name: shipped_sha256(name) for name in ("transcription", "hand_labels")}
    assert state["models"] == {name: shipped_sha256(name) for name in ("transcription", "hand_labels")}
    found = play(processor, audio[0], LEFT_ONLY, rate=rate)[0]
    assert si_sdr(left, found) > si_sdr(left, audio[0]) + 2
    again = HandsProcessor()
    again.restore(state)
    assert np.array_equal(play(again, audio[0], LEFT_ONLY, rate=rate)[0], found)
    before = len(state["score"]["notes"])
    soundfile.write(str(tmp_path / "part.wav"), audio[0, : 6 * rate], rate, subtype="FLOAT")
    again.process(np.zeros((1, 512), np.float32), [to("learn_file", str(tmp_path / "part.wav"))])
    run_until_learned(again, messages)
    assert 0 < len(again.state()["score"]["notes"]) < before


def test_learn_aligns_a_score_that_is_not_where_the_take_plays_it(piece: Piece, tmp_path: Path) -> None:
    """A MIDI file at one tempo, as it comes from a notation program; the next take is aligned anew."""
    sheet = replace(piece.score, onset=0.5 + 1.15 * piece.score.onset, offset=0.5 + 1.15 * piece.score.offset)
    write_midi(sheet, tmp_path / "sheet.mid")
    soundfile.write(str(tmp_path / "take.wav"), piece.mix, 22050, subtype="FLOAT")
    processor = HandsProcessor()
    processor.prepare(22050, 1, 512)
    processor.process(np.zeros((1, 512), np.float32), [to("score", str(tmp_path / "sheet.mid"))])
    messages: list[Message] = []
    run_until_learned(processor, messages)  # the score is read in the background
    processor.process(np.zeros((1, 512), np.float32), [to("learn_file", str(tmp_path / "take.wav"))])
    run_until_learned(processor, messages)
    assert "Ready: parting the hands of sheet.mid" in str(messages[-1].arguments[0])
    assert "they were aligned" in str(messages[-1].arguments[0])
    state = processor.state()
    assert state["score_origin"] == "aligned"
    onset = np.sort([row[0] for row in state["score"]["notes"]])
    assert np.median(np.abs(onset - np.sort(piece.score.onset))) < 0.02
    found = play(processor, piece.mix, LEFT_ONLY)[0]
    assert si_sdr(piece.left, found) > si_sdr(piece.left, piece.mix) + 8


@pytest.mark.parametrize("sound", ["silence", "noise"])
def test_learn_without_a_score_says_what_it_cannot_hear(sound: str) -> None:
    audio = np.zeros((1, 8 * 22050), np.float32)
    if sound == "noise":
        audio += 0.1 * np.random.default_rng(0).standard_normal(audio.shape).astype(np.float32)
    processor = HandsProcessor()
    messages: list[Message] = []
    play(processor, audio, [to("learn", True), to("learn", False, frame=audio.shape[1] - 512)])
    run_until_learned(processor, messages)
    assert "Nothing was learned" in str(messages[-1].arguments[0])
    assert processor.state()["score"] is None


def test_learning_does_not_disturb_the_stream_and_does_not_click(piece: Piece, tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "take.wav"), piece.mix, 22050, subtype="FLOAT")
    processor = HandsProcessor()
    processor.use(piece.score)
    processor.prepare(22050, 1, 512)
    events, out, at = [*LEFT_ONLY, to("learn_file", str(tmp_path / "take.wav"))], [], 0
    loop = np.tile(piece.mix, 2)
    ready = False
    while at < 400 * 512 and not ready:
        block = loop[at % len(piece.mix) :][:512]
        out.append(processor.process(block[None], events if at == 0 else [], Transport(at % len(piece.mix), 0, True)))
        at += 512
        ready = any("Ready" in str(text) for text in said(processor))
        time.sleep(0.004)
    if not ready:
        assert processor.lessons.wait(120)
    for _ in range(60):
        block = loop[at % len(piece.mix) :][:512]
        out.append(processor.process(block[None], [], Transport(at % len(piece.mix), 0, True)))
        at += 512
    assert any("Ready" in str(text) for text in said(processor))
    assert np.abs(np.diff(np.concatenate(out, axis=1))).max() < 1.5 * np.abs(np.diff(piece.mix)).max()
    processor.close()


def test_cancel_stops_listening_and_learning(hands: HandsProcessor, piece: Piece) -> None:
    before = hands.state()
    messages: list[Message] = []
    play(hands, piece.mix[:40000], [to("learn", True), to("cancel", frame=20000)], listen=messages.append)
    assert to("learn", False) in messages and "Ready" in str(messages[-1].arguments[0])
    play(hands, piece.mix[:40000], [to("learn", True), to("learn", False, frame=20000), to("cancel", frame=30000)])
    assert hands.lessons.wait(0) and not hands.lessons.learning
    assert hands.state() == before


@pytest.mark.parametrize(("channels", "note"), [((2, 1), "channel 1 is the right"), ((1, 1), "told by the notes")])
def test_notes_of_the_midi_input_are_a_score(piece: Piece, channels: tuple[int, int], note: str) -> None:
    events = [to("learn", True)]
    for onset, offset, pitch, hand in zip(
        piece.score.onset, piece.score.offset, piece.score.pitch, piece.score.hand, strict=True
    ):
        events.append(to("note", int(pitch), 80, channels[hand], frame=round(onset * 22050)))
        events.append(to("note", int(pitch), 0, channels[hand], frame=round(offset * 22050)))
    events.append(to("learn", False, frame=len(piece.mix) - 100))
    processor = HandsProcessor()
    play(processor, piece.mix, events)
    messages: list[Message] = []
    run_until_learned(processor, messages)
    assert note in str(messages[-1].arguments[0])
    notes = processor.state()["score"]["notes"]
    assert len(notes) == pytest.approx(len(piece.score), abs=5)
    assert {row[4] for row in notes} == {0, 1}
    if channels == (2, 1):
        assert sum(row[4] == 0 for row in notes) == pytest.approx(int((piece.score.hand == 0).sum()), abs=4)
        found = play(processor, piece.mix, LEFT_ONLY)[0]
        assert si_sdr(piece.left, found) > si_sdr(piece.left, piece.mix) + 7


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([to("learn", True), to("learn", False)], "Nothing was heard"),
        ([to("score", "nowhere.mid")], "nowhere.mid: no such score file"),
        ([to("score", "song.musicxml")], "song.musicxml: no such score file"),
        ([to("score", "song.pdf")], "song.pdf is no score; valid: .mid, .midi, "),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(piece: Piece, events: list[Message], text: str) -> None:
    messages: list[Message] = []
    play(HandsProcessor(), piece.mix[:40000], events, listen=messages.append)
    texts = [str(each.arguments[0]) for each in messages if each.address == "/terzetto/status"]
    assert text in texts[-1] and "\n" not in texts[-1]


@pytest.mark.parametrize(
    "event",
    [
        to("left_gain", "loud"),
        to("take_start", "soon"),
        to("take_start", float("nan")),
        to("take_start", True),
        to("score", 3),
        to("score"),
        to("learn_file", 3.0),
        to("note", 1, 2),
        to("note", 300, 2, 1),
        to("late_blocks", 1.0),
    ],
)
def test_bad_messages_are_answered_and_change_nothing(piece: Piece, event: Message) -> None:
    messages: list[Message] = []
    audio = piece.mix[None, :20000]
    assert np.array_equal(play(HandsProcessor(), audio, [event], listen=messages.append), audio)
    errors = [each for each in messages if each.address == "/terzetto/error"]
    assert len(errors) == 1 and errors[0].arguments[1] == event.address


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Message,
            st.sampled_from([f"/terzetto/hands/{name}" for name in (*NAMES, "unknown", "i1/mix", "")])
            | st.text(max_size=20),
            st.lists(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=4),
                max_size=3,
            ).map(tuple),
            st.integers(-600, 2000),
        ),
        max_size=4,
    )
)
def test_no_message_breaks_the_stream(events: list[Message]) -> None:
    processor = HandsProcessor()
    processor.prepare(8000, 1, 512)
    audio = np.sin(np.arange(4096, dtype=np.float32))[None]
    out = [processor.process(audio[:, at : at + 512], events, Transport(at, 0, True)) for at in range(0, 4096, 512)]
    processor.close()
    late = np.concatenate(out, axis=1)[0, processor.latency :]
    assert np.array_equal(late, audio[0, : len(late)])


def test_messages_that_ask_are_answered(hands: HandsProcessor) -> None:
    hands.prepare(22050, 1, 512)
    hands.outbox.clear()
    hands.process(np.zeros((1, 512), np.float32), [to("left_gain"), to("take_start"), to("unknown"), Message("/x")])
    assert hands.outbox == [to("left_gain", 0.0), to("take_start", 0.0)]


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda state: state["score"].update(notes=[[1, 2]]), "The score is missing"),
        (lambda state: state["score"].update(notes=[], path="/nowhere/x.mid"), "no such score file"),
        (lambda state: state["learned"].update(long="AAAA"), "must be learned again"),
        (lambda state: state["learned"].update(long="%%"), "must be learned again"),
        (lambda state: state["learned"].update(long=state["learned"]["long"][:-40]), "must be learned again"),
        (lambda state: state["learned"].update(huge=3), "must be learned again"),
        (lambda state: state.update(learned=7, score=3, take_start="x", values=[]), "Drop the take's score here"),
        (lambda state: state.update(models={"gone": "00"}), "the model gone is not installed here: learning again"),
        (lambda state: state.update(models={"hand_labels": "00"}), "the model hand_labels is another one here"),
        (lambda state: state.update(models=3, score=3), "Drop the take's score here"),
    ],
)
def test_a_damaged_state_is_said_and_never_raised(hands: HandsProcessor, piece: Piece, damage, text: str) -> None:
    state = hands.state()
    damage(state)
    for prepared in (False, True):
        processor = HandsProcessor()
        if prepared:
            processor.prepare(22050, 1, 512)
        processor.restore(state)
        assert text in str(said(processor)[-1])
        assert np.array_equal(play(processor, piece.mix[:30000]), piece.mix[None, :30000])


def test_a_state_of_nothing_is_restored() -> None:
    for state in ({}, {"values": None}, [], None, "x"):
        HandsProcessor().restore(state)  # type: ignore[arg-type]


def test_audio_that_is_not_finite_passes_and_leaves_no_trace(hands: HandsProcessor, piece: Piece) -> None:
    audio = piece.mix[None].copy()
    audio[0, 30000], audio[0, 30001], audio[0, 30002] = np.nan, np.inf, 1e30
    hands.prepare(22050, 1, 512)
    with np.errstate(all="ignore"):
        blocks = [
            hands.process(audio[:, at : at + 512], LEFT_ONLY if at == 0 else [], Transport(at, 0.0, True))
            for at in range(0, audio.shape[1] - 511, 512)
        ]
    out = np.concatenate(blocks, axis=1)[:, hands.latency :]
    clean = play(hands, piece.mix, LEFT_ONLY)[:, : out.shape[1]]
    assert np.isfinite(out[0, 50000:]).all()
    assert si_sdr(clean[0, 80000:], out[0, 80000:]) > 20


def test_hands_that_a_score_does_not_tell_are_told_by_the_notes_and_it_says_so(tmp_path: Path, piece: Piece) -> None:
    one = Score.from_notes(
        [
            (float(a), float(b), int(p), 0.5, "right")
            for a, b, p in zip(piece.score.onset, piece.score.offset, piece.score.pitch, strict=True)
        ]
    )
    write_midi(one, tmp_path / "one.mid")
    processor = HandsProcessor()
    processor.prepare(22050, 1, 512)
    processor.process(np.zeros((1, 512), np.float32), [to("score", str(tmp_path / "one.mid"))])
    assert "which hand plays what was told by the notes" in str(said(processor)[-1])
    assert {row[4] for row in processor.state()["score"]["notes"]} == {0, 1}
    assert processor.state()["models"] == {"hand_labels": shipped_sha256("hand_labels")}
