"""``terzetto drums similar``: which beats of a folder are most like one."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.dictionary_options import add_dictionary_model_flag
from terzetto.commands.drums.options import add_json_flag, add_reading_flags, expand, read, tell

HELP = "find the beats most like one: by the cosine of their codes in the dictionary"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("beat", type=Path, metavar="BEAT.mid", help="what is looked for")
    parser.add_argument("library", nargs="+", type=Path, metavar="LIBRARY", help="MIDI files with drums, or folders")
    parser.add_argument("--top", type=int, default=10, metavar="N", help="how many are told (default: 10)")
    add_dictionary_model_flag(parser)
    add_json_flag(parser)
    add_reading_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Encode all, compare, tell; one bad file of several is reported and the rest goes on."""
    from terzetto.cli import EXIT_PARTIAL, print_error
    from terzetto.drums.dictionary import open_dictionary
    from terzetto.drums.dictionary_edits import most_similar
    from terzetto.errors import InputError

    if arguments.top < 1:
        raise InputError(f"--top {arguments.top}: give 1 or more")
    dictionary = open_dictionary(arguments.model)
    code = dictionary.encode(read(arguments.beat, arguments)[1])
    files, codes = [], []
    library = expand(arguments.library)
    for path in library:
        try:
            codes.append(dictionary.encode(read(path, arguments)[1]))
        except InputError as error:
            print_error(error)
            continue
        files.append(path)
    if not files:
        raise InputError(f"none of the {len(library)} beats of the library can be read")
    found = most_similar(code, codes)[: arguments.top]
    result = {
        "take": str(arguments.beat),
        "model": dictionary.model.name,
        "library": len(files),
        "similar": [{"take": str(files[index]), "cosine": cosine} for index, cosine in found],
    }
    tell(result, "\n".join(f"{cosine:.3f}  {files[index]}" for index, cosine in found), arguments.json)
    return EXIT_PARTIAL if len(files) < len(library) else 0
