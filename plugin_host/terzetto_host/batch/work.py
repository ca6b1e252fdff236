"""The work on one file, wherever it is done: fetch it, do the job, put the results in place, say what became of it."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from terzetto.audio.stems import workshop_prefix
from terzetto.errors import DiskFullError, InputError, TerzettoError, TerzettoWarning
from terzetto.jobs import Item, Job
from terzetto.progress import Progress
from terzetto_host.batch.fingerprint import content_hash, score_hash, stamp, versions
from terzetto_host.batch.manifest import Record, file_about
from terzetto_host.batch.places import fetch, is_url, join, local, store


def carry(job: Job, item: Item, out: str, progress: Progress) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    """Do a job to one file, wherever it and ``out`` are.

    Returns
    -------
    tuple
        What was done; what was written (see `Record.files`); the take's SHA-256.

    Raises
    ------
    TerzettoError
        As the job, and if something cannot be fetched or put in place.
    """
    with ExitStack() as stack:

        def scratch() -> Path:
            prefix = workshop_prefix(os.getpid())
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)))

        there = item
        if is_url(item.title):
            there = replace(there, path=fetch(item.title, scratch()))
        if item.score is not None and is_url(item.score):
            there = replace(there, score=str(fetch(item.score, scratch())))
        hashed = content_hash(there.path)
        remote = is_url(out)
        folder = scratch() if remote else Path(local(out))
        try:
            result = job.work(there, folder, progress)
        except TerzettoError as error:  # nobody knows the names of the copies
            text = str(error).replace(str(there.path), item.title).replace(str(folder), out.rstrip("/"))
            raise error if text == str(error) else type(error)(text) from None
        written = [file_about(Path(path), folder) for path in job.written(result)]
        if remote:
            for about in written:
                store(folder / about["path"], join(out, about["path"]))
            result = _moved(result, str(folder) + os.sep, out.rstrip("/") + "/")
        return result, written, hashed


def work_on(job: Job, item: Item, out: str, chain: str, progress: Progress) -> Record:
    """Do a job to one file; whatever happens comes back as a record."""
    began = time.perf_counter()
    record = Record(item.key, item.title, "done", chain, score=score_hash(item.score), versions=versions())
    before = stamp(item) or {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TerzettoWarning)
        try:
            record.result, record.files, sha256 = carry(job, item, out, progress)
            record.input = {"sha256": sha256, **before}
            if before != (stamp(item) or {}):
                raise InputError(f"{item.title}: changed while it was being read; give the command again")
        except DiskFullError as error:
            record.status, record.error = "full", str(error)
        except TerzettoError as error:
            record.status, record.error = "failed", str(error)
        except MemoryError:
            record.status, record.error = "error", "not enough memory; fewer at once (-j) need less"
        except Exception as error:  # a bug of a plugin, or a network that fails for a moment: worth another try
            record.status = "error"
            record.error = f"{type(error).__name__}: {error}"
            record.result = {"traceback": traceback.format_exc(limit=-4)}
    record.warnings = [str(each.message) for each in caught if issubclass(each.category, TerzettoWarning)]
    record.elapsed = round(time.perf_counter() - began, 3)
    return record


def sweep(folders: Iterable[Path], pid: int | None = None) -> None:
    """Remove the workshops that a killed process left: that of ``pid``, or of all that are no more."""
    prefix = workshop_prefix(0).removesuffix("0-")
    for folder in {*folders, Path(tempfile.gettempdir())}:
        for workshop in folder.glob(f"{prefix}*-*"):
            owner = workshop.name.removeprefix(prefix).partition("-")[0]
            if owner.isdigit() and (int(owner) == pid if pid is not None else not _runs(int(owner))):
                shutil.rmtree(workshop, ignore_errors=True)


def _runs(pid: int) -> bool:
    if os.name == "nt":  # there, asking so would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _moved(result: Any, before: str, after: str) -> Any:
    """Return a result with its paths where they are now."""
    if isinstance(result, str):
        return after + result.removeprefix(before) if result.startswith(before) else result
    if isinstance(result, list):
        return [_moved(each, before, after) for each in result]
    if isinstance(result, dict):
        return {name: _moved(value, before, after) for name, value in result.items()}
    return result
