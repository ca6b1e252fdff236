"""OSCQuery: a description of every address, made from the parameter table and the instances' values.

The format is that of the OSCQuery proposal: a tree of nodes with FULL_PATH, CONTENTS, TYPE, ACCESS, VALUE, RANGE and
DESCRIPTION; ``?HOST_INFO`` says where the OSC server is and ``?VALUE`` asks for one attribute.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from terzetto import __version__
from terzetto.control.addresses import ROOT
from terzetto.control.table import Command, Parameter, Value
from terzetto_host.live.file_tasks import commands

if TYPE_CHECKING:
    from terzetto_host.live.instance import Instance

_ATTRIBUTES = ("FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT")
_READ, _WRITE = 1, 2
_ALL = "For all instances of the instrument."


def describe(path: str, query: str, instances: Iterable[Instance], osc_port: int) -> object | None:
    """Return the answer to a request, ready for JSON; None if nothing is there.

    Parameters
    ----------
    path, query
        Of the request.
    instances
        What is described.
    osc_port
        Where OSC is listened for.
    """
    attribute = query.split("&")[0].upper()
    if attribute == "HOST_INFO":
        return {
            "NAME": f"Terzetto {__version__}",
            "OSC_PORT": osc_port,
            "OSC_TRANSPORT": "UDP",
            "EXTENSIONS": {name: name in ("ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT") for name in _ATTRIBUTES},
        }
    node: dict[str, Any] | None = _tree(instances)
    for part in path.strip("/").split("/") if path.strip("/") else ():
        node = (node or {}).get("CONTENTS", {}).get(part)
    if node is None or not attribute:
        return node
    return {attribute: node[attribute]} if attribute in _ATTRIBUTES and attribute in node else None


def _tree(instances: Iterable[Instance]) -> dict[str, Any]:
    root: dict[str, Any] = {"FULL_PATH": "/", "DESCRIPTION": "Terzetto", "CONTENTS": {}}
    for instance in instances:
        for end, parameter in instance.parameters.items():
            _place(root, f"{ROOT}/{instance.name}/{end}", _parameter(parameter, instance.values.get(end)))
            shared = _parameter(parameter, None)
            shared["DESCRIPTION"] += f" {_ALL}"
            if not parameter.meter:
                _place(root, f"{ROOT}/{end}", {**shared, "ACCESS": _WRITE})
        for end, command in instance.commands.items():
            _place(root, f"{ROOT}/{instance.name}/{end}", _command(command))
        for end in ("status", "progress"):
            if end in instance.values:
                value = instance.values[end]
                kind = "s" if isinstance(value, str) else "f"
                _place(root, f"{ROOT}/{instance.name}/{end}", {"TYPE": kind, "ACCESS": _READ, "VALUE": [value]})
    for end, command in commands():
        _place(root, f"{ROOT}/{end}", _command(command))
    for end, kind, text in (
        ("ping", "", "Answered by /terzetto/pong VERSION."),
        ("instances", "", "Answered by the names and instruments of all instances."),
        ("subscribe", "is", "PORT [PREFIX]: changes are told there."),
        ("unsubscribe", "i", "PORT: no more."),
    ):
        _place(root, f"{ROOT}/{end}", {"TYPE": kind, "ACCESS": _WRITE, "DESCRIPTION": text})
    return root


def _place(root: dict[str, Any], address: str, node: dict[str, Any]) -> None:
    at, path = root, ""
    for part in address.strip("/").split("/"):
        path += f"/{part}"
        at = at.setdefault("CONTENTS", {}).setdefault(part, {"FULL_PATH": path, "ACCESS": 0})
    at.update(node)


def _parameter(parameter: Parameter, value: Value | None) -> dict[str, Any]:
    kind = {"float": "f", "bool": "T", "choice": "s", "trigger": "I"}[parameter.type]
    node: dict[str, Any] = {
        "TYPE": kind,
        "ACCESS": _READ if parameter.meter else _READ | _WRITE,
        "DESCRIPTION": parameter.description,
    }
    low, high = parameter.range
    if parameter.type == "float" and high < 1e30:
        node["RANGE"] = [{"MIN": low, "MAX": high}]
    elif parameter.type == "choice":
        node["RANGE"] = [{"VALS": list(parameter.choices)}]
    if parameter.unit:
        node["UNIT"] = [parameter.unit]
    if value is not None:
        node["VALUE"] = [value]
        if parameter.type == "bool":
            node["TYPE"] = "T" if value else "F"
    return node


def _command(command: Command) -> dict[str, Any]:
    kinds = {"string": "s", "float": "f", "integer": "i"}
    return {
        "TYPE": "".join(kinds.get(each.rpartition(":")[2].strip(), "s") for each in command.arguments),
        "ACCESS": _WRITE,
        "DESCRIPTION": f"{', '.join(command.arguments)}: {command.description}".removeprefix(": "),
    }
