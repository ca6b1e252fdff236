"""Results are written whole or not at all: under another name beside the place, then renamed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from terzetto.errors import OutputError


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file whole or not at all; its folder is made if it is not there.

    Parameters
    ----------
    path
        What is there is replaced when the new file is complete.
    write
        Writes the content into an open binary file.

    Raises
    ------
    OutputError
        It cannot be written; what was there before is untouched.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(0, "it is a folder; give the name of a file")
        try:
            with unfinished.open("wb") as file:
                write(file)
            unfinished.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
    except OSError as error:
        raise OutputError(f"{path}: could not be written ({error.strerror or error})") from None


def refuse_replacing(out: Path, *sources: Path) -> None:
    """Refuse to write over what a result is made from.

    Raises
    ------
    OutputError
        ``out`` is one of the sources.
    """
    if any(out.exists() and source.exists() and out.samefile(source) for source in sources):
        raise OutputError(f"{out}: would replace what it is made from; choose another --out")
