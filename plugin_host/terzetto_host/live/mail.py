"""Messages of an instance: from its hops and from controllers to its chain, and back to its plugin and the server."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Iterable
from multiprocessing.connection import Connection

from terzetto.control.messages import Message
from terzetto.control.osc import decode_events
from terzetto.errors import ControlError
from terzetto_host.chain import Chain
from terzetto_host.live import reports
from terzetto_host.live.events import pack
from terzetto_host.live.handover import Owed
from terzetto_host.live.schedule import Schedule
from terzetto_host.live.teller import Teller
from terzetto_host.live.values import ROOT, Values

_MOST_PENDING = 256
PLAYED = "/played"
"""How the address of a note ends that an instrument plays: its plugin's MIDI output has it, at its frame."""

log = logging.getLogger(__name__)


class Mail:
    """Carries messages between a chain, its plugin and the server; all of it in the audio's thread.

    Parameters
    ----------
    instrument, name
        The plugin's, and the instance's.
    osc_port
        The server's, told to the plugin.
    pipe
        To the server.
    schedule
        Keeps what is due later.

    Attributes
    ----------
    ended : bool
        The server has told us to end.
    """

    def __init__(self, instrument: str, name: str, osc_port: int, pipe: Connection, schedule: Schedule) -> None:
        self.ended = False
        self._teller, self._values = Teller(pipe), Values(instrument)
        self._pending: list[Message] = []  # for the next hop
        self._schedule = schedule
        self._owed, self._taken = Owed(), 0
        self._outgoing: deque[Message] = deque(
            [Message(ROOT + "instance", (name,)), Message(ROOT + "osc_port", (osc_port,))]
        )  # for the plugin, in the responses
        self._played: list[Message] = []  # for this hop's response
        self._monitored = False
        self._stages: object = None  # those that the server has been told of

    def start(self) -> None:
        """Begin to tell the server."""
        self._teller.start()

    def incoming(self, report: object) -> None:
        """Take what the server says."""
        if isinstance(report, reports.Steer):
            self._taken += 1
            if report.due > time.time():
                self._schedule.add(report.due, report.messages)
            else:
                self._steered(report.messages)
        elif isinstance(report, reports.Monitor):
            self._monitored = report.on
        elif isinstance(report, reports.Port):
            self._outgoing.append(Message(ROOT + "osc_port", (report.osc_port,)))
        elif isinstance(report, reports.End):
            self.ended = True

    def overdue(self) -> None:
        """Keep what has become due while no hops come for the next one."""
        self._steered(tuple(self._schedule.overdue(time.time())))

    def events(self, packed: bytes, *, offline: bool = False) -> list[Message]:
        """Return what counts in a hop: what is in it, what is pending, what is due; offline no time of day counts."""
        timed = self._schedule.overdue(math.inf) if offline else self._schedule.hop(time.time())
        self._owed.add(timed, self._values.parameters)
        if not packed and not self._pending and not timed:
            self._owed.hop((), ())
            return []
        events: list[Message] = []
        if packed:
            try:
                events = decode_events(packed)
            except ControlError as error:
                log.warning("events of a hop: %s", error)
            if self._monitored:
                for event in events:
                    self._teller.passed(event.address.removeprefix(ROOT), event.arguments)
            self._tell_server(self._values.follow(events))
        self._owed.hop(events, self._values.parameters)
        # Controllers come after what the host says at the same frame: it does not know of them yet.
        for changed in self._values.follow(timed):
            self._tell(changed)
        events = sorted(events + self._pending + timed, key=lambda event: event.frame)
        self._pending.clear()
        return events

    def settings(self, messages: list[Message], *, later: bool) -> None:
        """Follow what a state sets; with ``later`` it is to count in the next hop."""
        self._tell_server(self._values.follow(messages))
        if later:
            self._pending += messages

    def say(self, text: str) -> None:
        """Tell a status."""
        self._tell(Message(ROOT + "status", (text,)))

    def collect(self, chain: Chain) -> None:
        """Take what a chain has to tell."""
        if chain.stages is not self._stages:
            self.describe(chain)
        if chain.outbox:
            messages, chain.outbox[:] = list(chain.outbox), []
            self._played += [message for message in messages if message.address.endswith(PLAYED)]
            messages = [message for message in messages if not message.address.endswith(PLAYED)]
            self._values.follow(messages)
            for message in messages:
                self._tell(message)

    def describe(self, chain: Chain) -> None:
        """Tell the server what can be addressed in a chain, and all values."""
        self._stages = chain.stages
        values = self._values
        values.describe(chain)
        self._teller.report(reports.Chain(tuple(values.parameters.values()), tuple(values.commands.values())))
        self._tell_server(Message(address, (value,)) for address, value in values.now.items())

    def outgoing(self) -> tuple[bytes, int]:
        """Return what a response carries, and how many messages of it are to be forgotten when it is sent."""
        played, self._played = self._played, []
        if self._monitored:
            for message in played:
                self._teller.passed(message.address.removeprefix(ROOT), message.arguments)
        return pack(self._outgoing, played)

    def closing(self) -> reports.Closing:
        """Return what there is to say in the end."""
        waiting = self._schedule.overdue(math.inf)
        return reports.Closing((*self._owed, *waiting), self._taken)

    def sent(self, count: int) -> None:
        """Forget messages that the plugin has got."""
        for _ in range(count):
            self._outgoing.popleft()

    def _steered(self, messages: tuple[Message, ...]) -> None:
        self._owed.add(messages, self._values.parameters)
        for message in messages:
            if message.address in self._values.parameters:
                # Without hops only the last value of each is kept.
                self._pending = [each for each in self._pending if each.address != message.address]
            if len(self._pending) < _MOST_PENDING:
                self._pending.append(message)
        for changed in self._values.follow(messages):
            self._tell(changed)

    def _tell(self, message: Message) -> None:
        """Tell the plugin and the server."""
        self._outgoing.append(self._values.for_plugin(message))
        self._tell_server([message])

    def _tell_server(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._teller.value(message.address.removeprefix(ROOT), message.arguments)
