from __future__ import annotations

import pytest

from terzetto.audio.stream import Transport
from terzetto.drums.clock import BeatClock, Span

RATE, BLOCK = 48000, 512
BEAT = 24000  # frames, at 120 bpm


def run(clock: BeatClock, *transports: Transport, mode: str = "transport", tempo: float = 120.0) -> list[Span | None]:
    return [clock.advance(each, BLOCK, tempo, mode) for each in transports]  # type: ignore[arg-type]


def test_it_plays_with_the_host_and_stops_with_it() -> None:
    clock = BeatClock(RATE)
    rolling, standing = Transport(BEAT, 120.0, True), Transport(BEAT, 120.0, False)
    first, second, third = run(clock, rolling, standing, rolling)
    assert first is not None and first.quarter == 1.0 and first.moved
    assert second is None
    assert third is not None and third.moved
    assert run(clock, rolling, mode="off") == [None]


def test_a_clock_of_its_own_runs_while_the_host_stands() -> None:
    clock = BeatClock(RATE)
    standing = [Transport(999, 0.0, False)] * 3
    spans = run(clock, *standing, mode="always", tempo=60.0)
    assert [span.quarter for span in spans if span] == pytest.approx([0, BLOCK / 48000, 2 * BLOCK / 48000])
    assert [span.moved for span in spans if span] == [True, False, False]
    (host,) = run(clock, Transport(BEAT, 120.0, True), mode="always")
    assert host is not None and host.quarter == 1.0 and host.moved


def test_counted_frames_place_an_engine_that_joins_late() -> None:
    (span,) = run(BeatClock(RATE), Transport(3 * BEAT, 0.0, True), mode="always")
    assert span is not None and span.quarter == 3.0


def test_quarter_notes_count_where_the_tempo_has_changed() -> None:
    clock = BeatClock(RATE)
    (span,) = run(clock, Transport(BEAT, 120.0, True, quarters=1.0002))
    assert span is not None and span.quarter == 1.0, "they agree but for a rounding: frames are exact"
    clock.reset()
    first, second = run(clock, Transport(BEAT, 120.0, True, 7.5), Transport(BEAT + BLOCK, 120.0, True, 7.5216))
    assert first is not None and first.quarter == 7.5
    assert second is not None and second.quarter == 7.5 + BLOCK / BEAT and not second.moved, "a wobble is smoothed"
    (third,) = run(clock, Transport(BEAT, 120.0, True, 5.0))
    assert third is not None and third.quarter == 5.0 and third.moved


def test_without_quarter_notes_a_new_tempo_goes_on_from_here() -> None:
    clock = BeatClock(RATE)
    first, second = run(clock, Transport(BEAT, 120.0, True), Transport(BEAT + BLOCK, 60.0, True))
    assert second is not None and second.quarter == 1.0 + BLOCK / BEAT and not second.moved
    assert first is not None and first.frames_per_quarter * 2 == second.frames_per_quarter == 48000


def test_a_position_between_two_frames_does_not_hang_on_the_last_bit() -> None:
    span = Span(0.0, 22050.0, True)
    assert {span.frame(0.25), span.frame(0.25 * (1 + 1e-12)), span.frame(0.25 * (1 - 1e-12))} == {5512}
