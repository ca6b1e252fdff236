"""The splitters of a project, one for each window, made for a stream's format."""

from __future__ import annotations

from collections.abc import Callable

from terzetto.hands.learning import Learned, informed
from terzetto.hands.project import Project
from terzetto.hands.splitter import Splitter
from terzetto.hands.storage import at_rate
from terzetto.score.notes import Score


def recipe(sample_rate: float, channels: int) -> Callable[[Score, Learned], Splitter]:
    """Return how a score and what was learned become a splitter for a stream."""
    return lambda score, learned: Splitter(at_rate(learned, sample_rate), score, channels)


class Splitters:
    """Makes splitters when they are needed, and keeps them.

    Attributes
    ----------
    project : Project
        What is parted; call `renew` when its score or what was learned has changed.
    sample_rate, channels
        Of the stream.
    """

    def __init__(self) -> None:
        self.project = Project()
        self.sample_rate, self.channels = 48000.0, 2
        self._ready: dict[str, Splitter] = {}

    def set_format(self, sample_rate: float, channels: int) -> bool:
        """Take up a stream's format; returns whether it is another one."""
        if (sample_rate, channels) == (self.sample_rate, self.channels):
            return False
        self.sample_rate, self.channels = sample_rate, channels
        self._ready.clear()
        return True

    def renew(self, *splitters: Splitter) -> None:
        """Forget what was made; these have been made already."""
        self._ready.clear()
        for splitter in splitters:
            self.add(splitter)

    def add(self, splitter: Splitter) -> None:
        """Keep a splitter that was made elsewhere, if it fits the stream (whose format may have changed since)."""
        if (splitter.learned.grid.sample_rate, splitter.channels) == (self.sample_rate, self.channels):
            self._ready[splitter.learned.window] = splitter

    def has(self, window: str) -> bool:
        """Whether a window's splitter is at hand without work."""
        return window in self._ready or self.project.timed_score is None

    def get(self, window: str) -> Splitter | None:
        """Return a window's splitter; None without a score whose times are known."""
        score = self.project.timed_score
        if score is not None and window not in self._ready:
            self._ready[window] = self.maker(score, window)()
        return self._ready.get(window)

    def maker(self, score: Score, window: str) -> Callable[[], Splitter]:
        """Return what makes the splitter for a score, on any thread: of what was learned, or of the score alone."""
        learned, sample_rate, channels = self.project.learned.get(window), self.sample_rate, self.channels
        make = recipe(sample_rate, channels)
        return lambda: make(score, learned or informed(score, sample_rate, channels, window))
