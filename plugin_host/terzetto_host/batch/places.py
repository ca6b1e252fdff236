"""Where files are: on this machine, or behind a URL that fsspec knows."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from terzetto.errors import InputError, OutputError

# These put an object in place whole; elsewhere it is written beside its place and moved there.
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "memory")


def is_url(text: str) -> bool:
    """Whether this is a URL of something that is not a file of this machine."""
    return "://" in text and not text.startswith("file://")


def local(text: str) -> str:
    """Return the path in a ``file://`` URL; anything else as it is."""
    return text.removeprefix("file://") if text.startswith("file://") else text


def shared(text: str) -> bool:
    """Whether other processes see the same files there."""
    return not text.startswith("memory://")


def open_filesystem(url: str) -> tuple[Any, str]:
    """Return fsspec's file system of a URL and the path in it.

    Raises
    ------
    InputError
        fsspec, or what it needs for this protocol, is not installed; or there is no such protocol.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise InputError(f"{url}: URLs need fsspec: pip install 'terzetto[cluster]'") from None
    try:
        filesystem, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise InputError(f"{url}: cannot be used ({' '.join(str(error).split())})") from None
    return filesystem, str(path)


def join(place: str, *parts: str) -> str:
    """Return a place below a folder or URL."""
    return "/".join((place.rstrip("/"), *(part.strip("/") for part in parts if part)))


def fetch(url: str, folder: Path) -> Path:
    """Copy a file from a URL into a folder of this machine.

    Raises
    ------
    InputError
        It is not there, or may not be read.
    """
    filesystem, path = open_filesystem(url)
    target = folder / path.rsplit("/", 1)[-1]
    try:
        filesystem.get_file(path, str(target))
    except FileNotFoundError:
        raise InputError(f"{url}: no such file") from None
    except PermissionError as error:
        raise InputError(f"{url}: may not be read ({error})") from None
    return target


def store(made: Path, url: str) -> None:
    """Copy a file of this machine to a URL: whole, or not at all.

    Raises
    ------
    OutputError
        It may not be written.
    """
    filesystem, path = open_filesystem(url)
    parent = path.rsplit("/", 1)[0]
    protocols = filesystem.protocol if isinstance(filesystem.protocol, tuple) else (filesystem.protocol,)
    whole = any(protocol in _OBJECT_STORES for protocol in protocols)
    written = path if whole else f"{path}.part"
    try:
        with contextlib.suppress(FileExistsError, NotImplementedError):
            filesystem.makedirs(parent, exist_ok=True)
        filesystem.put_file(str(made), written)
        if not whole:
            filesystem.mv(written, path)
    except PermissionError as error:
        raise OutputError(f"{url}: may not be written ({error}); choose another --out") from None
