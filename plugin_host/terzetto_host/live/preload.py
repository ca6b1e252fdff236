"""What every worker needs, imported before it is forked. Importing is all that happens here: no thread may run yet."""

from __future__ import annotations

import contextlib

import numpy as np
import pedalboard

import terzetto_host.chain
import terzetto_host.live.hops
import terzetto_host.live.worker
from terzetto_host.chain_file import own_processors

for _point in own_processors().values():
    with contextlib.suppress(Exception):  # a worker that needs it will say what is wrong with it
        _point.load()

__all__ = ["np", "pedalboard", "terzetto_host"]
