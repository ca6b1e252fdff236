"""Timbre, live: a sound goes in and comes out as another.

What turns it is opened beside the sound and then takes over in a crossfade; all knobs glide. The output is what
`terzetto.timbre.stream.render` gives for the same settings, a latency later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.stream import STOPPED, SongClock, Transport
from terzetto.background import Background
from terzetto.control.arguments import numbers_of, text_of
from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.timbre.between import open_between
from terzetto.timbre.conversion import Controls
from terzetto.timbre.live_source import LiveSource, place
from terzetto.timbre.sources import Knobs, Opened, Opener, installed_models
from terzetto.timbre.voices import Settings, Voices

Float = NDArray[np.float32]

_ASKING = {
    "model": "the name or the path of a model",
    "target": "the path of a recording",
    "other": "a model or a recording, as the method takes it, or an empty text",
}


class TimbreProcessor:
    """A `Processor` that gives a sound another timbre.

    Parameters
    ----------
    opener
        Opens conversions, as `terzetto.timbre.between.open_between` does.

    Attributes
    ----------
    parameters : Parameters
        Of the instrument ``timbre``.
    outbox : list of Message
        What it says: ``/terzetto/status``, ``/terzetto/error``, answers, and parameters it has set.
    """

    def __init__(self, opener: Opener = open_between) -> None:
        self.parameters = Parameters("timbre")
        self.outbox: list[Message] = []
        self._background = Background()
        self._clock = SongClock()
        self._source = LiveSource(self._background, self._say, opener, self._use)
        self._voices: Voices | None = None
        self._installed: list[str] = []
        self._listings = 0
        self._said = ""

    # The stream

    @property
    def latency(self) -> int:
        """Frames by which the output is delayed: the window's length, and what the method hears ahead."""
        return self._voices.latency if self._voices else 0

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Get ready for a stream; blocks may have any length up to ``max_frames``."""
        self._voices, self._said = None, ""
        self._source.prepare(sample_rate, channels)
        self._voices = Voices(self._source.opened.conversion, sample_rate, channels, self._settings())
        self._clock.forget()
        self.reset()
        self._say(self._source.status())

    def reset(self) -> None:
        """Forget the stream's past."""
        self._clock.reset()
        if self._voices is not None:
            self._voices.reset(self._settings())

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        """Return the next block; see `terzetto.audio.stream.Processor`."""
        if self._voices is None:
            raise RuntimeError("prepare() comes before process()")
        self._background.finish()
        position = self._clock.advance(transport, block.shape[1])
        for event in sorted(events, key=lambda event: event.frame):
            self._handle(event)
        return self._voices.process(block, position)

    @property
    def _begins(self) -> bool:
        """Whether nothing of the stream has been heard."""
        return self._voices is None or self._voices.untouched

    def _settings(self) -> Settings:
        """Return where the knobs stand."""
        number = self.parameters.number
        pad = (number("pad_x"), number("pad_y"))
        controls = Controls(number("amount"), pad, number("balance"), number("follow"))
        return Settings(controls, number("mix"), self._knobs()["low_latency"])

    def _knobs(self) -> Knobs:
        """Return what the knobs say of the source."""
        value = self.parameters.__getitem__
        return Knobs(method=str(value("method")), flatten=str(value("flatten")), low_latency=value("window") == "short")

    # Messages

    def _handle(self, event: Message) -> None:
        self.parameters.dispatch(event, self.outbox, self._follow, lambda name: self._obey(name, event))

    def _follow(self, change: Change) -> None:
        """Do what a changed parameter asks for."""
        if change.name in ("method", "flatten"):
            self._source.turn(change.name, str(change.value), now=self._begins)
        elif change.name == "window":
            self._source.turn("low_latency", change.value == "short", now=self._begins)
        elif self._voices is not None:
            self._voices.move(change.frame, self._settings())

    def _obey(self, name: str, event: Message) -> None:
        """Follow a command; others are not ours."""
        if name == "other" and not event.arguments:
            self._source.ask(name, "", now=self._begins)
        elif name in _ASKING:
            self._source.ask(name, text_of(event, _ASKING[name]), now=self._begins)
        elif name == "pad":
            x, y = numbers_of(event, 2)
            self._move(event.frame, x, y)
        elif name == "instrument" and event.arguments:
            self._move(event.frame, *place(self._source.instruments, text_of(event, "the name of an instrument")))
        elif name == "instrument":
            places = self._source.instruments.items()
            self.outbox.append(Message(event.address, tuple(each for name, at in places for each in (name, *at))))
        elif name == "models":
            self._list_models(event.address)

    def _move(self, frame: int, x: float, y: float) -> None:
        self._set("pad_x", x)
        self._set("pad_y", y)
        if self._voices is not None:
            self._voices.move(frame, self._settings())

    def _list_models(self, address: str) -> None:
        def take(names: list[str]) -> None:
            self._listings += names != self._installed
            self._installed = names
            self.outbox.append(Message(address, tuple(names)))

        self._background.run(installed_models, take, self._say, now=self._begins)

    # What turns the sound

    def _use(self, opened: Opened, instrument: str) -> None:
        """Let what was opened take over."""
        self._set("method", opened.source.method)
        if instrument:
            self._move(0, *place(opened.instruments, instrument))
        if self._voices is not None:
            self._voices.use(opened.conversion, self._settings())
            self._say(self._source.status())

    def _set(self, name: str, value: float | str) -> None:
        before = self.parameters[name]
        self.parameters.set(name, value)
        if self.parameters[name] != before:
            self.outbox.append(self.parameters.message(name))

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
        """Rises whenever the model, the recording, or what is installed changes."""
        return self._source.changed + self._listings

    def state(self) -> dict[str, Any]:
        """Return everything that brings the sound back, ready for JSON.

        ``instruments`` and ``installed`` are what the plugin's editor shows: they are found anew.
        """
        return {
            "version": 1,
            "values": self.parameters.values(),
            **self._source.state(),
            "installed": self._installed,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state; what is missing or damaged is told as a status."""
        content = state if isinstance(state, dict) else {}
        values, installed = content.get("values"), content.get("installed")
        self.parameters.restore(values if isinstance(values, dict) else {})
        self._installed = [str(name) for name in installed] if isinstance(installed, list) else []
        self._source.restore(content, self._knobs(), now=self._begins)
        if self._voices is not None:
            self._voices.move(0, self._settings())
