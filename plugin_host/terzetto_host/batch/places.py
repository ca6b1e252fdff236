"""Where files are: on this machine, or behind a URL that fsspec knows."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from terzetto.errors import DiskFullError, InputError, OutputError, TerzettoError

# These put an object in place whole, and know no folders; elsewhere it is written beside its place and moved there.
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "memory")
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "http": "http", "https": "http"}
# By which file systems tell one content of a file from another, best first; listings and single looks agree on them.
_VERSIONS = ("ETag", "etag", "md5Hash", "generation", "checksum", "mtime", "LastModified", "last_modified", "created")


class MissingError(InputError):
    """There is nothing at a URL."""


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
    except ImportError as error:
        extra = _EXTRAS.get(url.partition("://")[0])
        advice = f"pip install 'terzetto[{extra}]'" if extra else _line(error)
        raise InputError(f"{url}: needs a package that is not installed: {advice}") from None
    except Exception as error:  # each protocol has errors of its own, for credentials too
        raise InputError(f"{url}: cannot be used ({_line(error)})") from None
    return filesystem, str(path)


@contextlib.contextmanager
def reaching(url: str, kind: type[TerzettoError] = InputError) -> Iterator[None]:
    """Turn whatever a file system says of a URL into one line.

    Raises
    ------
    InputError
        Or ``kind``: it is not there, may not be used, or cannot be reached.
    """
    try:
        yield
    except TerzettoError:
        raise
    except FileNotFoundError:
        raise kind(f"{url}: there is no such file, folder or bucket") from None
    except PermissionError as error:
        raise kind(f"{url}: may not be used with these credentials ({_line(error)})") from None
    except NotImplementedError:
        raise kind(f"{url}: this kind of place cannot be used so; files and folders of it can only be read") from None
    except Exception as error:  # each protocol has errors of its own
        text = f"{type(error).__name__}: {_line(error)}"
        raise kind(f"{url}: cannot be reached ({text}); check the address, the network and the credentials") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def plain(url: str) -> str:
    """Return a URL without slashes that say nothing: ``s3://bucket/in`` for ``s3://bucket//in/``."""
    protocol, _, rest = url.partition("://")
    return f"{protocol}://" + "/".join(part for part in rest.split("/") if part)


def canonical(url: str) -> str:
    """Return the one spelling of a URL: ``s3://bucket/in`` for ``s3a://bucket//in/``."""
    filesystem, path = open_filesystem(url)
    return plain(str(filesystem.unstrip_protocol(path)))


def version(filesystem: Any, about: dict[str, Any]) -> str:
    """Return what tells a file's content from others that it had, from what fsspec says about it."""
    for name in _VERSIONS:
        if about.get(name) is not None:
            return str(about[name])
    return str(filesystem.ukey(about["name"]))


def join(place: str, *parts: str) -> str:
    """Return a place below a folder or URL."""
    return "/".join((place.rstrip("/"), *(part.strip("/") for part in parts if part)))


def sizes_below(url: str) -> dict[str, int]:
    """Return the bytes of all files below a URL, by their paths there.

    Raises
    ------
    InputError
        It cannot be reached.
    """
    filesystem, root = open_filesystem(url)
    with reaching(url):
        filesystem.invalidate_cache()
        found = filesystem.find(root, detail=True)
    above = root.rstrip("/") + "/"
    return {name.removeprefix(above): int(about.get("size") or 0) for name, about in found.items()}


def fetch(url: str, folder: Path) -> Path:
    """Copy a file from a URL into a folder of this machine.

    Raises
    ------
    MissingError
        It is not there.
    InputError
        It may not be read, or cannot be reached.
    DiskFullError
        There is no room for it here.
    """
    filesystem, path = open_filesystem(url)
    target = folder / path.rsplit("/", 1)[-1]
    with reaching(url):
        try:
            filesystem.get_file(path, str(target))
        except FileNotFoundError:
            raise MissingError(f"{url}: there is no such file, folder or bucket") from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFullError(f"{folder}: no room for a copy of {url}; TMPDIR names another disk") from None
            raise
    return target


def store(made: Path, url: str) -> None:
    """Copy a file of this machine to a URL: whole, or not at all.

    Raises
    ------
    OutputError
        The bucket is not there, it may not be written, or cannot be reached.
    """
    filesystem, path = open_filesystem(url)
    protocols = filesystem.protocol if isinstance(filesystem.protocol, tuple) else (filesystem.protocol,)
    with reaching(url, OutputError):
        if any(protocol in _OBJECT_STORES for protocol in protocols):  # never makes a bucket: its name may be mistyped
            filesystem.put_file(str(made), path)
            return
        with contextlib.suppress(FileExistsError, NotImplementedError):
            filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        filesystem.put_file(str(made), f"{path}.part")
        filesystem.mv(f"{path}.part", path)
