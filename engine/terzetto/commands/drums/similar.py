"""``terzetto drums similar``: which beats of a folder are most like one."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.dictionary_options import add_dictionary_model_flag
from terzetto.commands.drums.options import add_json_flag, add_reading_flags, read
from terzetto.commands.similarity import add_library_flags, tell_most_similar

HELP = "find the beats most like one: by the cosine of their codes in the dictionary"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("beat", type=Path, metavar="BEAT.mid", help="what is looked for")
    add_library_flags(parser, "MIDI files with drums, or folders")
    add_dictionary_model_flag(parser)
    add_json_flag(parser)
    add_reading_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare and tell."""
    from terzetto.drums.dictionary import open_dictionary
    from terzetto.errors import InputError

    if arguments.top < 1:
        raise InputError(f"--top {arguments.top}: give 1 or more")
    dictionary = open_dictionary(arguments.model)
    return tell_most_similar(
        arguments.beat,
        arguments,
        dictionary.model.name,
        lambda path: dictionary.encode(read(path, arguments)[1]),
        "beats",
    )
