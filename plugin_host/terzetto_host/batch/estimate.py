"""``--dry-run``: what a batch would do, how long it would take and how much room it needs. Nothing is written."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from terzetto.cli import EXIT_FAILED, EXIT_PARTIAL, print_error
from terzetto.errors import TerzettoError
from terzetto.jobs import Item, Job
from terzetto.parallel import threads_for
from terzetto_host.batch.places import fetch, is_url, local

_MARGIN = 1.1  # what is written for a while beside the results
_LOOKED_AT = 200  # files whose headers are read; of more, evenly spread ones stand for all
_FETCHED = 8  # of files behind URLs, which must be fetched whole for that


def estimate(job: Job, items: Sequence[Item], arguments: argparse.Namespace) -> int:
    """Print what there is to do and return the exit status: 0, or as a batch's if some takes cannot be read."""
    seconds, size, bad = _measure(job, items)
    if not seconds:
        return EXIT_FAILED
    workers = min(arguments.jobs or threads_for(arguments.threads), len(items))
    typical = next(item for item in items if item.title not in bad)
    with _here(typical) as there:
        speed = job.speed(there)
    took = seconds / speed / max(workers, 1)
    about = {
        "files": len(items),
        "audio_hours": round(seconds / 3600, 3),
        "times_real_time_per_worker": round(speed, 1),
        "workers": workers,
        "hours": round(took / 3600, 4),
        "gigabytes": round(size / 1e9, 3),
        "free_gigabytes": None if is_url(arguments.out) else round(_free(Path(local(arguments.out))) / 1e9, 3),
        "unreadable": sorted(bad),
    }
    if arguments.json:
        print(json.dumps(about, indent=2))
    else:
        print(f"{len(items)} files, {seconds / 3600:.2f} hours of music → {arguments.out}, {size / 1e9:.2f} GB")
        pace = f"{workers} at a time, each {speed:.0f} times real time by a trial of one file"
        print(f"about {_spoken(took)} with {pace}")
    free = about["free_gigabytes"]
    if isinstance(free, float) and size * _MARGIN > free * 1e9:
        print(f"terzetto: warning: only {free:.2f} GB are free there", file=sys.stderr)
    return EXIT_PARTIAL if bad else 0


def _measure(job: Job, items: Sequence[Item]) -> tuple[float, float, set[str]]:
    """Return seconds of audio and bytes of results altogether, and which files could not be read."""
    step = max(-(-len(items) // (_FETCHED if is_url(items[0].title) else _LOOKED_AT)), 1)
    looked_at = items[::step]
    seconds, size, read, bad = 0.0, 0.0, 0, set()
    for item in looked_at:
        try:
            with _here(item) as there:
                its_seconds, its_size = job.bytes_for(there)
        except TerzettoError as error:
            print_error(error)
            bad.add(item.title)
            continue
        seconds, size, read = seconds + its_seconds, size + its_size, read + item.size
    whole = sum(item.size for item in items if item.title not in bad)
    scale = 1.0
    if step > 1:  # a list of links tells no sizes
        scale = whole / read if read else len(items) / len(looked_at)
    return seconds * scale, size * scale, bad


@contextmanager
def _here(item: Item) -> Iterator[Item]:
    """Give a file that is on this machine."""
    if not is_url(item.title):
        yield item
        return
    with TemporaryDirectory(prefix="terzetto-") as folder:
        yield replace(item, path=fetch(item.title, Path(folder)))


def _free(folder: Path) -> int:
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    return shutil.disk_usage(there).free


def _spoken(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
