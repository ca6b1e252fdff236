"""``terzetto drums drum-map``: the published table, to look at or to edit a copy of."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import BinaryIO

HELP = "print the drum map (MIDI note, drum, class, output note), or write a copy to edit"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="write it there; use it with --drum-map FILE")


def run(arguments: argparse.Namespace) -> int:
    """Print or write the table."""
    from terzetto.drums.drum_map import published_table
    from terzetto.errors import OutputError
    from terzetto.whole_file import write_whole

    if arguments.out is None:
        print(published_table(), end="")
        return 0
    if arguments.out.exists():
        raise OutputError(f"{arguments.out}: is already there, perhaps with your changes; give another name")

    def write(file: BinaryIO) -> None:
        file.write(published_table().encode())

    write_whole(arguments.out, write)
    print(arguments.out)
    return 0
