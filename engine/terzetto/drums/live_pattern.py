"""The pattern of the live instrument: the pad and its knobs, the model behind it, the hits it plays, its MIDI file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from terzetto.background import Background
from terzetto.control.arguments import numbers_of, text_of
from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.drums.bars import Bars, Hit, PatternSource, Settings
from terzetto.drums.clock import Span
from terzetto.drums.glide import Glide
from terzetto.drums.live_edits import SHAPING, LiveEdits
from terzetto.drums.live_file import LiveFile, Made
from terzetto.drums.sequencer import Sequencer
from terzetto.errors import ControlError, TerzettoError
from terzetto.models import noting_models, whole_name

Opener = Callable[[str], PatternSource]
_SHAPING = ("pad_x", "pad_y", "style", "density", "variation", "seed", "swing", "humanise", "tempo", *SHAPING)


def shipped_patterns(name: str) -> PatternSource:
    """Open a pattern model by its name or path; the shipped one for an empty name."""
    from terzetto.drums.patterns import open_pattern_model

    return open_pattern_model(name)


class LivePattern:
    """What the pad plays.

    Parameters
    ----------
    parameters
        The instrument's.
    background
        Where models are opened and files made.
    outbox
        Takes the parameters that are set here.
    say
        Told what happened, in a sentence.
    open_patterns
        Opens what patterns come from; see `DrumsProcessor`.

    Attributes
    ----------
    model : str
        Name or path of the model that plays; empty for the shipped one.
    problem : str
        Why there are no patterns; empty if there are.
    file : LiveFile
        The pattern as a MIDI file.
    models : dict
        The model that plays, name → SHA-256.
    changed : int
        Rises with the model and the edits.
    """

    def __init__(
        self,
        parameters: Parameters,
        background: Background,
        outbox: list[Message],
        say: Callable[[str], None],
        open_patterns: Opener,
    ) -> None:
        self._parameters, self._background, self._outbox, self._say = parameters, background, outbox, say
        self._open = open_patterns
        self.model = self._wanted = ""  # the one asked for last
        self.problem = ""
        self.models: dict[str, str] = {}
        self.changed = 0
        self._bars: Bars | None = None
        self._sequencer: Sequencer | None = None
        self.file = LiveFile(background, say)
        self._rate = self._host_tempo = 0.0
        self._x, self._y = Glide(0.5), Glide(0.5)
        self.edits, self._edited = LiveEdits(parameters, background, outbox, say), 0

    # The stream

    def prepare(self, sample_rate: float) -> None:
        """Get ready for a stream; opens the model when it is the first one."""
        self._rate = sample_rate
        self.edits.prepare()
        if self._bars is None and not self.problem:
            try:
                source, self.models = self._opened(self.model)
                self._bars = Bars(source, self.edits.dictionary)
            except TerzettoError as error:
                self.problem = str(error)
        self._sequencer = None if self._bars is None else Sequencer(self._bars, sample_rate)

    def stop(self) -> None:
        """Play nothing that has not sounded yet."""
        if self._sequencer is not None:
            self._sequencer.stop()

    def place(self) -> None:
        """Be where the knobs are, at once."""
        self._x.set(self._parameters.number("pad_x"))
        self._y.set(self._parameters.number("pad_y"))

    def hits(self, span: Span, now: int, start: int, stop: int) -> list[tuple[int, Hit]]:
        """Return the hits of a piece of a block with their frames; ``now`` is the stream's frame it begins at."""
        if self._sequencer is None or stop <= start:
            return []
        at_beats = self._parameters["change_at"] == "beat"
        return self._sequencer.advance(span, start, stop, lambda frame: self._settings(now + frame), at_beats)

    def end_block(self, host_tempo: float) -> None:
        """See to the file, after a block; its tempo is the host's."""
        self._host_tempo = host_tempo
        self.write_file(now=False)

    def _settings(self, at: int) -> Settings:
        """Return what holds at a frame of the stream."""
        value, number = self._parameters.__getitem__, self._parameters.number
        return Settings(
            x=self._x.at(at),
            y=self._y.at(at),
            style=None if value("style") == "any" else str(value("style")),
            density=number("density"),
            variation=number("variation"),
            seed=round(number("seed")),
            swing=number("swing"),
            humanise=number("humanise"),
            edits=self.edits.now(),
        )

    # What moves it

    def follow(self, change: Change, now: int) -> None:
        """Do what a changed parameter asks for, at a frame of the stream."""
        if change.name in ("pad_x", "pad_y"):
            glide = self._x if change.name == "pad_x" else self._y
            glide.move(float(change.value), now, round(self._parameters.number("glide") * self._rate / 1000))
        self.edits.follow(change)
        self.file.due = self.file.due or change.name in _SHAPING

    def obey(self, name: str, event: Message, now: int, *, begins: bool) -> None:
        """Follow a command; others are not ours. ``begins``: nothing of the stream has been heard."""
        if name == "pad":
            self._move(now, *numbers_of(event, 2))
        elif name == "latent":
            self._move(now, *(self._on_pad(each) for each in numbers_of(event, 2)))
        elif name == "latent_x":
            self._move(now, self._on_pad(*numbers_of(event, 1)), None)
        elif name == "latent_y":
            self._move(now, None, self._on_pad(*numbers_of(event, 1)))
        elif name == "save_pattern":
            self.file.save(text_of(event, "the path of a MIDI file"), self._played())
        elif name == "model":
            self._use_model(whole_name(text_of(event, "the name or the path of a pattern model")), now=begins)
        else:
            self.edits.obey(name, event, lambda: self._played()[:2], begins=begins)

    def _move(self, now: int, x: float | None, y: float | None) -> None:
        outside = False
        for name, value in (("pad_x", x), ("pad_y", y)):
            if value is None:
                continue
            outside = outside or not 0.0 <= value <= 1.0
            self._parameters.set(name, value)
            self._outbox.append(self._parameters.message(name))
            self.follow(Change(name, self._parameters[name]), now)
        if outside:
            self._say("That point lies outside the pad; it is at the pad's edge now.")

    def _on_pad(self, latent: float) -> float:
        """Return a coordinate in the model's units as one from 0 to 1."""
        if self._bars is None:
            raise ControlError(f"there is no pattern model to say where {latent:g} is ({self.problem})")
        low, high = self._bars.source.pad_range
        return (latent - low) / (high - low)

    def _use_model(self, name: str, *, now: bool, saved: bool = False) -> None:
        """Open another model, while the present one plays on; without a saved one there are no patterns."""

        def take(opened: tuple[PatternSource, dict[str, str]]) -> None:
            if self._wanted == name:  # not overtaken by another one
                source, self.models = opened
                self.model, self._bars, self.problem = name, Bars(source, self.edits.dictionary), ""
                if self._sequencer is None:
                    self._sequencer = Sequencer(self._bars, self._rate)
                self._sequencer.bars = self._bars
                self.changed += 1
                self.file.due = True
                self.say_status()

        def fail(why: str) -> None:
            if not saved:
                self._say(f"That model cannot be used: {why}")
            elif self._wanted == name:  # as where it is opened with the stream: a bounce plays the same
                self.stop()
                self.model, self.problem, self.models = name, why, {}
                self._bars = self._sequencer = None
                self.changed += 1
                self.say_status()

        self._wanted = name
        self._background.run(lambda: self._opened(name), take, fail, now=now)

    def _opened(self, name: str) -> tuple[PatternSource, dict[str, str]]:
        with noting_models() as models:
            return self._open(name), models

    # The file

    def write_file(self, *, now: bool) -> None:
        """Make the file that the editor hands out, on a thread; the state carries it to the plugin."""
        if self.edits.changed != self._edited:
            self._edited, self.file.due = self.edits.changed, True
            self.changed += 1
        if self._bars is not None:
            self.file.refresh(self._played, now=now)

    def _played(self) -> Made:
        """Return what a file is made of: what the knobs say, wherever the pad has got to."""
        if self._bars is None:
            raise ControlError(f"there is no pattern ({self.problem})")
        x, y = self._parameters.number("pad_x"), self._parameters.number("pad_y")
        tempo = self._host_tempo or self._parameters.number("tempo")
        return Bars(self._bars.source, self.edits.dictionary), replace(self._settings(0), x=x, y=y), tempo

    # What is said and kept

    def say_status(self) -> None:
        """Say what plays."""
        style = str(self._parameters["style"])
        if self._bars is None:
            self._say(f"Notes play; there are no patterns: {self.problem}")
        elif style != "any" and style not in self._bars.source.styles:
            self._say(f"These patterns know no style {style}; they play in any.")
        else:
            when = {"off": "Notes play; the pattern is off.", "transport": "The pattern plays with the host."}
            self._say(when.get(str(self._parameters["play"]), "The pattern plays."))

    def restore(self, model: str, *, now: bool) -> None:
        """Take up a saved model and the knobs' values."""
        self._wanted = model  # what was asked for before does not come into it
        if not self._rate:  # opened by prepare()
            self.model = model
            return
        if model != self.model:
            self._use_model(model, now=now, saved=True)
        self.file.due = True
