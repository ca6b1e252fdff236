"""The instances of a server: each plugin that is attached gets a name and a worker, started, watched and ended here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from terzetto.control.addresses import is_instance
from terzetto.control.messages import Message
from terzetto.control.table import table
from terzetto_host import _bridge
from terzetto_host.live import reports
from terzetto_host.live.handover import Estate
from terzetto_host.live.instance import Instance
from terzetto_host.live.worker import run

PRELOAD = ["terzetto_host.live.preload"]
"""Imported once by the process that the workers are forked from."""
SILENT = 2.0
"""Seconds without a word from a worker after which it counts as stuck."""
PATIENCE = 2.0
"""Seconds that a worker has to end."""
MOST = 64
LONGEST_TEMPORARY = 70
"""Bytes of the path of temporary files up to which a socket fits in there: 103 on macOS, 33 for Python's own names."""

Told = Callable[[Instance, reports.Told], None]

log = logging.getLogger(__name__)


class Instances:
    """The instances of a server and their workers. All methods belong to the event loop's thread.

    Parameters
    ----------
    osc_port
        Told to every plugin.
    told
        Called with what an instance's worker has to tell.
    changed
        Called when an instance has come or gone.
    """

    def __init__(self, osc_port: Callable[[], int], told: Told, changed: Callable[[], None]) -> None:
        self._osc_port, self._told, self._changed = osc_port, told, changed
        self._context: Any = _context()
        self._by_name: dict[str, Instance] = {}
        self._loop = asyncio.get_running_loop()
        self._starting: set[asyncio.Task[None]] = set()
        self._estate = Estate()
        self.last_ended = time.monotonic()

    def __iter__(self) -> Any:
        return iter(sorted(self._by_name.values(), key=lambda instance: int(instance.name[1:])))

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> Instance | None:
        """Return the instance of this name, or None."""
        return self._by_name.get(name)

    def attach(self, segment: str, instrument: str, wanted: str) -> Instance | None:
        """Give a segment a worker, unless it has one that lives; None if there are too many."""
        known = next((each for each in self._by_name.values() if each.segment == segment), None)
        if known is not None:
            if known.pipe is None or time.monotonic() - known.heard < SILENT:
                return known  # it starts, or it lives
            log.warning("%s: its worker does not answer; it gets another one", known.name)
            self._drop(known)
            wanted = known.name
        if len(self._by_name) >= MOST:
            log.error("%s: refused, %d instances are the most", segment, MOST)
            return None
        instance = Instance(self._name_for(wanted), segment, instrument)
        instance.came_back = instance.name == wanted
        described = table()[instrument]  # until its worker tells more
        instance.parameters = {_end(each.address): each for each in described.parameters}
        instance.commands = {_end(each.address): each for each in described.commands}
        self._by_name[instance.name] = instance
        owed = self._estate.take(instance.name, instrument)
        if owed and instance.came_back:
            instance.send(reports.Steer(tuple(owed)))
        task = self._loop.create_task(self._start(instance))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
        return instance

    def watch(self) -> None:
        """Look after workers whose plugin is gone; to be called now and then."""
        now = time.monotonic()
        for instance in list(self._by_name.values()):
            if instance.ending_since is None and instance.pipe is not None and not _bridge.exists(instance.segment):
                instance.ending_since = now
            elif instance.ending_since is not None and now - instance.ending_since > PATIENCE:
                log.warning("%s: its plugin is gone and its worker does not end; it is killed", instance.name)
                self._drop(instance)

    async def stop(self) -> None:
        """End all workers: in order, or after a while by force."""
        if self._starting:
            await asyncio.wait(self._starting, timeout=PATIENCE)
        for instance in self._by_name.values():
            instance.send(reports.End())
        deadline = time.monotonic() + PATIENCE
        while self._by_name and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for instance in list(self._by_name.values()):
            self._drop(instance)

    def tell_all(self, message: object) -> None:
        """Tell every worker something."""
        for instance in self._by_name.values():
            instance.send(message)

    def _name_for(self, wanted: str) -> str:
        """Return the wanted name if it is free or its owner's plugin is gone, else the next free one."""
        for instance in list(self._by_name.values()):
            if instance.pipe is not None and not _bridge.exists(instance.segment):
                del self._by_name[instance.name]  # so that a plugin that made a new segment keeps its name
                self._leaving(instance)
        if is_instance(wanted) and wanted not in self._by_name:
            return wanted
        return next(name for number in range(1, MOST + 2) if (name := f"i{number}") not in self._by_name)

    def _leaving(self, instance: Instance) -> None:
        """See to it that a worker that has lost its name ends."""

        def force() -> None:
            if instance.process is not None and instance.process.is_alive():
                instance.process.kill()

        instance.send(reports.End())
        self._loop.call_later(PATIENCE, force)

    async def _start(self, instance: Instance) -> None:
        began = time.perf_counter()
        ours, theirs = self._context.Pipe()
        arguments = (instance.segment, instance.instrument, instance.name, self._osc_port(), theirs)
        process = self._context.Process(target=run, args=arguments, name=f"terzetto-{instance.name}", daemon=True)
        try:
            # The first start waits until the process that workers are forked from has its modules.
            await self._loop.run_in_executor(None, process.start)
        except OSError:
            log.exception("%s: no worker could be started", instance.name)
            self._by_name.pop(instance.name, None)
            return
        finally:
            theirs.close()
        instance.process = process
        instance.start(ours)
        log.info(
            "%s: %s at %s, process %s, started in %.0f ms",
            instance.name,
            instance.instrument,
            instance.segment,
            process.pid,
            1e3 * (time.perf_counter() - began),
        )
        threading.Thread(target=self._listen, args=(instance, ours), daemon=True).start()
        self._changed()
        if self._by_name.get(instance.name) is not instance:  # dropped meanwhile
            process.kill()

    def _listen(self, instance: Instance, pipe: Connection) -> None:
        """Hand on what a worker says, in a thread of its own (pipes and event loops do not go together everywhere)."""
        try:
            while True:
                self._loop.call_soon_threadsafe(self._heard, instance, pipe.recv())
        except (OSError, EOFError, RuntimeError):  # the worker or the loop has ended
            pass
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ended, instance)

    def _heard(self, instance: Instance, report: object) -> None:
        instance.heard = time.monotonic()
        if isinstance(report, reports.Closing):
            missed = [steer for number, steer in instance.lately if number > report.taken]
            self._hand_on(instance, [*report.owed, *(message for steer in missed for message in steer.messages)])
            instance.ending_since = instance.ending_since or time.monotonic()
            return
        if self._by_name.get(instance.name) is not instance:  # it has been given up
            return
        if isinstance(report, reports.Chain):
            instance.parameters = {_end(each.address): each for each in report.parameters}
            instance.commands = {_end(each.address): each for each in report.commands}
            instance.values = {key: value for key, value in instance.values.items() if key in instance.parameters}
        elif isinstance(report, reports.Told):
            if report.values:
                instance.values.update((end, arguments[0]) for end, arguments in report.messages if arguments)
            self._told(instance, report)

    def _hand_on(self, instance: Instance, owed: list[Message]) -> None:
        """Give what a plugin may not know to its next worker; what controllers have told that one since counts."""
        heir = self._by_name.get(instance.name)
        if heir is None or heir is instance:
            self._estate.keep(instance.name, instance.instrument, owed)
            return
        if not heir.came_back or heir.instrument != instance.instrument:  # another plugin
            return
        steers = [*heir.waiting, *(steer for _, steer in heir.lately)]
        since = {message.address for steer in steers for message in steer.messages}
        messages = tuple(message for message in owed if message.address not in since)
        if messages:
            heir.send(reports.Steer(messages))

    def _ended(self, instance: Instance) -> None:
        if instance.process is not None:
            instance.process.join(1.0)
            log.info("%s: its worker has ended (%s)", instance.name, instance.process.exitcode)
        if instance.pipe is not None:
            instance.pipe.close()
            instance.pipe = None
        self._hand_on(instance, [message for steer in instance.waiting for message in steer.messages])
        if self._by_name.get(instance.name) is instance:
            del self._by_name[instance.name]
        self.last_ended = time.monotonic()
        _bridge.sweep()  # its host may have been killed
        self._changed()

    def _drop(self, instance: Instance) -> None:
        """Kill a worker and forget its instance at once."""
        if instance.process is not None:
            instance.process.kill()
        if self._by_name.get(instance.name) is instance:
            del self._by_name[instance.name]


def _end(address: str) -> str:
    """Return the end of an address, without the root."""
    return address.removeprefix("/terzetto/")


def _context() -> Any:
    """Return how workers are started: forked from a process that has the modules, where there can be such a thing."""
    if sys.platform == "win32" or len(os.fsencode(tempfile.gettempdir())) > LONGEST_TEMPORARY:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context
