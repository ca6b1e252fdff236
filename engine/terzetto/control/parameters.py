"""The values of one instance's parameters, steered by messages.

>>> values = Parameters("hands")
>>> values.apply(Message("/terzetto/hands/left_gain", (-100.0,), frame=12))
Change(name='left_gain', value=-60.0, frame=12)
>>> values["left_gain"]
-60.0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from terzetto.control.addresses import Address
from terzetto.control.messages import Argument, Message
from terzetto.control.table import Parameter, Value, instrument
from terzetto.errors import ControlError, TerzettoError


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter has been set, at a frame of the block."""

    name: str
    value: Value
    frame: int = 0


class Parameters:
    """The values of an instrument's parameters, at their defaults to begin with.

    Floats are floats within their range, booleans bools, choices the name of one; a trigger is always False.
    """

    def __init__(self, name: str) -> None:
        self.instrument = instrument(name)
        self._values: dict[str, Value] = {each.name: each.default for each in self.instrument.parameters}

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def number(self, name: str) -> float:
        """Return the value of a float parameter."""
        return float(self._values[name])

    def values(self) -> dict[str, Value]:
        """Return all values that belong into a state: neither meters nor triggers."""
        return {
            each.name: self._values[each.name]
            for each in self.instrument.parameters
            if not each.meter and each.type != "trigger"
        }

    def apply(self, message: Message) -> Change | None:
        """Set the parameter that a message addresses, clipped to its range.

        Returns
        -------
        Change or None
            None if the message is none of ours, or only asks (see `answer`).

        Raises
        ------
        ControlError
            Wrong type, not a number, more than one value, or a parameter that only the engine sets.
        """
        parameter = self._addressed(message)
        if parameter is None or (not message.arguments and parameter.type != "trigger"):
            return None
        if parameter.meter:
            raise ControlError(f"{message.address} is read-only; ask for it by sending it without a value")
        if len(message.arguments) > 1:
            raise ControlError(f"{message.address} takes one value; given {len(message.arguments)}")
        value = convert(parameter, message.arguments[0]) if message.arguments else True
        if parameter.type == "trigger":
            return Change(parameter.name, True, message.frame) if value else None
        self._values[parameter.name] = value
        return Change(parameter.name, value, message.frame)

    def answer(self, message: Message) -> Message | None:
        """Return the answer to a message that asks (one without arguments); None if it does not ask for ours."""
        parameter = self._addressed(message)
        if parameter is None or message.arguments or parameter.type == "trigger":
            return None
        return self.message(parameter.name)

    def dispatch(
        self, message: Message, outbox: list[Message], follow: Callable[[Change], None], obey: Callable[[str], None]
    ) -> None:
        """Answer a message to the instrument, set what it sets, or hand its name on; others' messages are let pass.

        Parameters
        ----------
        message
        outbox
            Takes answers, and what goes wrong as ``/terzetto/error``.
        follow
            Told what has changed.
        obey
            Told the name of what is no parameter: a command.
        """
        address = Address.parse(message.address)
        if address is None or address.instrument != self.instrument.name:
            return
        try:
            answer, change = self.answer(message), self.apply(message)
            if answer is not None:
                outbox.append(answer)
            elif change is not None:
                follow(change)
            else:
                obey(address.name)
        except TerzettoError as error:
            outbox.append(Message("/terzetto/error", (str(error), message.address)))

    def message(self, name: str) -> Message:
        """Return the message that sets a parameter to its present value."""
        return Message(str(Address(self.instrument.name, name)), (self._values[name],))

    def set(self, name: str, value: Value) -> None:
        """Set a parameter, meters too; raise `ControlError` for a name or a value that is none."""
        parameter = self.instrument.parameter(name)
        if parameter is None:
            known = ", ".join(each.name for each in self.instrument.parameters)
            raise ControlError(f"{self.instrument.name} has no parameter {name!r}; valid: {known}")
        self._values[name] = convert(parameter, value)

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take up saved values: unknown names are left out, bad values become the default, missing ones too."""
        for parameter in self.instrument.parameters:
            if parameter.meter or parameter.type == "trigger":
                continue
            try:
                value = convert(parameter, values[parameter.name])
            except (ControlError, KeyError):
                value = parameter.default
            self._values[parameter.name] = value

    def _addressed(self, message: Message) -> Parameter | None:
        address = Address.parse(message.address)
        if address is None or address.instrument != self.instrument.name:
            return None
        return self.instrument.parameter(address.name)


def convert(parameter: Parameter, argument: Argument) -> Value:
    """Return an OSC argument as a value of a parameter, clipped to its range.

    Floats take numbers; booleans true, false, 0 and 1; choices a name or an index from 0.

    Raises
    ------
    ControlError
        Anything else; the message says what is valid.
    """
    number = isinstance(argument, int | float) and not isinstance(argument, bool) and not math.isnan(argument)
    if parameter.type == "float" and number:
        low, high = parameter.range
        return min(max(float(argument), low), high)  # type: ignore[arg-type]
    if parameter.type in ("bool", "trigger") and (isinstance(argument, bool) or (number and argument in (0, 1))):
        return bool(argument)
    if parameter.type == "choice" and argument in parameter.choices:
        return str(argument)
    if parameter.type == "choice" and number:
        last = len(parameter.choices) - 1
        return parameter.choices[round(min(max(float(argument), 0.0), last))]  # type: ignore[arg-type]
    valid = {
        "float": f"a number from {parameter.range[0]:g} to {parameter.range[1]:g} {parameter.unit}".rstrip(),
        "bool": "true or false (T, F, 0, 1)",
        "trigger": "true, 1, or nothing",
        "choice": f"{', '.join(parameter.choices)}, or their index from 0",
    }[parameter.type]
    given = repr(argument)
    raise ControlError(f"{parameter.address} takes {valid}; given {given[:60]}{'…' if len(given) > 60 else ''}")
