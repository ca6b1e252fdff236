"""Messages that are due at a time of day: in which hop they count, and at which frame."""

from __future__ import annotations

import random

import numpy as np
import pytest

from terzetto.control.messages import Message
from terzetto_host.live.schedule import MOST, Schedule

RATE, HOP = 48000.0, 512
LENGTH = HOP / RATE
NOON = 1_800_000_000.0


def frames(schedule: Schedule, arrivals: list[float]) -> list[int]:
    """Return at which frames of a stream messages come out whose hops arrive at these seconds after noon."""
    return [
        number * HOP + message.frame
        for number, arrival in enumerate(arrivals)
        for message in schedule.hop(NOON + arrival)
    ]


def steady(hops: int) -> list[float]:
    """Arrivals of hops on the dot: a hop comes in when its last frame has."""
    return [LENGTH * (number + 1) for number in range(hops)]


def test_a_message_counts_at_its_frame() -> None:
    schedule = Schedule(RATE, HOP)
    for at in (0.25, 0.1, 0.1):
        schedule.add(NOON + at, [Message(f"/at/{at}", (1,))])
    assert frames(schedule, steady(20)) == [4800, 4800]
    assert frames(schedule, [at + 20 * LENGTH for at in steady(20)]) == [12000 - 20 * HOP]


def test_what_is_late_counts_at_once_and_all_keep_their_order() -> None:
    schedule = Schedule(RATE, HOP)
    schedule.hop(NOON)
    schedule.add(NOON - 5.0, [Message("/late", (1,)), Message("/late", (2,))])
    schedule.add(NOON - 6.0, [Message("/later", ())])
    found = schedule.hop(NOON + LENGTH)
    assert [(each.address, each.arguments, each.frame) for each in found] == [
        ("/later", (), 0), ("/late", (1,), 0), ("/late", (2,), 0),
    ]  # fmt: skip
    assert schedule.hop(NOON + 2 * LENGTH) == []


@pytest.mark.parametrize("block", [512, 2048, 8192])
def test_even_times_come_at_even_frames_whatever_the_hosts_blocks(block: int) -> None:
    """Hops arrive together, a block at a time, and late by some milliseconds."""
    chance = random.Random(block)
    at_once = block // HOP
    arrivals = []
    for number in range(0, 2000, at_once):
        arrivals += [LENGTH * (number + at_once) + 0.003 * chance.random()] * at_once
    schedule = Schedule(RATE, HOP)
    found = []
    beat, told = 0.05, 1
    for number, arrival in enumerate(arrivals):
        while told * beat < arrival + 0.5:  # told half a second ahead
            schedule.add(NOON + told * beat, [Message("/beat", ())])
            told += 1
        found += [number * HOP + message.frame for message in schedule.hop(NOON + arrival)]
    steps = np.diff(found[len(found) // 2 :])
    assert np.abs(steps - beat * RATE).max() < 0.1 * block + 20
    assert abs(steps.mean() - beat * RATE) < 10


def test_a_stream_that_stood_still_finds_the_time_again() -> None:
    schedule = Schedule(RATE, HOP)
    frames(schedule, steady(50))
    schedule.add(NOON + 60.0 - LENGTH / 2, [Message("/a", ())])
    (message,) = schedule.hop(NOON + 60.0)
    assert message.frame == HOP // 2


def test_without_hops_what_is_due_is_overdue_and_not_too_much_waits() -> None:
    schedule = Schedule(RATE, HOP)
    schedule.add(NOON, [Message("/a", (number,)) for number in range(2 * MOST)])
    assert schedule.overdue(NOON) == []
    assert len(schedule.overdue(NOON + 0.001)) == MOST
    assert schedule.overdue(NOON + 1.0) == []
