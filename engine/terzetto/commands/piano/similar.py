"""``terzetto piano similar``: which performances of a folder are most like one."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.options import add_json_flag, expand, tell
from terzetto.commands.piano.options import add_dictionary_flag

HELP = "find the performances most like one: by the cosine of their codes in the dictionary"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("take", type=Path, metavar="TAKE.mid", help="what is looked for")
    parser.add_argument("library", nargs="+", type=Path, metavar="LIBRARY", help="MIDI files, or folders of them")
    parser.add_argument("--top", type=int, default=10, metavar="N", help="how many are told (default: 10)")
    add_dictionary_flag(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Encode all, compare, tell; one bad file of several is reported and the rest goes on."""
    from terzetto.analysis.codes import most_similar
    from terzetto.analysis.performance_dictionary import open_performance_dictionary
    from terzetto.cli import EXIT_PARTIAL, print_error
    from terzetto.errors import InputError
    from terzetto.score.midi import read_midi

    if arguments.top < 1:
        raise InputError(f"--top {arguments.top}: give 1 or more")
    dictionary = open_performance_dictionary(arguments.model)
    code = dictionary.encode(read_midi(arguments.take))
    files, codes = [], []
    library = expand(arguments.library)
    for path in library:
        try:
            # Compared are means over time: the whole code of every performance need not be kept.
            codes.append(dictionary.encode(read_midi(path)).mean(axis=1, keepdims=True))
        except InputError as error:
            print_error(error)
            continue
        files.append(path)
    if not files:
        raise InputError(f"none of the {len(library)} performances of the library can be read")
    found = most_similar(code, codes)[: arguments.top]
    result = {
        "take": str(arguments.take),
        "model": dictionary.model.name,
        "library": len(files),
        "similar": [{"take": str(files[index]), "cosine": cosine} for index, cosine in found],
    }
    tell(result, "\n".join(f"{cosine:.3f}  {files[index]}" for index, cosine in found), arguments.json)
    return EXIT_PARTIAL if len(files) < len(library) else 0
