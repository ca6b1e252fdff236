"""Rendering, the song clock and streaming spectra."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake
from terzetto.audio.overlap_add import StreamingSTFT
from terzetto.audio.spectra import FrameGrid
from terzetto.audio.stream import STOPPED, SongClock, Transport, render
from terzetto.control.messages import Message

Float = NDArray[np.float32]
GRID = FrameGrid(8000, 400, 100)


def noise(frames: int, channels: int = 2) -> Float:
    return np.random.default_rng(1).standard_normal((channels, frames)).astype(np.float32)


class Delay:
    """A processor that delays and scales, and says what it sees."""

    def __init__(self, latency: int = 700) -> None:
        self.latency = latency
        self.seen: list[tuple[int | None, bool]] = []
        self.outbox: list[Message] = []

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        self.max_frames, self.channels = max_frames, channels
        self.reset()

    def reset(self) -> None:
        self.gain = 1.0
        self.line = np.zeros((self.channels, self.latency), np.float32)

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        assert block.shape == (self.channels, self.max_frames)
        self.seen.append((transport.position, transport.playing))
        gains = np.full(block.shape[1], self.gain, np.float32)
        for event in events:
            self.outbox.append(event)
            if event.address == "/latency":
                self.latency = int(str(event.arguments[0]))
                self.line = np.zeros((self.channels, self.latency), np.float32)
            else:
                gains[event.frame :] = self.gain = float(str(event.arguments[0]))
        self.line = np.concatenate([self.line, block * gains], axis=1)
        result, self.line = self.line[:, : block.shape[1]], self.line[:, block.shape[1] :]
        return result

    def state(self) -> dict[str, object]:
        return {}

    def restore(self, state: dict[str, object]) -> None: ...

    @property
    def state_changed(self) -> int:
        return 0


@pytest.mark.parametrize("hop", [1, 64, 512, 8192])
@pytest.mark.parametrize("latency", [0, 700, 5000])
def test_a_render_is_as_long_as_the_take_and_not_late(hop: int, latency: int) -> None:
    audio = noise(3001)
    processor = Delay(latency)
    events = [Message("/gain", (0.5,), 1000), Message("/gain", (2.0,), 1001)]
    blocks = list(render(processor, ArrayTake(audio, 8000), events, hop=hop, position=9))
    expected = audio.copy()
    expected[:, 1000] *= 0.5
    expected[:, 1001:] *= 2.0
    assert np.array_equal(np.concatenate(blocks, axis=1), expected)
    assert processor.seen == [(9 + hop * i, True) for i in range(len(processor.seen))]


def test_what_a_processor_says_is_passed_on_and_a_new_latency_counts() -> None:
    audio, said = noise(2000, 1), []
    events = [Message("/latency", (300,), 0)]
    result = np.concatenate(list(render(Delay(), ArrayTake(audio, 8000), events, listen=said.append)), axis=1)
    assert said == events
    assert np.array_equal(result, audio)


def test_a_song_clock_starts_exactly_where_the_host_says() -> None:
    clock = SongClock()
    assert clock.advance(Transport(-24, 120.0, True), 512) == -24
    assert clock.advance(Transport(480, 120.0, True), 512) == 488  # a wobble
    clock.reset()
    assert clock.advance(Transport(20, 120.0, True), 512) == 20


def test_the_clock_follows_a_host_that_plays() -> None:
    clock = SongClock()
    assert clock.advance(Transport(48000, 120.0, True), 512) == 48000
    assert clock.advance(Transport(48513, 120.0, True), 512) == 48512, "a wobble is smoothed away"
    assert clock.advance(Transport(100, 120.0, True), 512) == 100, "a jump counts at once"
    assert not clock.stopped
    for _ in range(2):  # back where it began, as most hosts do
        clock.advance(Transport(48000, 120.0, False), 512)
        assert clock.stopped
    assert clock.advance(Transport(90000, 120.0, True), 512) == 90000 and not clock.stopped


def test_the_clock_counts_up_to_a_songs_beginning() -> None:
    """Before an export some hosts run through the latency: positions below 0, not playing yet."""
    clock = SongClock()
    told = [Transport(at, 120.0, at >= 0) for at in range(-1024, 1025, 512)]
    assert [clock.advance(each, 512) for each in told] == [-1024, -512, 0, 512, 1024]
    assert not clock.stopped


def test_a_host_that_stands_in_the_song_is_stopped() -> None:
    clock = SongClock()
    for _ in range(3):
        clock.advance(Transport(48000), 512)
    assert clock.stopped


@pytest.mark.parametrize("told", [Transport(), Transport(0), Transport(0, 120.0, True), Transport(None, 0.0, True)])
def test_the_clock_counts_where_the_host_does_not(told: Transport) -> None:
    clock = SongClock()
    assert [clock.advance(told, 512) for _ in range(3)] == [0, 512, 1024]
    assert not clock.stopped
    clock.reset()
    assert clock.advance(told, 512) == 0


def stream(blocks: Sequence[int], audio: Float, change=None, position: int = 0) -> tuple[Float, list[int]]:
    centers: list[int] = []

    def listen(spectra, center):
        centers.append(center)
        return change(spectra, center) if change else (spectra, None)

    transform = StreamingSTFT(GRID, len(audio), 2, listen)
    results, at = [], 0
    for frames in blocks:
        results.append(transform.process(audio[:, at : at + frames], position + at))
        at += frames
    return np.concatenate(results, axis=2), centers


def halves(spectra, center):
    keep = spectra.copy()
    keep[:, 20 + center // 100 % 7 :] = 0
    return keep, spectra - keep


def test_unchanged_spectra_give_the_input_exactly_n_fft_later() -> None:
    audio = noise(3000)
    out, centers = stream([3000], audio)
    assert np.abs(out[0][:, 400:] - audio[:, :-400]).max() < 1e-5
    assert not out[0][:, :400].any() and not out[1].any()
    assert centers == list(range(-100, 2801, 100))
    parts, _ = stream([3000], audio, halves)
    assert np.abs(parts.sum(axis=0)[:, 400:] - audio[:, :-400]).max() < 1e-5


@pytest.mark.parametrize("blocks", [[1] * 3000, [64] * 46 + [56], [512] * 5 + [440], [2999, 1]])
def test_blocks_do_not_matter_to_the_bit(blocks: list[int]) -> None:
    audio = noise(3000)
    whole, centers = stream([3000], audio, halves, position=37)
    out, same = stream(blocks, audio, halves, position=37)
    assert np.array_equal(whole, out) and centers == same


def test_frames_lie_alike_wherever_playback_begins() -> None:
    audio = noise(3000)
    whole, _ = stream([3000], audio, halves)
    late, centers = stream([2377], audio[:, 623:], halves, position=623)
    assert all(center % 100 == 0 for center in centers)
    assert np.array_equal(whole[..., 623 + 800 :], late[..., 800:])


def test_a_jump_moves_the_frames_and_loses_nothing() -> None:
    audio = noise(3000)
    centers: list[int] = []

    def keep(spectra, center):
        centers.append(center)
        return (spectra,)

    transform = StreamingSTFT(GRID, 2, 1, keep)
    first = transform.process(audio[:, :1234], 0)
    second = transform.process(audio[:, 1234:], 5050)
    out = np.concatenate([first, second], axis=2)[0]
    assert np.abs(out[:, 400:] - audio[:, :-400]).max() < 1e-5
    # Frames that end after the jump but are centred before it count where the song stood then.
    assert centers[11:16] == [1000, 1084, 1184, 5100, 5200]
    transform.reset()
    assert np.array_equal(transform.process(audio[:, :1234], 0), first)


def test_a_host_that_jumps_all_the_time_loses_nothing() -> None:
    audio = noise(3000)
    transform = StreamingSTFT(GRID, 2, 1, lambda spectra, center: (spectra,))
    blocks = [transform.process(audio[:, at : at + 30], 1000 * (at // 30) + 7) for at in range(0, 3000, 30)]
    assert np.abs(np.concatenate(blocks, axis=2)[0][:, 400:] - audio[:, :-400]).max() < 1e-5
