"""Drums, live: patterns by the host's clock, a kit that plays them and the notes that come in, notes that go out.

Everything that sounds is a function of the song position and the settings, so a bounce plays what was heard. What comes
in passes; the drums are added to it. There is no latency.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.stream import STOPPED, Transport
from terzetto.background import Background
from terzetto.control.addresses import Address
from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.drums.bars import Bars, PatternSource, Settings
from terzetto.drums.clock import BeatClock, Mode, Span
from terzetto.drums.commands import note_of, numbers_of, text_of
from terzetto.drums.drum_map import read_drum_map
from terzetto.drums.glide import Glide
from terzetto.drums.kit import Player, open_kit, sound_of_note
from terzetto.drums.notes_out import NotesOut
from terzetto.drums.pattern_file import write_pattern, written_pattern
from terzetto.drums.sequencer import Sequencer
from terzetto.errors import ControlError, TerzettoError

Float = NDArray[np.float32]
Opener = Callable[[str], PatternSource]

LEVEL_GLIDE = 0.01
"""Seconds in which the level follows its fader."""
_PATTERN = ("pad_x", "pad_y", "style", "density", "variation", "seed", "swing", "humanise", "tempo")


def shipped_patterns(name: str) -> PatternSource:
    """Open a pattern model by its name or path; the shipped one for an empty name."""
    from terzetto.drums.patterns import open_pattern_model

    return open_pattern_model(name)


class DrumsProcessor:
    """A `Processor` that plays drums.

    Parameters
    ----------
    open_patterns
        Opens what patterns come from, by a model's name or path (empty: the shipped one); it may raise
        `TerzettoError`, and then only notes play.

    Attributes
    ----------
    parameters : Parameters
        Of the instrument ``drums``.
    outbox : list of Message
        What it says: ``/terzetto/status``, ``/terzetto/error``, parameters it has set, and the notes it plays
        (``/terzetto/drums/played PITCH VELOCITY CHANNEL``, each at its frame).
    """

    latency = 0

    def __init__(self, open_patterns: Opener = shipped_patterns) -> None:
        self.parameters = Parameters("drums")
        self.outbox: list[Message] = []
        self._open_patterns = open_patterns
        self._model = ""  # name or path of the one that plays
        self._wanted = ""  # the one asked for last
        self._background = Background()
        self._bars: Bars | None = None
        self._problem = ""
        self._said = ""
        self._midi = ""
        self._midi_due, self._midi_busy = True, False
        self._host_tempo = 0.0
        self._changed = 0
        self._rate = 0.0
        self._x, self._y, self._gain = Glide(0.5), Glide(0.5), Glide(1.0)
        self._map = read_drum_map()

    # The stream

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Get ready for a stream; blocks may have any length up to ``max_frames``."""
        if self._bars is None and not self._problem:
            self._open(self._model)
        self._rate, self._channels = sample_rate, channels
        self._clock, self._notes = BeatClock(sample_rate), NotesOut(sample_rate)
        self._player = Player(open_kit(sample_rate, channels), sample_rate)
        self._sequencer = None if self._bars is None else Sequencer(self._bars, sample_rate)
        self.reset()
        self._said = ""
        self._say_status()
        self._write_midi(now=True)

    def reset(self) -> None:
        """Forget the stream's past."""
        self._now = 0
        self._begins = True  # what is set at the stream's first frame has always been so
        self._clock.reset()
        self._notes.reset()
        self._player.reset()
        if self._sequencer is not None:
            self._sequencer.stop()
        self._place()

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        """Return the next block; see `terzetto.audio.stream.Processor`."""
        if not self._rate:
            raise RuntimeError("prepare() comes before process()")
        self._background.finish()
        frames = block.shape[1]
        gain = np.empty(frames, np.float32)
        span: Span | None = None
        hits: list[tuple[int, int, float]] = []
        done, clocked = 0, False
        for event in [*sorted(events, key=lambda event: event.frame), None]:
            upto = frames if event is None else min(max(event.frame, done), frames)
            if upto > done or event is None:
                if not clocked:  # what is turned at the first frame counts for the clock
                    span, clocked = self._span(transport, frames), True
                hits += self._play(span, done, upto)
                gain[done:upto] = self._gain.over(self._now + done, upto - done)
                done = upto
            if event is not None:
                self._handle(event)
                if done == 0 and self._begins:
                    self._place()
        self._begins = False
        self._host_tempo = transport.tempo
        self._write_midi(now=False)
        self.outbox += self._notes.block(hits, frames)
        self._now += frames
        sound = self._player.render(block.shape[0], frames)
        return cast(Float, block + gain * sound)

    def _span(self, transport: Transport, frames: int) -> Span | None:
        mode, tempo = cast(Mode, self.parameters["play"]), self.parameters.number("tempo")
        span = self._clock.advance(transport, frames, tempo, mode)
        if span is None and self._sequencer is not None:
            self._sequencer.stop()
        return span

    def _play(self, span: Span | None, start: int, stop: int) -> list[tuple[int, int, float]]:
        """Strike what the pattern has in a piece of a block; return it as (frame, pitch, velocity)."""
        if span is None or self._sequencer is None or stop <= start:
            return []
        at_beats = self.parameters["change_at"] == "beat"
        played = []
        for frame, hit in self._sequencer.advance(span, start, stop, self._settings, at_beats):
            self._player.strike(hit.drum, hit.velocity, frame)
            played.append((frame, int(self._map.note_of_drum[hit.drum]), hit.velocity))
        return played

    def _settings(self, frame: int = 0) -> Settings:
        """Return what holds at a frame of the block."""
        value, number = self.parameters.__getitem__, self.parameters.number
        return Settings(
            x=self._x.at(self._now + frame),
            y=self._y.at(self._now + frame),
            style=None if value("style") == "any" else str(value("style")),
            density=number("density"),
            variation=number("variation"),
            seed=round(number("seed")),
            swing=number("swing"),
            humanise=number("humanise"),
        )

    def _place(self) -> None:
        """Be where the knobs are, at once."""
        self._x.set(self.parameters.number("pad_x"))
        self._y.set(self.parameters.number("pad_y"))
        self._gain.set(self._loudness())

    def _loudness(self) -> float:
        level = self.parameters.number("level")
        return 0.0 if level <= -60.0 else float(10 ** (level / 20))

    # Messages

    def _handle(self, event: Message) -> None:
        address = Address.parse(event.address)
        if address is None or address.instrument != "drums":
            return
        try:
            answer, change = self.parameters.answer(event), self.parameters.apply(event)
            if answer is not None:
                self.outbox.append(answer)
            elif change is not None:
                self._follow(change)
            else:
                self._obey(address.name, event)
        except TerzettoError as error:
            self._tell("error", str(error), event.address)

    def _follow(self, change: Change) -> None:
        """Do what a changed parameter asks for."""
        now = self._now + change.frame
        if change.name in ("pad_x", "pad_y"):
            glide = self._x if change.name == "pad_x" else self._y
            glide.move(float(change.value), now, round(self.parameters.number("glide") * self._rate / 1000))
        elif change.name == "level":
            self._gain.move(self._loudness(), now, round(LEVEL_GLIDE * self._rate))
        elif change.name in ("style", "play"):
            self._say_status()
        self._midi_due = self._midi_due or change.name in _PATTERN

    def _obey(self, name: str, event: Message) -> None:
        """Follow one of the instrument's commands; others are not ours."""
        if name == "note":
            pitch, velocity = note_of(event)
            sound = sound_of_note(pitch, self._map)
            if velocity > 0 and sound >= 0:
                self._player.strike(sound, velocity, event.frame)
        elif name == "pad":
            self._move_pad(event.frame, *numbers_of(event, 2))
        elif name == "latent":
            self._move_pad(event.frame, *(self._on_pad(each) for each in numbers_of(event, 2)))
        elif name == "latent_x":
            self._move_pad(event.frame, self._on_pad(*numbers_of(event, 1)), None)
        elif name == "latent_y":
            self._move_pad(event.frame, None, self._on_pad(*numbers_of(event, 1)))
        elif name == "save_pattern":
            self._save_pattern(text_of(event, "the path of a MIDI file"))
        elif name == "model":
            self._use_model(text_of(event, "the name or the path of a pattern model"))

    def _move_pad(self, frame: int, x: float | None, y: float | None) -> None:
        outside = False
        for name, value in (("pad_x", x), ("pad_y", y)):
            if value is None:
                continue
            outside = outside or not 0.0 <= value <= 1.0
            self.parameters.set(name, value)
            self.outbox.append(self.parameters.message(name))
            self._follow(Change(name, self.parameters[name], frame))
        if outside:
            self._say("That point lies outside the pad; it is at the pad's edge now.")

    def _on_pad(self, latent: float) -> float:
        """Return a coordinate in the model's units as one from 0 to 1."""
        if self._bars is None:
            raise ControlError(f"there is no pattern model to say where {latent:g} is ({self._problem})")
        low, high = self._bars.source.pad_range
        return (latent - low) / (high - low)

    # What patterns come from

    def _open(self, name: str) -> None:
        try:
            self._bars, self._problem = Bars(self._open_patterns(name)), ""
        except TerzettoError as error:
            self._bars, self._problem = None, str(error)

    def _use_model(self, name: str) -> None:
        """Open another model, while the present one plays on."""

        def take(source: PatternSource) -> None:
            if self._wanted == name:  # not overtaken by another one
                self._model, self._bars, self._problem = name, Bars(source), ""
                if self._sequencer is None:
                    self._sequencer = Sequencer(self._bars, self._rate)
                self._sequencer.bars = self._bars
                self._changed += 1
                self._midi_due = True
                self._say_status()

        self._wanted = name
        self._background.run(
            lambda: self._open_patterns(name), take, lambda why: self._say(f"That model cannot be used: {why}"),
            now=self._begins,
        )  # fmt: skip

    # The pattern as a file

    def _file(self) -> tuple[Bars, Settings, float]:
        """Return what a file is made of: what the knobs say, wherever the pad has got to."""
        assert self._bars is not None
        x, y = self.parameters.number("pad_x"), self.parameters.number("pad_y")
        tempo = self._host_tempo or self.parameters.number("tempo")
        return Bars(self._bars.source), replace(self._settings(), x=x, y=y), tempo

    def _write_midi(self, *, now: bool) -> None:
        """Make the file that the editor hands out, on a thread; the state carries it to the plugin."""
        if self._bars is None or not self._midi_due or self._midi_busy:
            return
        bars, settings, tempo = self._file()
        self._midi_due, self._midi_busy = False, True

        def take(written: bytes) -> None:
            self._midi_busy = False
            text = base64.b64encode(written).decode("ascii")
            self._changed += text != self._midi
            self._midi = text

        def fail(why: str) -> None:
            self._midi_busy = False
            self._say(f"The pattern cannot be made a file: {why}")

        self._background.run(lambda: written_pattern(bars, settings, tempo), take, fail, now=now)

    def _save_pattern(self, path: str) -> None:
        if self._bars is None:
            raise ControlError(f"there is no pattern to save ({self._problem})")
        bars, settings, tempo = self._file()
        self._background.run(
            lambda: write_pattern(Path(path), bars, settings, tempo),
            lambda _: self._say(f"The pattern is in {path}."),
            lambda why: self._say(f"The pattern could not be saved: {why}"),
            now=False,
        )

    # What is said

    def _tell(self, what: str, *arguments: float | str) -> None:
        self.outbox.append(Message(f"/terzetto/{what}", arguments))

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._tell("status", text)

    def _say_status(self) -> None:
        style = str(self.parameters["style"])
        if self._bars is None:
            self._say(f"Notes play; there are no patterns: {self._problem}")
        elif style != "any" and style not in self._bars.source.styles:
            self._say(f"These patterns know no style {style}; they play in any.")
        else:
            when = {"off": "Notes play; the pattern is off.", "transport": "The pattern plays with the host."}
            self._say(when.get(str(self.parameters["play"]), "The pattern plays."))

    def wait(self, seconds: float) -> bool:
        """Wait for what goes on in the background, so that the next block takes it up; False: it takes longer."""
        return self._background.wait(seconds)

    # State

    @property
    def state_changed(self) -> int:
        """Rises whenever the pattern's file or the model changes."""
        return self._changed

    def state(self) -> dict[str, Any]:
        """Return everything that brings the sound back, ready for JSON; ``midi``: the pattern's file in base 64."""
        return {"version": 1, "values": self.parameters.values(), "model": self._model, "midi": self._midi}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state; what is missing or damaged is told as a status."""
        content = state if isinstance(state, dict) else {}
        values, model = content.get("values"), content.get("model")
        self.parameters.restore(values if isinstance(values, dict) else {})
        model = model if isinstance(model, str) else ""
        if not self._rate:  # opened by prepare()
            self._model = model
            return
        if model != self._model:
            self._use_model(model)
        self._place()
        self._midi_due = True
        self._say_status()
