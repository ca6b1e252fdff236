"""Where in a table a value stands: what is wrong with one is found out only after its file has been parsed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from terzetto.errors import InputError

_HEADER = re.compile(r"\s*\[[^\[\]]+\]\s*(#.*)?$")
_NAME = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_KEY = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_T = TypeVar("_T")
_CALLED = {str: "a text in quotes", float: "a number", int: "a whole number", list: "a list", dict: "a table"}


@dataclass(frozen=True)
class Place:
    """A value's place in a table, for messages.

    Attributes
    ----------
    title : str
        What the table is: its file, or where else it comes from.
    text : str
        The TOML it was read from, if it was: messages then name the line.
    way : tuple of str
        The keys that lead to it.
    """

    title: str
    text: str = ""
    way: tuple[str, ...] = ()

    def at(self, *keys: str) -> Place:
        """Return the place further on."""
        return replace(self, way=(*self.way, *keys))

    def error(self, problem: object) -> InputError:
        """Return an error that says where it is."""
        line = line_of(self.text, self.way)
        place = f"{self.title}, line {line}" if line else self.title
        return InputError(": ".join([place, *([" ".join(self.way)] if self.way else []), str(problem)]))

    def typed(self, value: Any, kind: type[_T]) -> _T:
        """Return a value of a kind; a whole number is a number too. Raises `InputError`."""
        fits = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
        if not fits:
            raise self.error(f"give {_CALLED[kind]}; given {value!r}")
        return float(value) if kind is float else value  # type: ignore[return-value]

    def section(self, table: Mapping[str, Any], name: str, known: Sequence[str]) -> dict[str, Any]:
        """Return a part of a table that holds known keys only. Raises `InputError`."""
        section = self.at(name).typed(table.get(name, {}), dict)
        self.at(name).check_keys(section, known)
        return section

    def check_keys(self, table: Mapping[str, Any], known: Sequence[str]) -> None:
        """Raise `InputError` for a key that is not known."""
        for key in table:
            if key not in known:
                raise self.at(str(key)).error(f"there is no {key!r} here; valid: {', '.join(known)}")


def line_of(text: str, way: Sequence[str]) -> int | None:
    r"""Return the line, from 1, on which a key stands, or else the longest part of the way to it.

    Parameters
    ----------
    text
        TOML that can be parsed.
    way
        The keys that lead there.

    Returns
    -------
    int or None
        None where not even a part of the way is written on a line of its own.

    Examples
    --------
    >>> line_of('[voice.snare]\npan = 3', ["voice", "snare", "pan"])
    2
    """
    section: tuple[str, ...] = ()
    best, found = 0, None
    for number, line in enumerate(text.splitlines(), 1):
        if _HEADER.match(line):
            section = here = _keys(line)
        elif match := _KEY.match(line):
            here = (*section, *_keys(f"{match[1]} = 0"))
        else:
            continue
        if len(here) > best and here == tuple(way[: len(here)]):
            best, found = len(here), number
    return found


def _keys(line: str) -> tuple[str, ...]:
    """Return the keys of a line that is TOML by itself; none of one that lies within a longer value."""
    try:
        table: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    keys = []
    while isinstance(table, dict) and table:
        ((key, table),) = table.items()
        keys.append(key)
    return tuple(keys)
