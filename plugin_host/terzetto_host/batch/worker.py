"""A worker process: ``python -m terzetto_host.batch.worker``. It gets work on standard input, one file after another.

Messages are pickles after their size. What plugins print goes to standard error. The work is done by the main thread,
as plugins want it. When the batch is gone, the work under way is undone and the worker ends.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import struct
import threading
import time
from typing import Any, BinaryIO, NoReturn

_SIZE = struct.Struct("<Q")
_GRACE = 5.0  # seconds to undo what is under way
_REPORT = 0.25  # seconds between reports of progress


def send(stream: BinaryIO, message: Any) -> None:
    """Write a message."""
    content = pickle.dumps(message)
    stream.write(_SIZE.pack(len(content)) + content)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Read a message; raise `EOFError` when the other end is gone."""
    return pickle.loads(_exactly(stream, _SIZE.unpack(_exactly(stream, _SIZE.size))[0]))


def _exactly(stream: BinaryIO, count: int) -> bytes:
    content = bytearray()
    while len(content) < count:
        part = stream.read(count - len(content))
        if not part:
            raise EOFError
        content += part
    return bytes(content)


def _read(stream: BinaryIO, inbox: queue.SimpleQueue[Any]) -> None:
    with contextlib.suppress(EOFError, OSError):
        while True:
            inbox.put(receive(stream))
    inbox.put(None)
    os.kill(os.getpid(), signal.SIGTERM)  # unwinds the work, if there is any
    time.sleep(_GRACE)
    os._exit(128 + signal.SIGTERM)


def _stop(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> None:
    """Work until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the batch, which ends its workers
    signal.signal(signal.SIGTERM, _stop)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    work_in = os.fdopen(os.dup(0), "rb", buffering=0)  # a buffer's lock would be held for ever by the thread
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(work_in, inbox), daemon=True).start()
    from terzetto_host.batch.work import work_on

    send(answers, ("ready", None))
    told = 0.0

    def progress(stage: str, fraction: float) -> None:
        nonlocal told
        if time.monotonic() - told >= _REPORT:
            told = time.monotonic()
            send(answers, ("progress", (stage, fraction)))

    while (work := inbox.get()) is not None:
        job, item, out, chain = work
        send(answers, ("done", work_on(job, item, out, chain, progress)))


if __name__ == "__main__":
    main()
