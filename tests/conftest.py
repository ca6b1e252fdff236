"""What the tests share: the data set, if there is one, and synthetic piano takes whose hands are known."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.score.notes import Score

ROOT = Path(__file__).resolve().parents[1]
NO_DATA = "no data set: TERZETTO_DATA names a folder that is not there"
NO_HOST = "no host:"  # begins the reason of a skipped test in tests/hosts

# A run that a shell put into the background ignores Ctrl-C, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

Float = NDArray[np.float32]
skipped_for_data: list[str] = []
skipped_for_hosts: Counter[str] = Counter()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the data set; tests that ask for it are skipped without one."""
    folder = (ROOT / os.environ.get("TERZETTO_DATA", "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"{NO_DATA} (default: ../shared/data beside the repository)")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "data" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("data"):
            raise pytest.UsageError(f"{item.nodeid} uses the data set but is not marked 'data'")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and NO_DATA in str(report.longrepr):
        skipped_for_data.append(report.nodeid)
    elif report.skipped and NO_HOST in str(report.longrepr):
        reason = str(report.longrepr).partition(NO_HOST)[2].strip(" '\")")
        skipped_for_hosts[reason] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if skipped_for_data:
        terminalreporter.write_line(
            f"{len(skipped_for_data)} data tests were skipped: set TERZETTO_DATA to the folder of the data set"
        )
    for reason, count in skipped_for_hosts.items():
        terminalreporter.write_line(f"{count} tests in real hosts were skipped: {reason}")


@dataclass(frozen=True)
class PianoTake:
    """A synthetic recording (mono) with its true hands and its score."""

    left: Float
    right: Float
    sample_rate: int
    score: Score

    @property
    def mix(self) -> Float:
        return self.left + self.right


def tone(pitch: int, seconds: float, velocity: float, sample_rate: int) -> Float:
    """A struck string: partials a little sharp, the high ones soft and short; a damper at the end."""
    time = np.arange(round((seconds + 0.15) * sample_rate)) / sample_rate
    fundamental = 440.0 * 2.0 ** ((pitch - 69) / 12)
    sound = np.zeros(len(time))
    for number in range(1, 16):
        frequency = number * fundamental * np.sqrt(1 + 3e-4 * number**2)
        if frequency > 0.45 * sample_rate:
            break
        decay = (1.2 + 0.25 * number) * 2.0 ** ((pitch - 60) / 24)
        sound += np.sin(2 * np.pi * frequency * time + number) * np.exp(-decay * time) / number**1.3
    sound *= np.minimum(time / 0.004, 1.0) * np.exp(-30.0 * np.maximum(time - seconds, 0.0))
    return (0.2 * velocity * sound).astype(np.float32)


@pytest.fixture(scope="session")
def make_piano() -> Callable[..., PianoTake]:
    """Make a take of some seconds: chords in the left hand, a melody in the right, velocities by chance."""

    def make(seconds: float = 6.0, sample_rate: int = 22050, seed: int = 0) -> PianoTake:
        random = np.random.default_rng(seed)
        hands = {name: np.zeros(round(seconds * sample_rate), np.float32) for name in ("left", "right")}
        notes: list[tuple[float, float, int, float, str]] = []
        chords = ((48, 55), (45, 52), (41, 48), (43, 50))
        for beat in range(max(int((seconds - 0.5) / 0.5), 1)):
            start = 0.1 + 0.5 * beat
            if beat % 2 == 0:
                notes += [(start, start + 0.9, pitch, 0.0, "left") for pitch in chords[beat // 2 % 4]]
            for step in range(2):
                at = start + 0.25 * step
                notes.append((at, at + 0.23, int(random.choice((64, 67, 69, 72, 74, 76))), 0.0, "right"))
        played = []
        for onset, offset, pitch, _, hand in notes:
            velocity = float(random.integers(50, 110) / 127)
            played.append((onset, offset, pitch, velocity, hand))
            sound = tone(pitch, offset - onset, velocity, sample_rate)
            room = hands[hand][round(onset * sample_rate) :][: len(sound)]
            room += sound[: len(room)]
        return PianoTake(hands["left"], hands["right"], sample_rate, Score.from_notes(played))

    return make


@pytest.fixture(scope="session")
def piano(make_piano: Callable[..., PianoTake]) -> PianoTake:
    """Six seconds of synthetic piano at 22.05 kHz."""
    return make_piano()
