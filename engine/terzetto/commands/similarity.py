"""What ``terzetto drums similar`` and ``terzetto piano similar`` share: a library by its likeness to one file."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from terzetto.commands.drums.options import expand, tell

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def add_library_flags(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the library, of ``what`` (as the help says it), and how many are told."""
    parser.add_argument("library", nargs="+", type=Path, metavar="LIBRARY", help=what)
    parser.add_argument("--top", type=int, default=10, metavar="N", help="how many are told (default: 10)")


def tell_most_similar(
    taken: Path, arguments: argparse.Namespace, model: str, encode: Callable[[Path], NDArray[np.float32]], kind: str
) -> int:
    """Encode all, compare, tell, and return the exit status; one bad file of several is reported and the rest goes on.

    Parameters
    ----------
    taken
        What is looked for.
    arguments
        With ``library``, ``top`` and ``json``.
    model
        The dictionary's name.
    encode
        Returns a file's code (atoms, columns).
    kind
        What the library is of, in the plural.

    Raises
    ------
    InputError
        What is looked for cannot be read, or nothing of the library.
    """
    from terzetto.analysis.codes import most_similar
    from terzetto.cli import EXIT_PARTIAL, print_error
    from terzetto.errors import InputError

    code = encode(taken)
    files, codes = [], []
    library = expand(arguments.library)
    for path in library:
        try:
            # Compared are means over time: the whole code of every file need not be kept.
            codes.append(encode(path).mean(axis=1, keepdims=True))
        except InputError as error:
            print_error(error)
            continue
        files.append(path)
    if not files:
        raise InputError(f"none of the {len(library)} {kind} of the library can be read")
    found = most_similar(code, codes)[: arguments.top]
    result = {
        "take": str(taken),
        "model": model,
        "library": len(files),
        "similar": [{"take": str(files[index]), "cosine": cosine} for index, cosine in found],
    }
    tell(result, "\n".join(f"{cosine:.3f}  {files[index]}" for index, cosine in found), arguments.json)
    return EXIT_PARTIAL if len(files) < len(library) else 0
