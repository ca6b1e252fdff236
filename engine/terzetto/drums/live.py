"""Drums, live: patterns by the host's clock, a kit that plays them and the notes that come in, notes that go out.

Everything that sounds is a function of the song position and the settings, so a bounce plays what was heard. What comes
in passes; the drums are added to it. There is no latency.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.stream import STOPPED, Transport
from terzetto.background import Background
from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.drums.beat import midi_velocity
from terzetto.drums.clock import BeatClock, Mode, Span
from terzetto.drums.drum_map import read_drum_map
from terzetto.drums.live_kit import LiveKit
from terzetto.drums.live_pattern import LivePattern, Opener, shipped_patterns
from terzetto.drums.live_voices import LiveVoices
from terzetto.drums.notes_out import NotesOut
from terzetto.drums.sound_space import OpenModel, open_model
from terzetto.models import missing_models

Float = NDArray[np.float32]


class DrumsProcessor:
    """A `Processor` that plays drums.

    Parameters
    ----------
    open_patterns
        Opens what patterns come from, by a model's name or path (empty: the shipped one); it may raise
        `TerzettoError`, and then only notes play.
    open_sounds
        Opens what the voices' pads are of, the same way; where it raises, the kit plays.

    Attributes
    ----------
    parameters : Parameters
        Of the instrument ``drums``.
    outbox : list of Message
        What it says: ``/terzetto/status``, ``/terzetto/error``, parameters it has set, and the notes it plays
        (``/terzetto/drums/played PITCH VELOCITY CHANNEL``, each at its frame).
    """

    latency = 0

    def __init__(self, open_patterns: Opener = shipped_patterns, open_sounds: OpenModel = open_model) -> None:
        self.parameters = Parameters("drums")
        self.outbox: list[Message] = []
        self._background = Background()
        self._said = ""
        self._missing: list[str] = []  # of what was saved
        self._rate = 0.0
        self._map = read_drum_map()
        self._pattern = LivePattern(self.parameters, self._background, self.outbox, self._say, open_patterns)
        self._voices = LiveVoices(self.parameters, self._background, self.outbox, self._say, open_sounds)
        self._kit = LiveKit(self.parameters, self._voices, self._map)

    # The stream

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Get ready for a stream; blocks may have any length up to ``max_frames``."""
        self._rate = sample_rate
        self._clock, self._notes = BeatClock(sample_rate), NotesOut(sample_rate)
        self._pattern.prepare(sample_rate)
        self._said = ""
        self._pattern.say_status()
        self._kit.prepare(sample_rate, channels)
        self.reset()
        self._pattern.write_file(now=True)
        self._say_missing()

    def reset(self) -> None:
        """Forget the stream's past."""
        self._now = 0
        self._begins = True  # what is set at the stream's first frame has always been so
        self._clock.reset()
        self._notes.reset()
        self._kit.reset()
        self._pattern.stop()
        self._place()

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        """Return the next block; see `terzetto.audio.stream.Processor`."""
        if not self._rate:
            raise RuntimeError("prepare() comes before process()")
        self._background.finish()
        self._voices.begin_block(events)
        frames = block.shape[1]
        gain = np.empty(frames, np.float32)
        span: Span | None = None
        played: list[tuple[int, int, float]] = []
        done, clocked = 0, False
        for event in [*sorted(events, key=lambda event: event.frame), None]:
            upto = frames if event is None else min(max(event.frame, done), frames)
            if upto > done or event is None:
                if not clocked:  # what is turned at the first frame counts for the clock, and for what begins
                    span, clocked = self._span(transport, frames), True
                    self._voices.refresh(now=self._begins)
                played += self._play(span, done, upto)
                gain[done:upto] = self._kit.gain(self._now + done, upto - done)
                done = upto
            if event is not None:
                self._handle(event)
                if done == 0 and self._begins:
                    self._place()
        self._begins = False
        self._voices.refresh(now=False)
        self._pattern.end_block(transport.tempo)
        self.outbox += self._notes.block(played, frames)
        self._now += frames
        return cast(Float, block + gain * self._kit.render(block.shape[0], frames))

    def _span(self, transport: Transport, frames: int) -> Span | None:
        mode, tempo = cast(Mode, self.parameters["play"]), self.parameters.number("tempo")
        span = self._clock.advance(transport, frames, tempo, mode)
        if span is None:
            self._pattern.stop()
        return span

    def _play(self, span: Span | None, start: int, stop: int) -> list[tuple[int, int, float]]:
        """Strike what the pattern has in a piece of a block; return it as (frame, pitch, velocity)."""
        if span is None:
            return []
        played = []
        for frame, hit in self._pattern.hits(span, self._now, start, stop):
            velocity = midi_velocity(hit.velocity) / 127  # the sound of the note that goes out
            self._kit.strike(hit.drum, velocity, frame)
            played.append((frame, int(self._map.note_of_drum[hit.drum]), velocity))
        return played

    def _place(self) -> None:
        """Be where the knobs are, at once."""
        self._pattern.place()
        self._kit.place()

    # Messages

    def _handle(self, event: Message) -> None:
        self.parameters.dispatch(event, self.outbox, self._follow, lambda name: self._obey(name, event))

    def _obey(self, name: str, event: Message) -> None:
        """Follow a command of the kit or of the pattern."""
        self._kit.obey(name, event, begins=self._begins)
        self._pattern.obey(name, event, self._now + event.frame, begins=self._begins)

    def _follow(self, change: Change) -> None:
        """Do what a changed parameter asks for."""
        now = self._now + change.frame
        self._pattern.follow(change, now)
        self._kit.follow(change, now, begins=self._begins)
        if change.name in ("style", "play"):
            self._pattern.say_status()

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self.outbox.append(Message("/terzetto/status", (text,)))

    def wait(self, seconds: float) -> bool:
        """Wait for what goes on in the background, so that the next block takes it up; False: it takes longer."""
        return self._background.wait(seconds)

    # State

    @property
    def state_changed(self) -> int:
        """Rises whenever the pattern's file, a model or the kit changes."""
        return self._pattern.changed + self._pattern.file.changed + self._voices.changed

    def state(self) -> dict[str, Any]:
        """Return everything that brings the sound back, ready for JSON; ``midi``: the pattern's file in base 64."""
        pattern, voices = self._pattern, self._voices
        return {
            "version": 1,
            "values": self.parameters.values(),
            "model": pattern.model,
            "midi": pattern.file.midi,
            "other": pattern.edits.state(),
            **voices.state(),
            "models": {**pattern.models, **voices.models},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state; what is missing or damaged is told as a status."""
        content = state if isinstance(state, dict) else {}
        values, model, models = content.get("values"), content.get("model"), content.get("models")
        self.parameters.restore(values if isinstance(values, dict) else {})
        self._pattern.edits.restore(content.get("other"))
        began = bool(self._rate)
        self._pattern.restore(model if isinstance(model, str) else "", now=began and self._begins)
        problem = self._voices.restore(content)
        noted = {str(name): str(sha256) for name, sha256 in models.items()} if isinstance(models, dict) else {}
        self._missing = [*([problem] if problem else []), *missing_models(noted)]
        if began:
            self._place()
            self._pattern.say_status()
            self._say_missing()

    def _say_missing(self) -> None:
        if self._missing:
            self._say(f"Not as it was saved: {'; '.join(self._missing)}.")
