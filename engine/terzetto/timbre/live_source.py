"""What turns the sound of the live instrument: opened in the background while the present one plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from terzetto.background import Background
from terzetto.errors import ControlError
from terzetto.timbre.sources import (
    METHODS_OF_MODELS,
    Knobs,
    Opened,
    Opener,
    Point,
    Source,
    asked_for,
    changed_since,
    open_source,
)

Use = Callable[[Opened, str], None]


class LiveSource:
    """The source that plays, and the one that is asked for.

    Parameters
    ----------
    background
        Where sources are opened.
    say
        Told what happened, in a sentence.
    opener
        Opens conversions.
    use
        Told what was opened, and the instrument of it that was asked for (or an empty text).

    Attributes
    ----------
    changed : int
        Rises with what a state keeps.
    """

    def __init__(self, background: Background, say: Callable[[str], None], opener: Opener, use: Use) -> None:
        self._background, self._say, self._opener, self._use = background, say, opener, use
        self.changed = 0
        self._wanted, self._turn = Source(), 0  # what was asked for last
        self._format: tuple[float, int] | None = None
        self._opened: Opened | None = None
        self._problem = self._remark = ""
        self._made_of: dict[str, str] = {}

    @property
    def opened(self) -> Opened:
        """What plays."""
        assert self._opened is not None
        return self._opened

    @property
    def instruments(self) -> dict[str, Point]:
        """Where on the pad each instrument of the model is."""
        return {} if self._opened is None else self._opened.instruments

    def prepare(self, sample_rate: float, channels: int) -> None:
        """Open what is asked for, at once, unless it is open for this format; what cannot be is told."""
        if self._format != (sample_rate, channels) or self._opened is None:
            self._format, self._opened = (sample_rate, channels), None
            self._open(self._wanted, keep=False, now=True)

    # What is asked for

    def turn(self, knob: str, value: Any, *, now: bool) -> None:
        """Follow one of the `Knobs`; where what a method takes is missing, the sound passes unchanged."""
        before, self._wanted = self._wanted, replace(self._wanted, **{knob: value})
        if not self._wanted.sounds_as(before):
            self._open(self._wanted, keep=False, now=now)

    def ask(self, message: str, text: str, *, now: bool) -> None:
        """Follow a message (see `asked_for`); what cannot be opened leaves the present one as it is."""
        source, instrument = asked_for(self._wanted, message, text)
        self._open(source, instrument, keep=True, now=now)

    def _open(self, source: Source, instrument: str = "", *, keep: bool, now: bool) -> None:
        assert self._format is not None
        sample_rate, channels = self._format
        self._wanted = source
        self._turn += 1
        turn, made_of = self._turn, {} if keep else self._made_of

        def work() -> tuple[Opened, list[str]]:
            opened = open_source(source, sample_rate, channels, self._opener)
            if instrument:
                place(opened.instruments, instrument)
            return opened, changed_since({name: made_of[name] for name in opened.made_of if name in made_of})

        def take(found: tuple[Opened, list[str]]) -> None:
            if turn == self._turn:  # not overtaken by another one
                opened, changes = found
                self._put(opened, "", f"Not as it was saved: {'; '.join(changes)}." if changes else "")
                self._use(opened, instrument)

        def fail(why: str) -> None:
            if turn != self._turn:
                return
            if keep and self._opened is not None:
                # What was asked for meanwhile and overtaken is not asked for any more; the knobs stay where they are.
                knobs = self._wanted
                self._wanted = replace(self.opened.source, flatten=knobs.flatten, low_latency=knobs.low_latency)
                self._say(f"That cannot be used: {why}")
            else:
                self._put(Opened(source, None, self._made_of), why, "")
                self._use(self.opened, "")

        self._background.run(work, take, fail, now=now, promptly=source.takes_model)

    def _put(self, opened: Opened, problem: str, remark: str) -> None:
        before = self.state()
        self._opened, self._problem, self._remark = opened, problem, remark
        self._made_of = opened.made_of
        self.changed += self.state() != before

    # What is said and kept

    def status(self) -> str:
        """Return the line that says what plays and what to do next."""
        if self._problem:
            return f"The sound passes unchanged: {self._problem}"
        opened = self.opened
        source = opened.source
        if opened.conversion is None:
            return (
                "Drop a recording here whose timbre the sound is to take on, or choose a model: until then the sound "
                "passes unchanged."
            )
        name, other = (Path(text).name.removesuffix(".onnx") for text in (source.to, source.other))
        if source.method in METHODS_OF_MODELS:
            many = len(opened.instruments)
            line = f"{name}: {many} instruments on the pad" if many > 1 else f"Playing as {name}"
        else:
            line = f"A mosaic of {name}" if source.method == "mosaic" else f"A hybrid with {name}"
        return f"{line}{f', balanced with {other}' if other else ''}. {self._remark}".strip()

    def state(self) -> dict[str, Any]:
        """Return what a state keeps, ready for JSON."""
        source = self._wanted if self._opened is None else self._opened.source
        places = [{"name": name, "x": x, "y": y} for name, (x, y) in self.instruments.items()]
        return {**source.state(), "made_of": self._made_of, "instruments": places}

    def restore(self, state: Mapping[str, Any], knobs: Knobs, *, now: bool) -> None:
        """Take up a state; what is missing is told."""
        source, made_of = Source.of(state, knobs), state.get("made_of")
        self._made_of = {str(a): str(b) for a, b in made_of.items()} if isinstance(made_of, dict) else {}
        if self._format is None:  # opened by prepare()
            self._wanted = source
        else:
            self._open(source, keep=False, now=now)


def place(instruments: Mapping[str, Point], name: str) -> Point:
    """Return where on the pad an instrument is.

    Raises
    ------
    ControlError
        The model has none of this name.
    """
    if name not in instruments:
        valid = ", ".join(instruments) or "none: the model is not one of several"
        raise ControlError(f"there is no instrument {name!r}; valid: {valid}")
    return instruments[name]
