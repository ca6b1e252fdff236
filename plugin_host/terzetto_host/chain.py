"""Chains: Terzetto's processors and pedalboard's plugins in a row, themselves a processor with a state.

`terzetto process` and the live workers drive the same chain.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from terzetto.audio.stream import STOPPED, Float, Stateful, Transport
from terzetto.control.messages import Message
from terzetto.control.table import Parameter, table
from terzetto.errors import InputError, TerzettoError
from terzetto_host.boards import is_even, runs
from terzetto_host.chain_file import StageSpec, own_processors, parse, read
from terzetto_host.stages import CHAIN, Stage, describe, events_for, make_stage, opening_messages

LOAD = CHAIN + "load"
_STATUS = "/terzetto/status"
_MOST_CHANNELS = 2  # of Terzetto's own processors
_MOST_PARAMETERS = 256  # of a stage that can be addressed; some VST3 plugins have thousands


class Chain:
    """Processors in a row; with no stage at all the sound passes at once.

    Parameters
    ----------
    specs
        The stages, in order.
    text, folder
        The chain file they come from and where its paths begin; None for an instrument alone, whose state needs none.
    lenient
        A stage that cannot be made passes the sound and says so, instead of an error.

    Raises
    ------
    InputError
        A stage cannot be made; the message names its file and line.
    """

    def __init__(
        self,
        specs: Iterable[StageSpec] = (),
        text: str | None = None,
        folder: Path | None = None,
        *,
        lenient: bool = False,
    ) -> None:
        self.outbox: list[Message] = []
        self._text, self._folder = text, folder
        self._changes = 0
        self._format: tuple[float, int, int] | None = None
        self.stages = [make_stage(spec, lenient) for spec in specs]
        self._runs = runs(self.stages)
        self._begin = {stage.spec.name: opening_messages(stage.spec) for stage in self.stages}

    @classmethod
    def from_file(cls, path: Path) -> Chain:
        """Make the chain of a file; raises `InputError` as `read` does, or if a stage cannot be made."""
        text, specs = read(path)
        return cls(specs, text, path.resolve().parent)

    @classmethod
    def of_instrument(cls, name: str) -> Chain:
        """Make the chain of one instrument alone: empty, with a status that says so, if it has no processor yet."""
        if name in own_processors():
            return cls([StageSpec(name, name, own=True)])
        chain = cls()
        title = table()[name].title if name in table() else name
        chain.outbox.append(Message(_STATUS, (f"{title} passes the sound on; it has no processor yet",)))
        return chain

    @property
    def latency(self) -> int:
        """Frames of all stages together."""
        return sum(stage.processor.latency for stage in self.stages)

    @property
    def even(self) -> bool:
        """Whether blocks of any length give the same samples, without latency: pedalboard's built-ins, but a few."""
        return all(is_even(stage) for stage in self.stages)

    @property
    def state_changed(self) -> int:
        """A count that rises when there is something new to save."""
        return self._changes + sum(getattr(stage.processor, "state_changed", 0) for stage in self.stages)

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Prepare every stage; what the file sets is set now.

        Raises
        ------
        InputError
            A stage does not take this format or cannot stream; the message names it.
        """
        self._format = (sample_rate, channels, max_frames)
        for stage in self.stages:
            try:
                if stage.spec.own and channels > _MOST_CHANNELS:
                    title = table()[stage.spec.kind].title if stage.spec.kind in table() else stage.spec.kind
                    raise InputError(f"{title} takes mono and stereo; given {channels} channels")
                stage.processor.prepare(sample_rate, channels, max_frames)
            except TerzettoError as error:
                raise InputError(f"{stage.spec.where()}: {error}") from None
            settings = self._begin.pop(stage.spec.name, [])
            if settings:
                self._carry_in(stage, settings, channels, max_frames)
                _keep_last_status(getattr(stage.processor, "outbox", []))
        self._collect()

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        """Send a block through all stages; each gets the events that are its own and the time its sound is from."""
        if any(event.address == LOAD for event in events):
            self._load(events)
        for run in self._runs:
            together = run.at_once(block, events)
            if together is not None:
                block = together
                continue
            for stage in run.stages:
                block = stage.processor.process(block, events_for(stage, events) if events else (), transport)
                latency = stage.processor.latency
                if latency and self._format is not None:
                    transport = transport.moved(-latency, self._format[0])
        self._collect()
        return block

    def reset(self) -> None:
        """Forget the stream's past."""
        for stage in self.stages:
            stage.processor.reset()

    def state(self) -> dict[str, Any]:
        """Return a state with a key for each stage, and the chain file where it is not an instrument alone."""
        state: dict[str, Any] = {
            stage.spec.name: cast(Stateful, stage.processor).state()
            for stage in self.stages
            if hasattr(stage.processor, "state")
        }
        if self._text is not None:
            state["chain"] = self._text
            if self._folder is not None:
                state["chain_folder"] = str(self._folder)
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state; what does not fit, or is not here, is told in the `outbox`."""
        text = state.get("chain")
        if isinstance(text, str) and text != self._text:
            folder = state.get("chain_folder")
            # Kept whatever becomes of it: a project saved here must still play where it came from.
            self._text, self._folder = text, Path(folder) if isinstance(folder, str) else None
            try:
                self._become(Chain(parse(text, "the saved chain", self._folder), text, self._folder, lenient=True), {})
            except TerzettoError as error:
                self._status(str(error))
        for stage in self.stages:
            saved = state.get(stage.spec.name)
            if isinstance(saved, dict) and hasattr(stage.processor, "restore"):
                self._begin.pop(stage.spec.name, None)
                cast(Stateful, stage.processor).restore(saved)
        self._collect()

    def set(self, kind: str, name: str, value: float | str) -> None:
        """Set a parameter, or send a message, to all stages of one of Terzetto's instruments, outside of a stream."""
        assert self._format is not None
        for stage in self.stages:
            if stage.spec.own and stage.spec.kind == kind:
                self._carry_in(stage, [Message(f"/terzetto/{kind}/{name}", (value,))], *self._format[1:])
        self._collect()

    def wait(self, seconds: float) -> None:
        """Wait until nothing is being learned any more.

        Raises
        ------
        InputError
            It takes longer.
        """
        deadline = time.monotonic() + seconds
        for stage in self.stages:
            lessons = getattr(stage.processor, "lessons", None)
            while lessons is not None and lessons.learning:
                if not lessons.wait(max(deadline - time.monotonic(), 0.0)):
                    raise InputError(f"{stage.spec.where()}: is not ready after {seconds:g} s")
                if self._format is not None:
                    self._carry_in(stage, [], *self._format[1:])
        self._collect()

    def settled(self, seconds: float) -> bool:
        """Wait for what goes on in the background, so that the next block takes it up; False: it takes longer."""
        waits = [wait for stage in self.stages if (wait := getattr(stage.processor, "wait", None)) is not None]
        return all(wait(seconds) for wait in waits)

    def close(self) -> None:
        """End what goes on in the background."""
        for stage in self.stages:
            close = getattr(stage.processor, "close", None)
            if close is not None:
                close()

    def description(self) -> dict[str, Any]:
        """Return stages, latencies and addresses, ready for JSON."""
        stages = []
        for stage in self.stages:
            if stage.pedalboard is not None:
                names = {name: stage.pedalboard.get(name) for name in stage.pedalboard.names}
                values = {f"{CHAIN}{stage.spec.name}/{name}": value for name, value in names.items()}
            else:
                saved = cast(Stateful, stage.processor).state().get("values", {})
                values = {f"/terzetto/{stage.spec.kind}/{name}": value for name, value in saved.items()}
            latency = stage.processor.latency
            stages.append(
                {"name": stage.spec.name, "plugin": stage.spec.kind, "latency": latency, "parameters": values}
            )
        return {"latency": self.latency, "stages": stages}

    def parameters(self) -> list[Parameter]:
        """Return what can be addressed in the chain beside the instruments' own parameters."""
        return [
            describe(stage.spec.name, name, stage.pedalboard)
            for stage in self.stages
            if stage.pedalboard is not None
            for name in stage.pedalboard.names[:_MOST_PARAMETERS]
        ]

    def instruments(self) -> list[str]:
        """Return the names of Terzetto's own processors in it."""
        return list(dict.fromkeys(stage.spec.kind for stage in self.stages if stage.spec.own))

    def _carry_in(self, stage: Stage, messages: list[Message], channels: int, frames: int) -> None:
        """Let a silent block carry messages into a stage; what else it leaves behind is forgotten."""
        stage.processor.process(np.zeros((channels, frames), np.float32), messages)
        stage.processor.reset()

    def _load(self, events: Sequence[Message]) -> None:
        path = next(event.arguments[0] if event.arguments else None for event in events if event.address == LOAD)
        before = self.state()
        try:
            if not isinstance(path, str):
                raise InputError(f"{LOAD} takes the path of a chain file; given {path!r}")
            self._become(Chain.from_file(Path(path)), before)
        except TerzettoError as error:
            self.outbox.append(Message("/terzetto/error", (str(error), LOAD)))
            return
        self._status(f"chain: {', '.join(stage.spec.name for stage in self.stages)}")

    def _become(self, other: Chain, before: dict[str, Any]) -> None:
        """Take another chain's stages; those of the same name and kind keep what they had learned."""
        kinds = {stage.spec.name: stage.spec.kind for stage in self.stages}
        for stage in other.stages:
            saved = before.get(stage.spec.name)
            if stage.spec.own and kinds.get(stage.spec.name) == stage.spec.kind and isinstance(saved, dict):
                cast(Stateful, stage.processor).restore(saved)
        if self._format is not None:
            other.prepare(*self._format)
        self._changes = self.state_changed + 1
        self.close()
        self.stages, self._begin, self._runs = other.stages, other._begin, other._runs
        self._text, self._folder = other._text, other._folder
        self.outbox += other.outbox

    def _collect(self) -> None:
        for stage in self.stages:
            outbox = getattr(stage.processor, "outbox", None)
            if outbox:
                self.outbox += outbox
                outbox.clear()

    def _status(self, text: str) -> None:
        self.outbox.append(Message(_STATUS, (text,)))


def _keep_last_status(outbox: list[Message]) -> None:
    """Leave out what a stage said on the way to all that its file sets."""
    statuses = [message for message in outbox if message.address == _STATUS]
    outbox[:] = [message for message in outbox if message.address != _STATUS or message is statuses[-1]]
