"""``terzetto drums interpolate``: two beats in, the beats between them out."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.options import ENDINGS, add_json_flag, add_model_flag, add_reading_flags, read, tell, tempo

HELP = "make the beats between two beats"

_EPILOG = """\
examples:
  terzetto drums interpolate verse.mid chorus.mid --steps 8 -o way.mid
  terzetto drums interpolate verse.mid chorus.mid --steps 5 -o way/
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("first", type=Path, metavar="A.mid", help="where it begins")
    parser.add_argument("second", type=Path, metavar="B.mid", help="where it ends; the shorter of the two is repeated")
    parser.add_argument("--steps", type=int, default=8, metavar="N", help="beats, both ends included (default: 8)")
    parser.add_argument("--tempo", type=tempo, metavar="BPM", help="(default: A's)")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        metavar="PATH",
        help="a MIDI file (.mid): one step after another; or a folder: a file for each step",
    )
    add_model_flag(parser)
    add_json_flag(parser)
    add_reading_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Interpolate and write."""
    from terzetto.drums.generation import between
    from terzetto.drums.grid import hvo_to_beat
    from terzetto.drums.midi import write_beat
    from terzetto.drums.patterns import open_pattern_model

    model = open_pattern_model(arguments.model)
    beat, first = read(arguments.first, arguments)
    _, second = read(arguments.second, arguments)
    steps = between(model, first, second, arguments.steps)
    bpm = arguments.tempo or beat.tempo
    if arguments.out.suffix.lower() in ENDINGS:
        parts = {arguments.out: [bar for step in steps for bar in step]}
    else:
        digits = len(str(len(steps)))
        parts = {arguments.out / f"step_{n:0{digits}}.mid": step for n, step in enumerate(steps, 1)}
    for path, bars in parts.items():
        write_beat(path, hvo_to_beat(bars, tempo=bpm, drum_map=beat.drum_map))
    result = {
        "midi": [str(path) for path in parts],
        "model": model.model.name,
        "steps": arguments.steps,
        "bars": len(steps[0]),
        "tempo": bpm,
        "hits": [sum(int(bar.hits.sum()) for bar in step) for step in steps],
    }
    tell(result, f"{arguments.out}: {arguments.steps} steps of {len(steps[0])} bars", arguments.json)
    return 0
