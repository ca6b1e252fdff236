"""``--out`` of commands that make sound: the name of a file for one input, a folder for several."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terzetto.audio.formats import SampleFormat

ENDINGS = {".wav": "float32", ".flac": "flac"}
"""What the name of a sound file may end in, and the format that it then is unless another is asked for."""
_OTHER_SOUNDS = (".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".mid", ".midi")  # no folder is meant


def is_sound_file(text: str) -> bool:
    """Whether a name ends as a sound file does."""
    return Path(text).suffix.lower() in ENDINGS


def format_for(form: str | None, out: str) -> SampleFormat:
    """Return the format that is asked for by a flag, else by how ``out`` ends, if that is a sound file.

    Raises
    ------
    InputError
        The format and the ending do not go together.
    """
    from dataclasses import replace

    from terzetto.audio.formats import FORMATS
    from terzetto.errors import InputError

    ending = Path(out).suffix.lower()
    found = FORMATS[form or ENDINGS.get(ending, "float32")]
    if ending not in ENDINGS:
        return found
    if ending != f".{found.extension}":
        raise InputError(f"--out {out}: --{form} is written to a file that ends in .{found.extension}")
    return replace(found, extension=Path(out).suffix[1:])


def split_out(arguments: argparse.Namespace, inputs: Sequence[str], what: str) -> str:
    """Return the name of the file, if ``arguments.out`` is one, and leave its folder there; else an empty text.

    Parameters
    ----------
    arguments
        With ``out``.
    inputs
        Files and folders to work on.
    what
        What messages call the inputs.

    Raises
    ------
    InputError
        A file for several inputs, or one that ends in what is not written.
    """
    from terzetto.errors import InputError

    out: str = arguments.out
    if Path(out).is_dir():
        return ""
    ending = Path(out).suffix.lower()
    if ending in _OTHER_SOUNDS:
        raise InputError(f"--out {out}: the name of a sound file ends in .wav or .flac; {ending} is not written")
    if ending not in ENDINGS:
        return ""
    if len(inputs) > 1 or Path(inputs[0]).is_dir():
        raise InputError(f"--out {out}: several {what} go into a folder; give its name")
    folder, name = os.path.split(out)
    arguments.out = folder or "."
    return name
