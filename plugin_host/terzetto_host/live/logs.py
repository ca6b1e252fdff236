"""Logs of the live parts: files in the state folder that are kept small."""

from __future__ import annotations

import logging
import logging.handlers
import sys

from terzetto_host.places import ensure, state_dir

_BYTES, _KEPT = 1 << 20, 3


def log_to(name: str, *, terminal: bool = False) -> None:
    """Write this process's log to a file in the state folder, and to standard error with ``terminal``."""
    handlers: list[logging.Handler] = []
    try:
        path = ensure(state_dir()) / name
        handlers.append(
            logging.handlers.RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8")
        )
    except OSError as error:  # a full or forbidden disk must not keep the sound from starting
        if terminal:
            print(f"terzetto: warning: no log is written: {error}", file=sys.stderr)
    if terminal:
        handlers.append(logging.StreamHandler())
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for handler in handlers or [logging.NullHandler()]:
        handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
    root.setLevel(logging.INFO)
