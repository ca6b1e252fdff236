"""What every worker needs, imported before it is forked. Importing is all that happens here: no thread may run yet."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os

# A hop is little work: threads of the linear algebra would only get in each other's way. What a worker starts to learn
# a take in is to have all of them, so the environment is as before afterwards.
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_before = {name: os.environ.get(name) for name in _THREADS}
os.environ.update({name: "1" for name, given in _before.items() if given is None})
for _name in ("numpy", "pedalboard", "terzetto_host.live.worker"):
    importlib.import_module(_name)
_points = [*importlib.import_module("terzetto_host.chain_file").own_processors().values()]
_points += importlib.metadata.entry_points(group=importlib.import_module("terzetto.timbre.methods").GROUP)
for _point in _points:
    with contextlib.suppress(Exception):  # a worker that needs it will say what is wrong with it
        _point.load()
for _name in _THREADS:
    if _before[_name] is None:
        del os.environ[_name]
