"""The parameter table, read from ``parameters.toml`` and checked: the one place that names every parameter."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terzetto.control.addresses import Address
from terzetto.errors import ControlError

Value = float | bool | str

PATH = Path(__file__).with_name("parameters.toml")
TYPES = ("float", "bool", "choice", "trigger")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = {
    "name",
    "title",
    "type",
    "unit",
    "range",
    "default",
    "choices",
    "automatable",
    "meter",
    "description",
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of an instrument.

    Attributes
    ----------
    instrument, name, title, description : str
    type : {'float', 'bool', 'choice', 'trigger'}
    default : float, bool or str
        A choice's is the name of one.
    unit : str
    range : (float, float)
        Of a float; (0, 1) of the others.
    choices : tuple of str
    automatable : bool
        Whether the host may have a lane for it.
    meter : bool
        Told by the engine, read-only.
    shared : bool
        Every plugin has it.
    """

    instrument: str
    name: str
    title: str
    type: str
    default: Value
    description: str
    unit: str = ""
    range: tuple[float, float] = (0.0, 1.0)
    choices: tuple[str, ...] = ()
    automatable: bool = True
    meter: bool = False
    shared: bool = False

    @property
    def address(self) -> str:
        """The OSC address for all instances."""
        return str(Address(self.instrument, self.name))


@dataclass(frozen=True)
class Command:
    """A message that an instrument understands beside its parameters; ``arguments`` are ``"name: type"``."""

    instrument: str
    name: str
    arguments: tuple[str, ...]
    description: str

    @property
    def address(self) -> str:
        """The OSC address for all instances."""
        return str(Address(self.instrument, self.name))


@dataclass(frozen=True)
class Instrument:
    """An instrument: its parameters in the table's order, those that every plugin has last."""

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    commands: tuple[Command, ...] = ()

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter of this name, or None."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


@dataclass(frozen=True)
class FileTasks:
    """What the engine does with files, whether or not a plugin is there; see `terzetto_host.live.file_tasks`."""

    name: str
    title: str
    description: str
    commands: tuple[Command, ...]


@functools.cache
def file_tasks() -> dict[str, FileTasks]:
    """Return what the engine does with files by the name that its addresses have, as shipped."""
    content = tomllib.loads(PATH.read_text(encoding="utf-8")).get("files", {})
    return {
        name: FileTasks(name, entry["title"], entry["description"], _commands(name, entry))
        for name, entry in content.items()
    }


@functools.cache
def table() -> dict[str, Instrument]:
    """Return the instruments by name, as shipped."""
    return load(PATH.read_text(encoding="utf-8"))


def instrument(name: str) -> Instrument:
    """Return an instrument; raise `ControlError` for a name that is none."""
    instruments = table()
    if name not in instruments:
        raise ControlError(f"instrument {name!r} is not known; valid: {', '.join(instruments)}")
    return instruments[name]


def load(text: str) -> dict[str, Instrument]:
    """Read a table.

    Raises
    ------
    ControlError
        It is not TOML, or an entry is wrong; the message names it.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ControlError(f"the parameter table is not valid TOML: {error}") from None
    shared = content.get("shared", {}).get("parameter", [])
    instruments = {}
    for name, entry in content.get("instrument", {}).items():
        parameters = [_parameter(name, row, shared=False) for row in entry.get("parameter", [])]
        parameters += [_parameter(name, row, shared=True) for row in shared]
        commands = _commands(name, entry)
        names = [*(each.name for each in parameters), *(each.name for each in commands)]
        twice = next((each for each in names if names.count(each) > 1), None)
        if twice is not None:
            raise ControlError(f"{name}.{twice} is in the parameter table twice")
        instruments[name] = Instrument(name, entry["title"], entry["description"], tuple(parameters), commands)
    return instruments


def _commands(name: str, entry: dict[str, Any]) -> tuple[Command, ...]:
    rows = entry.get("message", [])
    return tuple(Command(name, row["name"], tuple(row["arguments"]), row["description"]) for row in rows)


def _parameter(instrument: str, row: dict[str, Any], *, shared: bool) -> Parameter:
    where = f"{instrument}.{row.get('name', '?')}"
    missing = {"name", "title", "type", "default", "description"} - set(row)
    unknown = set(row) - _KEYS
    if missing or unknown:
        problem = f"lacks {sorted(missing)[0]!r}" if missing else f"has the unknown key {sorted(unknown)[0]!r}"
        raise ControlError(f"{where} in the parameter table {problem}")
    if not _NAME.fullmatch(row["name"]):
        raise ControlError(f"{where} in the parameter table: a name is lower case, digits and underscores")
    if row["type"] not in TYPES:
        raise ControlError(f"{where} in the parameter table: type {row['type']!r}; valid: {', '.join(TYPES)}")
    values: dict[str, Any] = {**row, "range": tuple(row.get("range", (0.0, 1.0)))}
    values["choices"] = tuple(row.get("choices", ()))
    parameter = Parameter(instrument, shared=shared, **values)
    low, high = parameter.range
    good = {
        "float": isinstance(parameter.default, float) and low <= parameter.default <= high and low < high,
        "bool": isinstance(parameter.default, bool),
        "trigger": parameter.default is False,
        "choice": len(parameter.choices) > 1 and parameter.default in parameter.choices,
    }
    if not good[parameter.type]:
        raise ControlError(
            f"{where} in the parameter table: the default {parameter.default!r} is not one of its values"
        )
    return parameter
