"""What the server does with files when a controller asks: commands of `terzetto`, one at a time, each in a process.

A process of its own, so that nothing which goes wrong in it, and nothing which takes long, touches the server or an
instance that plays; it yields to those. What can be asked for is in the parameter table (``[files.…]``).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terzetto.control.addresses import ROOT
from terzetto.control.messages import Argument, Message
from terzetto.control.osc import encode
from terzetto.control.table import Command, file_tasks
from terzetto.errors import ControlError

MOST_WAITING = 16
LARGEST = 60_000
"""Bytes of an answer; a datagram holds little more."""
_TOLD = 5  # performances and moments
_PAIRS = 200  # of composers; a name may have 100 letters
_NICE = 10
_PATIENCE = 2.0  # seconds that a command has to end
_WHOLE, _PARTLY = 0, 1  # exit statuses
Tell = Callable[[Message], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """A command: its words, given a message's arguments, and the answer, given the object that ``--json`` prints."""

    words: Callable[..., list[str]]
    answer: Callable[[dict[str, Any]], list[Argument]]


def _edited(result: dict[str, Any]) -> list[Argument]:
    return [result["midi"], result["notes_before"], result["notes"]]


def _highest(result: dict[str, Any]) -> list[Argument]:
    found = sorted(zip(result["seconds"], result["error"], strict=True), key=lambda pair: -pair[1])
    return [value for pair in found[:_TOLD] for value in pair]


def _distances(result: dict[str, Any]) -> list[Argument]:
    found = sorted(result["distances"], key=lambda each: each["distance"])
    return [value for each in found[:_PAIRS] for value in (*each["between"], each["distance"])]


TASKS = {
    "piano/reconstruct": Task(lambda take, out: [take, "-o", out], _edited),
    "piano/denoise": Task(lambda take, out: [take, "-o", out], _edited),
    "piano/simplify": Task(lambda take, atoms, out: [take, f"--keep={atoms}", "-o", out], _edited),
    "piano/interpolate": Task(lambda a, b, n, out: [a, b, f"--steps={n}", "-o", out], lambda result: result["midi"]),
    "piano/interpolate_only": Task(
        lambda a, b, start, stop, n, out: [a, b, f"--only={start:.6f}-{stop:.6f}", f"--steps={n}", "-o", out],
        lambda result: result["midi"],
    ),
    "piano/swap": Task(lambda take, other, atoms, out: [take, other, f"--atoms={atoms}", "-o", out], _edited),
    "piano/similar": Task(
        lambda take, folder: [take, folder, f"--top={_TOLD}"],
        lambda result: [value for each in result["similar"] for value in (each["take"], each["cosine"])],
    ),
    "piano/variance": Task(lambda take, picture: [take, "-o", picture], _highest),
    "piano/atoms": Task(
        lambda take, folder: [take, "-o", folder],
        lambda result: [value for each in result["atoms"] for value in (each["atom"], each["share"])],
    ),
    "piano/map": Task(lambda folder, picture: [folder, "-o", picture], _distances),
}


def commands() -> Iterator[tuple[str, Command]]:
    """Return all that can be asked for, by the end of its address: ``piano/denoise``."""
    for name, tasks in file_tasks().items():
        yield from ((f"{name}/{each.name}", each) for each in tasks.commands)


class FileTasks:
    """Does one after the other, while a loop runs."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Task[list[Message]]] = []
        self._turn = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether something is being done or waits."""
        return any(not each.done() for each in self._waiting)

    def ask(self, end: str, arguments: tuple[Argument, ...], tell: Tell) -> None:
        """Do what an address asks for, when it is its turn, and tell the answer.

        Raises
        ------
        ControlError
            A path is not whole, or too much waits already.
        """
        if end not in TASKS:
            self.cancel()
            return
        for each in arguments:
            if isinstance(each, str) and not Path(each).is_absolute():
                raise ControlError(f"{each[:80]!r}: give the whole path, from the root on")
        self._waiting = [each for each in self._waiting if not each.done()]
        if len(self._waiting) >= MOST_WAITING:
            raise ControlError(f"{MOST_WAITING} things wait to be done with files; ask again later, or cancel")
        task = asyncio.get_running_loop().create_task(self._do(end, arguments))
        task.add_done_callback(functools.partial(_tell_end, f"{ROOT}/{end}", tell))
        self._waiting.append(task)

    def cancel(self) -> None:
        """End what is being done, and what waits; nothing half-written stays."""
        for each in self._waiting:
            if not each.cancelling():  # it may be waiting for its process to end
                each.cancel()

    async def stop(self) -> None:
        """Cancel, and wait for the end."""
        self.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _do(self, end: str, arguments: tuple[Argument, ...]) -> list[Message]:
        """Return what is to be answered."""
        address = f"{ROOT}/{end}"
        async with self._turn:
            log.info("files: %s %s", address, " ".join(map(str, arguments)))
            status, result, said = await _run(end, arguments)
        answers = []
        if status in (_WHOLE, _PARTLY) and result is not None:
            answers.append(_fitting(Message(address, tuple(TASKS[end].answer(result)))))
        if status != _WHOLE:
            problems = [line.removeprefix("terzetto: error: ") for line in said if line.startswith("terzetto: error: ")]
            answers.append(_error("; ".join(problems)[:1000] or f"exit status {status}", address))
        return answers


def _error(text: str, address: str) -> Message:
    return Message(f"{ROOT}/error", (text, address))


def _fitting(answer: Message) -> Message:
    """Return an answer, or what is wrong with it."""
    try:
        size = len(encode(answer))
    except ControlError as error:
        return _error(f"it is done, but {error}", answer.address)
    if size > LARGEST:
        return _error(f"it is done, but its answer of {size} bytes does not fit into a message", answer.address)
    return answer


def _tell_end(address: str, tell: Tell, task: asyncio.Task[list[Message]]) -> None:
    """Tell what has come of a task, whatever it is: whoever asked may wait for it."""
    if task.cancelled():
        answers = [_error("cancelled", address)]
    elif (error := task.exception()) is not None:
        log.error("files: %s", address, exc_info=error)
        answers = [_error(f"it could not be done: {error}", address)]
    else:
        answers = task.result()
    for each in answers:
        tell(each)


async def _run(end: str, arguments: tuple[Argument, ...]) -> tuple[int, dict[str, Any] | None, list[str]]:
    """Run a command; return its exit status, what it found, and the lines that it said beside."""
    group, name = end.split("/")
    words = [group, name.removesuffix("_only"), *TASKS[end].words(*arguments), "--json"]
    nothing, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    # -P: nothing of the folder that the server was started in is run.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "terzetto", *words, stdin=nothing, stdout=pipe, stderr=pipe
    )
    try:
        with contextlib.suppress(AttributeError, OSError):  # no such thing on Windows; gone already
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)
        found, said = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    text = found.decode(errors="replace").strip()
    assert process.returncode is not None
    return process.returncode, json.loads(text) if text else None, said.decode(errors="replace").splitlines()
