"""What a server and its workers tell each other through their pipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from terzetto.control.messages import Message
from terzetto.control.table import Command, Parameter


@dataclass(frozen=True, slots=True)
class Steer:
    """To a worker: messages of controllers, for the hop in which they are due (system time, in seconds)."""

    messages: tuple[Message, ...]
    due: float = 0.0


@dataclass(frozen=True, slots=True)
class Monitor:
    """To a worker: whether to tell every message of the hops."""

    on: bool


@dataclass(frozen=True, slots=True)
class Port:
    """To a worker: the server listens at another port."""

    osc_port: int


@dataclass(frozen=True, slots=True)
class End:
    """To a worker: end."""


@dataclass(frozen=True, slots=True)
class Chain:
    """To the server: what can be addressed in this instance."""

    parameters: tuple[Parameter, ...]
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """To the server: messages, as (end of the address, arguments).

    With ``values`` they are what the instance's parameters (and status, progress) are now; else they passed by, in a
    hop, and are told to monitors.
    """

    messages: list[tuple[str, tuple[Any, ...]]]
    values: bool = True


@dataclass(frozen=True, slots=True)
class Alive:
    """To the server: the worker is there."""


@dataclass(frozen=True, slots=True)
class Closing:
    """To the server: the plugin is gone, the worker ends.

    It has ``taken`` so many of what it was sent (`Steer`); of their messages ``owed`` may not have come to the plugin.
    """

    owed: tuple[Message, ...] = ()
    taken: int = 0
