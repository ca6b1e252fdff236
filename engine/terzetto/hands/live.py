"""Hands, live: a take goes in, and comes out with a fader for each hand.

The song position says which notes may sound (`terzetto.hands.splitter`); what was learned of the take says how they
do. Learning happens in another process (`terzetto.hands.trainer`), reading files on a thread: `process` never waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.stream import STOPPED, SongClock, Transport
from terzetto.background import Background, Result
from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.errors import InputError
from terzetto.hands import live_status
from terzetto.hands.commands import note_of, path_of, seconds_of
from terzetto.hands.faders import FaderValues
from terzetto.hands.learning import Learned
from terzetto.hands.lessons import Lessons, Source
from terzetto.hands.project import Project, is_sheet, load_score
from terzetto.hands.splitter import Splitter
from terzetto.hands.splitters import Splitters, recipe
from terzetto.hands.voice import Voices
from terzetto.models import noting_models
from terzetto.score.notes import Score

Float = NDArray[np.float32]


class HandsProcessor:
    """A `Processor` that parts a piano take into its hands.

    Attributes
    ----------
    parameters : Parameters
        Of the instrument ``hands``.
    lessons : Lessons
        The learning that goes on.
    outbox : list of Message
        What it says: ``/terzetto/status``, ``/terzetto/progress``, ``/terzetto/error``, and parameters it has set.
    """

    def __init__(self) -> None:
        self.parameters = Parameters("hands")
        self.outbox: list[Message] = []
        self.lessons = Lessons(lambda fraction: self._tell("progress", fraction), self._say)
        self._changed = 0
        self._clock = SongClock()
        self._splitters = Splitters()
        self._voices: Voices | None = None
        self._background = Background()
        self._wanted = ""  # the score asked for last
        self._note = ""  # what the user should know beside the usual
        self._said = ""
        self._matched = True

    # The stream

    @property
    def latency(self) -> int:
        """Frames by which the output is delayed: the window's length."""
        return self._voices.latency if self._voices else 0

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Get ready for a stream; blocks may have any length up to ``max_frames``."""
        if self._splitters.set_format(sample_rate, channels) and self.lessons.listening:
            self.lessons.listen(channels, sample_rate)
        self._clock.forget()
        self._open()
        self._said = ""
        self._say_status()

    def reset(self) -> None:
        """Forget the stream's past."""
        self._clock.reset()
        self._matched = True
        if self._voices:
            self._voices.reset(self._faders())

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        """Return the next block; see `terzetto.audio.stream.Processor`."""
        if self._voices is None:
            raise RuntimeError("prepare() comes before process()")
        self._take_news()
        had_played = self._clock.has_played
        position = self._clock.advance(transport, block.shape[1])
        if self.lessons.listening and self._clock.has_played and not had_played and self._clock.jumped:
            self._listen()  # what was counted before the song began meant nothing
        if self._clock.stopped and self.lessons.has_heard:
            self._end_recording()
        heard = 0
        for event in sorted(events, key=lambda event: event.frame):
            self._hear(block[:, heard : event.frame], position + heard)
            heard = max(heard, event.frame)
            self._handle(event, position)
        self._hear(block[:, heard:], position + heard)
        if self.lessons.full:
            self._end_recording()
        start = round(self._project.take_start * self._splitters.sample_rate)
        result = self._voices.process(block, position - start, self._clock.stopped)
        if self._voices.matches != self._matched:
            self._matched = self._voices.matches
            self._say_status()
        return result

    def _hear(self, block: Float, position: int) -> None:
        if not self._clock.stopped:
            self.lessons.hear(block, position)

    def _faders(self) -> FaderValues:
        return FaderValues.of(self.parameters)

    def _open(self) -> None:
        """Begin anew with the window that is chosen."""
        window, stream = str(self.parameters["window"]), self._splitters
        self._voices = Voices(stream.sample_rate, stream.channels, window, self._faders(), stream.get(window))

    # What parts the take

    @property
    def _project(self) -> Project:
        return self._splitters.project

    def use(self, score: Score, learned: Sequence[Learned] = (), take_start: float = 0.0) -> None:
        """Take up a score and what was learned with it, at once."""
        self.lessons.cancel()
        project = Project(score, "", take_start, True)
        for each in learned:
            project.keep(each)
        self._splitters.project = project
        self._renew()

    def _renew(self, *splitters: Splitter) -> None:
        """Part with what the project holds now."""
        self._changed += 1
        self._splitters.renew(*splitters)
        self._use_splitters()
        self._say_status()

    def _use_splitters(self) -> None:
        self._matched = True
        if self._voices is not None:
            self._voices.use(self._splitters.get)

    # Messages

    def _handle(self, event: Message, position: int) -> None:
        self.parameters.dispatch(
            event, self.outbox, self._follow, lambda name: self._obey(name, event, position + event.frame)
        )

    def _follow(self, change: Change) -> None:
        """Do what a changed parameter asks for."""
        assert self._voices is not None
        if change.name == "learn":
            if change.value and not self.lessons.listening:
                self.lessons.cancel()
                self._listen()
                self._say_status()
            elif not change.value and self.lessons.listening:
                self._end_recording()
        elif change.name == "window":
            self._change_window(str(change.value))
        else:
            self._voices.move(change.frame, self._faders())

    def _obey(self, name: str, event: Message, at: int) -> None:
        """Follow one of the instrument's commands, at a frame of the timeline; others are not ours."""
        if name == "score":
            self._read_score(path_of(event))
        elif name == "take_start" and not event.arguments:
            self.outbox.append(Message(event.address, (self._project.take_start,)))
        elif name == "take_start":
            self._project.take_start, self._project.given = seconds_of(event), True
            self._changed += 1
        elif name == "learn_file":
            self._learn(path_of(event), self._project.anew())
        elif name == "cancel":
            self.lessons.cancel()
            self._set("learn", False)
            self._say_status()
        elif name == "note":
            self.lessons.note(at, *note_of(event))

    def _change_window(self, window: str) -> None:
        score = self._project.timed_score

        def change(splitter: Splitter | None) -> None:
            if splitter is not None and self._project.score is score and not self._splitters.has(window):
                self._splitters.add(splitter)
            if self._voices is not None and self.parameters["window"] == window:
                self._voices.change_window(window, self._faders(), self._splitters.get)
            self._say_status()

        if score is None or self._splitters.has(window):
            change(None)
        else:
            self._in_background(self._splitters.maker(score, window), change)

    def _read_score(self, path: str) -> None:
        self._wanted = path
        window, maker = str(self.parameters["window"]), self._splitters.maker

        def read() -> tuple[Score, dict[str, str], str, list[Splitter]]:
            with noting_models() as models:
                score, note = load_score(path)
            return score, models, note, [] if is_sheet(path) else [maker(score, window)()]

        def take(found: tuple[Score, dict[str, str], str, list[Splitter]]) -> None:
            if self._wanted == path:  # not overtaken by another one
                score, models, self._note, splitters = found
                self._project.read(score, path, models)
                self._renew(*splitters)

        self._in_background(read, take)

    def _in_background(self, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        at_once = self._voices is None or self._voices.untouched
        self._background.run(work, then, lambda why: self._say(f"The score cannot be used: {why}."), now=at_once)

    # Learning

    def _end_recording(self) -> None:
        """Learn what was heard."""
        self._set("learn", False)
        try:
            take, project, self._note = self.lessons.finish(self._project)
        except InputError as error:
            self._say(str(error))
            return
        self._learn(take, project)

    def _learn(self, source: Source, project: Project) -> None:
        rate, window = self._splitters.sample_rate, str(self.parameters["window"])
        self.lessons.learn(source, rate, project, window, recipe(rate, self._splitters.channels))
        self._say_status()

    def _listen(self) -> None:
        self.lessons.listen(self._splitters.channels, self._splitters.sample_rate)

    def _take_news(self) -> None:
        self._background.finish()
        for found, project in self.lessons.news():
            if project is not None:  # from now on the new take holds
                self._splitters.project = project
                self._note = self.lessons.remark or self._note
                self._splitters.renew()
            self._project.keep(found.learned, found.data)
            self._splitters.add(found.prepared)
            self._changed += 1
            if self._voices is not None and found.window in self._voices.windows:
                self._use_splitters()
            self._say_status()

    # What is said

    def _tell(self, what: str, *arguments: float | str) -> None:
        self.outbox.append(Message(f"/terzetto/{what}", arguments))

    def _set(self, name: str, value: float | bool | str) -> None:
        if self.parameters[name] != value:
            self.parameters.set(name, value)
            self.outbox.append(self.parameters.message(name))

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._tell("status", text)

    def _say_status(self) -> None:
        window = str(self.parameters["window"])
        self._say(live_status.status(self._project, self.lessons, window, self._matched, self._note))

    def wait(self, seconds: float) -> bool:
        """Wait for what goes on in the background, so that the next block takes it up; False: it takes longer."""
        return self._background.wait(seconds) and self.lessons.wait(seconds)

    # State

    @property
    def state_changed(self) -> int:
        """Rises whenever score, take start or what was learned change."""
        return self._changed

    def state(self) -> dict[str, Any]:
        """Return everything that brings the sound back, ready for JSON."""
        return {"version": 1, "values": self.parameters.values(), **self._project.to_json()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state; what is missing or damaged is told as a status."""
        self.lessons.cancel()
        content = state if isinstance(state, dict) else {}
        values = content.get("values")
        self.parameters.restore({**(values if isinstance(values, dict) else {}), "learn": False})
        self._splitters.project, problems = Project.from_json(content)
        self._note = " ".join(problems)
        self._splitters.renew()
        if self._voices is not None:
            self._voices.change_window(str(self.parameters["window"]), self._faders(), self._splitters.get)
            self._voices.move(0, self._faders())
        self._renew()

    def close(self) -> None:
        """End what goes on in the background."""
        self.lessons.cancel()

    def __del__(self) -> None:
        if hasattr(self, "lessons"):
            self.lessons.cancel()
