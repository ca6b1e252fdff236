"""``terzetto drums interpolate``: two beats in, the beats between them out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from terzetto.commands.drums.options import ENDINGS, add_json_flag, add_reading_flags, read, tell, tempo

if TYPE_CHECKING:
    from terzetto.drums.grid import Hvo

HELP = "make the beats between two beats"

_EPILOG = """\
examples:
  terzetto drums interpolate verse.mid chorus.mid --steps 8 -o way.mid
  terzetto drums interpolate verse.mid chorus.mid --steps 5 -o way/
  terzetto drums interpolate verse.mid chorus.mid --only 3-4 --by atoms -o way.mid
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("first", type=Path, metavar="A.mid", help="where it begins")
    parser.add_argument("second", type=Path, metavar="B.mid", help="where it ends; the shorter of the two is repeated")
    parser.add_argument("--steps", type=int, default=8, metavar="N", help="beats, both ends included (default: 8)")
    parser.add_argument("--only", type=_bars, metavar="FROM-TO", help="bars that change, from 1; the others stay A's")
    parser.add_argument(
        "--by",
        default="latent",
        choices=["latent", "atoms"],
        help="through the latent space of patterns, or by the dictionary's codes (default: latent)",
    )
    parser.add_argument("--tempo", type=tempo, metavar="BPM", help="(default: A's)")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        metavar="PATH",
        help="a MIDI file (.mid): one step after another; or a folder: a file for each step",
    )
    parser.add_argument("--model", default="", metavar="NAME", help="installed model of that kind, or an .onnx file")
    add_json_flag(parser)
    add_reading_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Interpolate and write."""
    from terzetto.drums.grid import hvo_to_beat
    from terzetto.drums.midi import write_beat
    from terzetto.errors import InputError
    from terzetto.whole_file import refuse_replacing

    beat, first = read(arguments.first, arguments)
    _, second = read(arguments.second, arguments)
    length = max(len(first), len(second))
    if arguments.only is not None and arguments.only.stop > length:
        raise InputError(f"--only: there is no bar {arguments.only.stop}; the longer beat has {length}")
    name, steps = (_by_atoms if arguments.by == "atoms" else _by_latent)(arguments, first, second)
    bpm = arguments.tempo or beat.tempo
    if arguments.out.suffix.lower() in ENDINGS:
        parts = {arguments.out: [bar for step in steps for bar in step]}
    else:
        digits = len(str(len(steps)))
        parts = {arguments.out / f"step_{n:0{digits}}.mid": step for n, step in enumerate(steps, 1)}
    for path in parts:
        refuse_replacing(path, arguments.first, arguments.second)
    for path, bars in parts.items():
        write_beat(path, hvo_to_beat(bars, tempo=bpm, drum_map=beat.drum_map))
    result = {
        "midi": [str(path) for path in parts],
        "model": name,
        "steps": arguments.steps,
        "bars": len(steps[0]),
        "tempo": bpm,
        "hits": [sum(int(bar.hits.sum()) for bar in step) for step in steps],
    }
    tell(result, f"{arguments.out}: {arguments.steps} steps of {len(steps[0])} bars", arguments.json)
    return 0


def _by_latent(arguments: argparse.Namespace, first: list[Hvo], second: list[Hvo]) -> tuple[str, list[list[Hvo]]]:
    from terzetto.drums.generation import between
    from terzetto.drums.patterns import open_pattern_model

    model = open_pattern_model(arguments.model)
    return model.model.name, between(model, first, second, arguments.steps, arguments.only)


def _by_atoms(arguments: argparse.Namespace, first: list[Hvo], second: list[Hvo]) -> tuple[str, list[list[Hvo]]]:
    from terzetto.drums.dictionary import open_dictionary
    from terzetto.drums.dictionary_edits import interpolate
    from terzetto.drums.grid import STEPS

    dictionary = open_dictionary(arguments.model)
    columns = None
    if arguments.only is not None:
        # A column is a kernel of sixteenths; one that reaches into a bar that changes changes.
        start, stop = (STEPS * bar for bar in (arguments.only.start, arguments.only.stop))
        columns = slice(start // dictionary.kernel, -(-stop // dictionary.kernel))
    codes = interpolate(dictionary.encode(first), dictionary.encode(second), arguments.steps, columns)
    length = max(len(first), len(second))
    return dictionary.model.name, [dictionary.decode(code)[:length] for code in codes]


def _bars(text: str) -> slice:
    start, _, stop = text.partition("-")
    if not (start.isascii() and start.isdigit() and (not stop or (stop.isascii() and stop.isdigit()))):
        raise argparse.ArgumentTypeError(f"{text!r}: give bars as 3 or 3-4, from 1")
    first, last = int(start), int(stop or start)
    if not 1 <= first <= last:
        raise argparse.ArgumentTypeError(f"{text!r}: give bars as 3 or 3-4, from 1")
    return slice(first - 1, last)
