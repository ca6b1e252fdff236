"""What an instance's parameters are now, as the server and the plugin are told."""

from __future__ import annotations

from collections.abc import Iterable

from terzetto.control.messages import Argument, Message
from terzetto.control.parameters import convert
from terzetto.control.table import Command, Parameter, Value, table
from terzetto.errors import ControlError
from terzetto_host.chain import Chain

ROOT = "/terzetto/"


class Values:
    """Follows the messages of an instance: hops, controllers, and what its processors say.

    Parameters
    ----------
    instrument
        The plugin's.
    """

    def __init__(self, instrument: str) -> None:
        self._instrument = instrument
        self.parameters: dict[str, Parameter] = {}
        self.commands: dict[str, Command] = {}
        self.now: dict[str, Value] = {}

    def describe(self, chain: Chain) -> None:
        """Take up what can be addressed in a chain; values that are known stay."""
        names = dict.fromkeys([self._instrument, *chain.instruments()])
        instruments = [table()[name] for name in names if name in table()]
        parameters = [each for instrument in instruments for each in instrument.parameters] + chain.parameters()
        self.parameters = {each.address: each for each in parameters}
        commands = [each for instrument in instruments for each in instrument.commands]
        commands.append(Command("chain", "load", ("path: string",), "Put a chain file's stages in place of these."))
        self.commands = {each.address: each for each in commands}
        now = {address: each.default for address, each in self.parameters.items()}
        now.update({address: value for address, value in self.now.items() if address in now})
        # A saved chain brings its own values.
        self.now = {**now, **{each.address: each.default for each in chain.parameters()}}

    def follow(self, messages: Iterable[Message]) -> list[Message]:
        """Return what messages have changed, as messages with the values that count now."""
        changed = []
        for message in messages:
            parameter = self.parameters.get(message.address)
            if parameter is None or len(message.arguments) != 1:
                continue
            try:
                value = convert(parameter, message.arguments[0])
            except ControlError:
                continue
            if parameter.type != "trigger" and self.now.get(message.address) != value:
                self.now[message.address] = value
                changed.append(Message(message.address, (value,)))
        return changed

    def for_plugin(self, message: Message) -> Message:
        """Return a message as a plugin reads it: choices as their index."""
        parameter = self.parameters.get(message.address)
        value: Argument = message.arguments[0] if message.arguments else None
        if parameter is None or parameter.type != "choice" or value not in parameter.choices:
            return message
        return Message(message.address, (parameter.choices.index(str(value)),), message.frame)
