"""Hops through a chain that misbehaves: every hop is answered, dry where need be, without a click."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from terzetto.audio.stream import STOPPED, Transport
from terzetto.control.messages import Message
from terzetto_host.live.hops import MOST_MISSING, TAIL, Hops
from tests.host.conftest import Float

RATE = 48000.0


class Half:
    """Plays at half the level and some frames later, but fails from hop to hop as it is told."""

    def __init__(self, latency: int = 100) -> None:
        self.latency = latency
        self.fails: set[int] = set()
        self.how = "raise"
        self.calls = self.resets = 0
        self.events: list[Message] = []
        self.positions: list[int | None] = []
        self.reset()

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None: ...

    def reset(self) -> None:
        self.resets += 1
        self._held = np.zeros((1, self.latency), np.float32)

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        call, self.calls = self.calls, self.calls + 1
        if call in self.fails:
            if self.how == "raise":
                raise RuntimeError("broken")
            return block[:, :3] if self.how == "short" else np.full_like(block, np.nan)
        self.events += events
        self.positions.append(transport.position)
        both = np.concatenate([self._held, 0.5 * block], axis=1)
        self._held = both[:, block.shape[1] :]
        return both[:, : block.shape[1]]


def sine(frames: int) -> Float:
    return np.sin(2 * np.pi * 100 * np.arange(frames) / RATE).astype(np.float32)[None]


def play(hops: Hops, sound: Float, hop: int, first: int = 0, epoch: int = 1) -> Float:
    answers = []
    for number in range(sound.shape[1] // hop):
        block = sound[:, number * hop : (number + 1) * hop].copy()
        answer = hops.process(epoch, first + number, block)
        assert answer is not None and answer.shape == (1, hop + TAIL)
        answers.append(answer)
    for before, after in pairwise(answers):
        # What a response holds to fade out on is what comes next, if all goes well; it always joins without a step.
        assert abs(float(before[0, hop] - after[0, 0])) < 0.03
    return np.concatenate([answer[:, :hop] for answer in answers], axis=1)


@pytest.mark.parametrize("hop", [64, 256, 512])
@pytest.mark.parametrize("how", ["raise", "short", "nan"])
def test_a_chain_that_fails_is_replaced_by_the_dry_sound(hop: int, how: str) -> None:
    chain = Half()
    chain.how = how
    hops = Hops(chain, RATE, 1, hop, realtime=True)
    failed = 20
    chain.fails = {failed}
    sound = sine(hop * (failed + int(3 * RATE) // hop + 20))
    heard = play(hops, sound, hop)
    later = np.pad(sound, ((0, 0), (TAIL + chain.latency, 0)))[:, : sound.shape[1]]
    assert np.abs(np.diff(heard[0])).max() < 0.03  # a click would be a step; the sine itself moves by 0.013
    start = failed * hop
    assert np.abs(heard[:, :start] - 0.5 * later[:, :start]).max() < 1e-6
    back = start + int(2.9 * RATE)
    assert np.abs(heard[:, start + TAIL : back] - later[:, start + TAIL : back]).max() < 1e-6
    assert np.abs(heard[:, -10 * hop :] - 0.5 * later[:, -10 * hop :]).max() < 1e-6
    failed_, again = hops.news
    assert "dry" in failed_ and "again" in again and chain.resets > 1


def test_what_came_while_it_was_broken_is_made_up_for() -> None:
    chain = Half()
    chain.fails = {0}
    hops = Hops(chain, RATE, 1, 512, realtime=True)
    block = sine(512)
    for number in range(4):
        hops.process(1, number, block.copy(), [Message("/terzetto/hands/mix", (number / 10,), 7)])
    assert chain.events == []
    hops.retry()
    hops.process(1, 4, block.copy())
    assert chain.events == [Message("/terzetto/hands/mix", (0.3,))]


def test_gaps_are_filled_if_they_are_short_and_else_the_stream_starts_anew() -> None:
    chain = Half()
    hops = Hops(chain, RATE, 1, 512, realtime=True)
    block = sine(512)
    hops.process(1, 0, block.copy(), (), Transport(0, 0.0, True))
    resets = chain.resets
    hops.process(1, 4, block.copy(), (), Transport(2048, 0.0, True))
    assert chain.calls == 5 and chain.resets == resets and chain.positions == [0, 512, 1024, 1536, 2048]
    answer = hops.process(1, 4 + MOST_MISSING + 2, block.copy())
    assert answer is not None and chain.calls == 6 and chain.resets == resets + 1
    hops.process(1, 3, block.copy())  # a host that repeats
    assert chain.calls == 7 and chain.resets == resets + 2


def test_a_new_epoch_begins_with_silence() -> None:
    chain = Half(0)
    hops = Hops(chain, RATE, 1, 512, realtime=True)
    ones = np.ones((1, 512), np.float32)
    hops.process(1, 0, ones)
    answer = hops.process(2, 0, ones)
    assert answer is not None and not answer[:, :TAIL].any() and (answer[:, TAIL:] == 0.5).all()
    answer = hops.process(3, 2, ones)  # the first two were lost
    assert answer is not None and not answer[:, :TAIL].any() and chain.calls == 5


@pytest.mark.parametrize("realtime", [True, False])
def test_joining_in_the_middle(realtime: bool) -> None:
    hops = Hops(Half(1000), RATE, 1, 512, realtime=realtime)
    answers = [hops.process(7, 300 + number, sine(512)) is not None for number in range(4)]
    assert answers == ([False, False, True, True] if realtime else [True] * 4)
