"""What a result was made from: contents by hash, and the versions of what made it."""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from terzetto import __version__
from terzetto.errors import InputError
from terzetto.jobs import Item, Job
from terzetto_host.batch.places import is_url, local, open_filesystem
from terzetto_host.batch.places import version as version_of

Stamp = dict[str, Any]


def versions() -> dict[str, str]:
    """Return the versions that decide on results."""
    found = {"terzetto": __version__}
    for name in ("pedalboard", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def job_hash(job: Job) -> str:
    """Return a hash of the job and the versions: results of equal ones from equal takes are equal."""
    content = {"job": job.identity(), "versions": versions()}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def content_hash(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file, or of all files in a folder with their names (a plugin's bundle).

    Raises
    ------
    InputError
        It cannot be read.
    """
    path = Path(path)
    try:
        if not path.is_dir():
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        whole = hashlib.sha256()
        for each in sorted(each for each in path.rglob("*") if each.is_file()):
            whole.update(os.fsencode(each.relative_to(path)) + b"\0" + content_hash(each).encode())
        return whole.hexdigest()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None


@lru_cache(maxsize=64)
def _score_hash(path: str, size: int, mtime_ns: int) -> str:
    return content_hash(path)


def score_hash(score: str | None) -> str | None:
    """Return the hash of a score; None without one, or if it cannot be read: whoever reads it says why."""
    if score is None:
        return None
    if is_url(score):
        return str(_remote_stamp(score))
    try:
        about = Path(local(score)).stat()
        return _score_hash(local(score), about.st_size, about.st_mtime_ns)
    except (OSError, ValueError, InputError):
        return None


def stamp(item: Item) -> Stamp | None:
    """Return what shows without reading it that a take is still the same; None if it is not there.

    Of a local file these are size, inode and the times of its last changes, as git's index has them; no program sets
    ``ctime`` back. Of a URL, size and what fsspec knows of its version.
    """
    if is_url(item.title):
        return _remote_stamp(item.title)
    try:
        about = item.path.stat()
    except (OSError, ValueError):
        return None
    return {
        "size": about.st_size,
        "mtime_ns": about.st_mtime_ns,
        "ctime_ns": about.st_ctime_ns,
        "inode": about.st_ino,
    }


def is_same(item: Item, recorded: Stamp) -> bool:
    """Whether a take still has the content that was recorded; it is read only if its stamp has changed."""
    now = stamp(item)
    if now is None:
        return False
    if all(recorded.get(name) == value for name, value in now.items()):
        return True
    if is_url(item.title) or now["size"] != recorded.get("size"):
        return False
    try:
        return content_hash(item.path) == recorded.get("sha256")
    except InputError:
        return False


def _remote_stamp(url: str) -> Stamp | None:
    filesystem, path = open_filesystem(url)
    try:
        about = filesystem.info(path)
        return {"size": about.get("size"), "version": version_of(filesystem, about)}
    except Exception:  # each protocol has errors of its own; whoever reads the file says what is wrong
        return None
