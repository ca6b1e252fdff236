"""``terzetto piano interpolate``: two performances in, the performances between them out."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.options import ENDINGS, add_json_flag, tell
from terzetto.commands.piano.options import add_dictionary_flag

HELP = "make the performances between two performances, or change a passage of one into another's"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("first", type=Path, metavar="A.mid", help="where it begins")
    parser.add_argument("second", type=Path, metavar="B.mid", help="where it ends; the shorter of the two is repeated")
    parser.add_argument("--steps", type=int, default=5, metavar="N", help="both ends included (default: 5)")
    parser.add_argument(
        "--only", type=_seconds, metavar="FROM-TO", help="seconds of A that change, such as 4-8.5; the others stay A's"
    )
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FOLDER", help="for a MIDI file of each step")
    add_dictionary_flag(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Interpolate and write."""
    from terzetto.analysis.codes import interpolate
    from terzetto.analysis.performance_dictionary import open_performance_dictionary
    from terzetto.analysis.performance_edits import columns_between
    from terzetto.errors import InputError
    from terzetto.score.midi import read_midi, write_midi
    from terzetto.whole_file import refuse_replacing

    if arguments.out.suffix.lower() in ENDINGS:
        raise InputError(f"{arguments.out}: give a folder; each step is a MIDI file of its own in it")
    dictionary = open_performance_dictionary(arguments.model)
    first, second = read_midi(arguments.first), read_midi(arguments.second)
    columns = None if arguments.only is None else columns_between(dictionary, first, *arguments.only)
    codes = interpolate(dictionary.encode(first), dictionary.encode(second), arguments.steps, columns)
    paths, notes = [], []
    for number, code in enumerate(codes, 1):
        step = dictionary.decode(code)
        path = arguments.out / f"step_{number:0{len(str(len(codes)))}}.mid"
        refuse_replacing(path, arguments.first, arguments.second)
        write_midi(step, path)
        paths.append(str(path))
        notes.append(len(step))
    result = {"midi": paths, "model": dictionary.model.name, "steps": arguments.steps, "notes": notes}
    tell(result, f"{arguments.out}: {arguments.steps} steps of {min(notes)} to {max(notes)} notes", arguments.json)
    return 0


def _seconds(text: str) -> tuple[float, float]:
    start, _, stop = text.partition("-")
    try:
        span = float(start), float(stop)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: give seconds as 4-8.5") from None
    if not 0 <= span[0] < span[1] < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: give seconds as 4-8.5, the later second")
    return span
