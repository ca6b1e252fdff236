"""``terzetto piano similar``: which performances of a folder are most like one."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.options import add_json_flag
from terzetto.commands.piano.options import add_dictionary_flag
from terzetto.commands.similarity import add_library_flags, tell_most_similar

HELP = "find the performances most like one: by the cosine of their codes in the dictionary"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("take", type=Path, metavar="TAKE.mid", help="what is looked for")
    add_library_flags(parser, "MIDI files, or folders of them")
    add_dictionary_flag(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare and tell."""
    from terzetto.analysis.performance_dictionary import open_performance_dictionary
    from terzetto.errors import InputError
    from terzetto.score.midi import read_midi

    if arguments.top < 1:
        raise InputError(f"--top {arguments.top}: give 1 or more")
    dictionary = open_performance_dictionary(arguments.model)
    return tell_most_similar(
        arguments.take,
        arguments,
        dictionary.model.name,
        lambda path: dictionary.encode(read_midi(path)),
        "performances",
    )
