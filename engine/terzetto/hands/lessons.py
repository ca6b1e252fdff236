"""Learn while the song plays: what is heard becomes a recording, a recording becomes what is learned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError
from terzetto.hands.learning import WINDOWS, Learned
from terzetto.hands.project import ALIGNED, HEARD, SHEET, TAKE, Project
from terzetto.hands.recording import LONGEST, Recording
from terzetto.hands.splitter import Splitter
from terzetto.hands.trainer import Ended, Found, Progressed, Scored, Trainer
from terzetto.score.notes import Score

Float = NDArray[np.float32]
Prepare = Callable[[Score, Learned], Splitter]
Source = Callable[[], Float] | str


class Lessons:
    """Listens, has learned, and hands over what was found.

    Parameters
    ----------
    tell
        Called with the progress of learning, 0..1; negative when none goes on.
    fail
        Called with a sentence when nothing was learned.

    Attributes
    ----------
    remark : str
        What the user should know of how the score of the take that is learned was found.
    """

    def __init__(self, tell: Callable[[float], None], fail: Callable[[str], None]) -> None:
        self._tell, self._fail = tell, fail
        self._recording: Recording | None = None
        self._trainer: Trainer[Splitter] | None = None
        self._pending: Project | None = None
        self.remark = ""

    @property
    def listening(self) -> bool:
        """Whether the take is being recorded."""
        return self._recording is not None

    @property
    def has_heard(self) -> bool:
        """Whether anything has been recorded."""
        return self._recording is not None and self._recording.start is not None

    @property
    def full(self) -> bool:
        """Whether no more is recorded."""
        return self._recording is not None and self._recording.seconds >= LONGEST

    @property
    def learning(self) -> bool:
        """Whether a take is being learned and has not been taken up yet."""
        return self._pending is not None

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until nothing more is to be learned; False if that takes longer."""
        return self._trainer is None or self._trainer.wait(seconds)

    def listen(self, channels: int, sample_rate: float) -> None:
        """Begin to record, from nothing."""
        self._recording = Recording(channels, sample_rate)

    def hear(self, block: Float, position: int) -> None:
        """Record a block at a song position."""
        if self._recording is not None and block.shape[1]:
            self._recording.hear(block, position)

    def note(self, position: int, pitch: int, velocity: int, channel: int) -> None:
        """Record a note of the MIDI input."""
        if self._recording is not None:
            self._recording.note(position, pitch, velocity, channel)

    def finish(self, project: Project) -> tuple[Callable[[], Float], Project, str]:
        """End the recording; return what gives the take, the project to learn it for, and what the user should know.

        Raises
        ------
        InputError
            Nothing was heard.
        """
        recording, self._recording = self._recording, None
        if recording is None or recording.start is None:
            raise InputError("Nothing was heard: press Learn, play the take to its end, then switch Learn off.")
        start, note = recording.start / recording.sample_rate, ""
        project = project.anew()
        played = recording.score()
        if played is not None:
            project.score, told = played
            project.path, project.take_start, project.given, project.origin = "", start, False, TAKE
            project.models = {}
            note = f"The score is the MIDI input: {told}."
        elif not project.given:
            project.take_start = start
        late = round((start - project.take_start) * recording.sample_rate)

        def take() -> Float:
            return np.pad(recording.audio(), ((0, 0), (max(late, 0), 0)))[:, max(-late, 0) :]

        return take, project, note

    def learn(self, source: Source, sample_rate: float, project: Project, window: str, prepare: Prepare) -> None:
        """Have a take learned, from samples or a file, for this window first and then for the others.

        Without a score its notes are heard from it first; a sheet is aligned with it; unknown hands are told.
        """
        self.cancel()
        if project.score is None:
            project.origin = HEARD
        self._pending, self.remark = project, ""
        windows = [window, *(other for other in WINDOWS if other != window)]
        self._trainer = Trainer(source, sample_rate, project.score, windows, prepare, align=project.origin == SHEET)
        self._tell(0.0)

    def cancel(self) -> None:
        """Stop listening and learning."""
        self._recording = self._pending = None
        if self._trainer is not None:
            self._trainer.cancel()
            self._trainer = None
            self._tell(-1.0)

    def news(self) -> list[tuple[Found[Splitter], Project | None]]:
        """Return what has been learned since; with the first of a take, the project that holds from now on."""
        found: list[tuple[Found[Splitter], Project | None]] = []
        for news in self._trainer.news() if self._trainer else ():
            if isinstance(news, Found):
                if self._pending is not None:
                    self._tell(-1.0)
                found.append((news, self._pending))
                self._pending = None
            elif isinstance(news, Progressed):
                if self._pending is not None:
                    self._tell(news.fraction)
            elif isinstance(news, Scored):
                if self._pending is not None:
                    self._pending.score, self.remark = news.score, news.note
                    self._pending.models |= news.models
                    if news.aligned:
                        self._pending.origin = ALIGNED
            elif isinstance(news, Ended):
                self._trainer = self._pending = None
                if news.error:
                    self._tell(-1.0)
                    self._fail(f"Nothing was learned: {news.error}.")
        return found
