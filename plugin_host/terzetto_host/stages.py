"""The places in a chain: what a chain file says, made into processors, and how each is addressed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from terzetto.audio.stream import STOPPED, Float, Processor, Stateful, Transport
from terzetto.control.messages import Message
from terzetto.control.table import Parameter, Value
from terzetto.errors import InputError, TerzettoError
from terzetto_host.chain_file import StageSpec, own_processors
from terzetto_host.pedalboard_stage import PedalboardStage
from terzetto_host.timbre_stage import check_timbre

CHAIN = "/terzetto/chain/"


@dataclass
class Stage:
    """A place in the chain: what the file says and what does it."""

    spec: StageSpec
    processor: Processor

    @property
    def pedalboard(self) -> PedalboardStage | None:
        """The processor as a pedalboard stage, or None."""
        return self.processor if isinstance(self.processor, PedalboardStage) else None


class MissingStage:
    """Stands in for a plugin that is not here: the sound passes, its saved state is kept."""

    latency = 0
    state_changed = 0

    def __init__(self, problem: str) -> None:
        self.outbox = [Message("/terzetto/status", (problem,))]
        self._state: dict[str, Any] = {}

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Do nothing."""

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        """Pass the block on."""
        return block

    def reset(self) -> None:
        """Do nothing."""

    def state(self) -> dict[str, Any]:
        """Return what was restored."""
        return self._state

    def restore(self, state: dict[str, Any]) -> None:
        """Keep a state for the day when the plugin is back."""
        self._state = state


def make_stage(spec: StageSpec, lenient: bool) -> Stage:
    """Make what a chain file says; with ``lenient``, what cannot be made passes the sound and says so.

    Raises
    ------
    InputError
        It cannot be made; the message names file and line.
    """
    key = ""
    try:
        if spec.own:
            processor = cast(Processor, own_processors()[spec.kind].load()())
            if not lenient:  # live, the processor itself says what it misses, and plays on
                for key in ("score", "learn_file"):
                    _check_file(key, spec.settings.get(key))
                if spec.kind == "timbre" and spec.origin:
                    key = next((name for name in ("target", "model", "method") if name in spec.settings), "")
                    check_timbre(spec.settings)
            if "learned" in spec.settings:
                key = "learned"
                cast(Stateful, processor).restore(_read_learned(spec.settings["learned"], spec.kind))
            return Stage(spec, processor)
        key = "impulse_response_filename"
        plugin = PedalboardStage(spec.kind, spec.settings.get("impulse_response_filename"), external=spec.external)
        if spec.external and "preset" in spec.settings:
            key = "preset"
            plugin.load_preset(spec.settings["preset"])
        for key, value in spec.settings.items():
            if key != "impulse_response_filename" and not (spec.external and key == "preset"):
                plugin.set(key, value)
        return Stage(spec, plugin)
    except TerzettoError as error:
        if lenient:
            return Stage(spec, MissingStage(str(error)))
        raise InputError(f"{spec.where(key)}: {error}") from None


def opening_messages(spec: StageSpec) -> list[Message]:
    """Return what the file sets on one of Terzetto's own processors, as the messages that do it."""
    if not spec.own:
        return []
    # What a model or a recording changes of the method is overruled by a method that is written; a file is learned by
    # the score that is there; an instrument is one of the model's. The order of the file's lines means nothing.
    first, last = ("model", "target", "method"), ("score", "take_start", "learn_file", "other", "instrument")
    between = [name for name in spec.settings if name not in ("learned", *first, *last)]
    names = [name for name in (*first, *between, *last) if name in spec.settings]
    return [Message(f"/terzetto/{spec.kind}/{name}", (spec.settings[name],)) for name in names]


def events_for(stage: Stage, events: Sequence[Message]) -> list[Message]:
    """Return the events of a stage: by its name in the chain, or by its instrument."""
    prefix, chosen = f"{CHAIN}{stage.spec.name}/", []
    instrument = f"/terzetto/{stage.spec.kind}/" if stage.spec.own else None
    for event in events:
        if event.address.startswith(prefix):
            if instrument is not None:
                event = replace(event, address=instrument + event.address[len(prefix) :])
            chosen.append(event)
        elif instrument is not None and event.address.startswith(instrument):
            chosen.append(event)
    return chosen


def describe(stage: str, name: str, plugin: PedalboardStage) -> Parameter:
    """Return a pedalboard parameter as the table would have it; its built-ins tell no ranges."""
    value, choices = plugin.get(name), plugin.choices(name)
    title = name.replace("_", " ").capitalize()
    kind = "choice" if choices else "bool" if isinstance(value, bool) else "float"
    return Parameter(
        instrument=f"chain/{stage}",
        name=name,
        title=title,
        type=kind,
        default=cast(Value, value),
        description=f"{title} of the stage {stage}.",
        range=plugin.range(name),
        choices=choices,
        automatable=False,
    )


def _check_file(setting: str, path: Any) -> None:
    """Raise `InputError` if a score or a recording that a stage names cannot be used."""
    if path is None:
        return
    if setting == "score":
        from terzetto.score.read import read_score

        read_score(path, need_hands=False)
        return
    from terzetto.audio.files import FileTake

    with FileTake(path):
        pass


def _read_learned(path: str, kind: str) -> dict[str, Any]:
    """Return an instrument's state from a JSON file: alone, or in the whole state of a plugin.

    Raises
    ------
    InputError
        Missing, or not one.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a saved state ({error})") from None
    for key in ("engine", kind):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a saved state: it holds no object")
    return content
