from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from terzetto.audio.stream import Transport
from terzetto.drums.bars import Bars, Hit, Settings, variation_seed
from terzetto.drums.clock import BeatClock
from terzetto.drums.sequencer import Sequencer
from tests.engine.drums.groove import HAT, KICK, RIDE, SNARE, Groove

RATE = 48000
LEFT, RIGHT = Settings(x=0.1), Settings(x=0.9)


def play(
    sequencer: Sequencer,
    positions: list[int],
    block: int,
    settings: Callable[[int], Settings] | None = None,
    at_beats: bool = False,
    bpm: float = 120.0,
    rate: int = RATE,
) -> list[tuple[int, Hit]]:
    """Play blocks at song positions; returns (frame of all that was played, hit). ``settings`` by that frame."""
    chosen = settings or (lambda frame: LEFT)
    clock, played = BeatClock(rate), []
    for number, position in enumerate(positions):
        span = clock.advance(Transport(position, bpm, True), block, 120.0, "transport")
        assert span is not None
        first = number * block
        found = sequencer.advance(span, 0, block, lambda frame, first=first: chosen(first + frame), at_beats)
        played += [(first + frame, hit) for frame, hit in found]
    return played


def straight(frames: int, block: int, start: int = 0) -> list[int]:
    return list(range(start, start + frames, block))


@pytest.mark.parametrize(("rate", "bpm"), [(48000, 120.0), (44100, 120.0), (44100, 97.3), (96000, 201.0)])
def test_the_same_hits_whatever_the_blocks(rate: int, bpm: float) -> None:
    frames = 8192 * 12
    found = [
        play(Sequencer(Bars(Groove(0.3)), rate), straight(frames, block), block, bpm=bpm, rate=rate)
        for block in (64, 512, 8192)
    ]
    assert found[0] == found[1] == found[2] and len(found[0]) > 8
    kicks = np.array([frame for frame, hit in found[0] if hit.drum == KICK])
    beat = 60 * rate / bpm
    expected = np.arange(len(kicks)) * beat - 0.3 * beat / 4
    expected[::4] = np.arange(len(kicks))[::4] * beat - np.minimum(0.3 * beat / 4, 0.025 * rate)
    assert kicks[0] == 0, "the first beat of a song is never lost, however early it is played"
    assert np.abs(kicks[1:] - expected[1:]).max() <= 1.0


def test_a_pattern_changes_at_the_next_bar_and_never_within_one() -> None:
    beat = 24000
    played = play(
        Sequencer(Bars(Groove()), RATE), straight(512 * 400, 512), 512, lambda at: LEFT if at < 30000 else RIGHT
    )
    assert max(frame for frame, hit in played if hit.drum == HAT) == 4 * beat - beat // 2
    assert min(frame for frame, hit in played if hit.drum == RIDE) == 4 * beat


@pytest.mark.parametrize(("turned", "heard"), [(30000, 48000), (46700, 48000), (46900, 72000)])
def test_a_pattern_changes_at_the_next_beat(turned: int, heard: int) -> None:
    """What is turned up to 25 ms (1,200 frames) before a beat counts from that beat on."""
    played = play(
        Sequencer(Bars(Groove()), RATE),
        straight(512 * 200, 512),
        512,
        lambda at: LEFT if at < turned else RIGHT,
        at_beats=True,
    )
    assert min(frame for frame, hit in played if hit.drum == RIDE) == heard
    assert max(frame for frame, hit in played if hit.drum == HAT) == heard - 12000


def test_it_follows_jumps_and_strikes_nothing_twice() -> None:
    block, loop = 500, 48000  # a loop of two beats, whose end is played early into
    positions = straight(loop, block) * 3
    played = play(Sequencer(Bars(Groove(0.2)), RATE), positions, block)
    kicks = [frame for frame, hit in played if hit.drum == KICK]
    early = 1200
    assert kicks == [0, 24000 - early, 48000 - early, 72000 - early, 96000 - early, 120000 - early, 144000 - early]

    forward = straight(30000, block) + straight(30000, block, 24000 * 7 + 6000)
    hats = [frame for frame, hit in play(Sequencer(Bars(Groove()), RATE), forward, block) if hit.drum == HAT]
    assert hats == [0, 12000, 24000, 36000, 48000], "from the middle of a beat on, at its eighth"


def test_it_starts_anywhere_as_it_would_have_come_there() -> None:
    settings = Settings(variation=0.5, seed=7)
    whole = play(Sequencer(Bars(Groove()), RATE), straight(24000 * 16, 480), 480, lambda at: settings)
    begin = 24000 * 9
    later = play(Sequencer(Bars(Groove()), RATE), straight(24000 * 7, 480, begin), 480, lambda at: settings)
    assert [(frame - begin, hit) for frame, hit in whole if frame >= begin] == later


def test_nothing_sounds_before_the_song() -> None:
    played = play(Sequencer(Bars(Groove(0.3)), RATE), straight(24000 * 3, 480, -24000), 480)
    assert min(frame for frame, _ in played) == 24000 - 1200, "the first beat may come early, none comes before"


def test_bars_swing_thin_out_and_vary() -> None:
    source = Groove(0.2)
    bars = Bars(source)
    straight_hits = bars.hits(RIGHT, 0)
    swung = bars.hits(Settings(x=0.9, swing=1.0, humanise=0.0), 0)
    ride = [hit for hit in swung if hit.drum == RIDE]
    assert ride[1].quarter == pytest.approx(1 / 3) and ride[2].quarter == pytest.approx(0.5)
    assert all(hit.velocity == pytest.approx(0.8) for hit in swung)
    assert [hit.velocity for hit in straight_hits] == [0.5] * len(straight_hits)
    assert [hit.quarter for hit in straight_hits if hit.drum == KICK][1] == pytest.approx(0.95)

    assert bars.hits(Settings(x=0.1, density=-1.0), 0) == []
    assert len(bars.hits(Settings(x=0.1, density=-0.5), 0)) == 6, "half of twelve"
    assert any(hit.drum == SNARE for hit in bars.hits(Settings(style="snare"), 0))
    assert not any(hit.drum == SNARE for hit in bars.hits(Settings(style="polka"), 0)), "an unknown style is any"

    varied = Settings(variation=0.5, seed=3)
    seeds = [variation_seed(3, bar) for bar in range(8)]
    assert len(set(seeds)) == 8 and seeds == [variation_seed(3, bar) for bar in range(8)]
    assert bars.hits(varied, 5) == Bars(Groove(0.2)).hits(varied, 5)
