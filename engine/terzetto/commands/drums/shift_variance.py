"""``terzetto drums shift-variance``: where a beat is none of the patterns that the dictionary knows."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.dictionary_options import add_dictionary_model_flag
from terzetto.commands.drums.options import add_json_flag, add_reading_flags, picture, read, tell

HELP = "tell bar by bar how far a beat is from what the dictionary makes of it, and draw it step by step"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("beat", type=Path, metavar="BEAT.mid", help="MIDI file with drums")
    parser.add_argument("-o", "--out", type=picture, metavar="FILE", help="PNG file: the beat, and its error over time")
    add_dictionary_model_flag(parser)
    add_json_flag(parser)
    add_reading_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure, draw, tell."""
    from terzetto.drums.dictionary import open_dictionary
    from terzetto.drums.dictionary_drawing import draw_shift_variance
    from terzetto.drums.dictionary_edits import shift_variance, shift_variance_of_bars

    dictionary = open_dictionary(arguments.model)
    _, bars = read(arguments.beat, arguments)
    by_bar = shift_variance_of_bars(dictionary, bars)
    if arguments.out is not None:
        draw_shift_variance(dictionary, bars, arguments.out)
    result = {
        "take": str(arguments.beat),
        "model": dictionary.model.name,
        "bars": by_bar.tolist(),
        "steps": shift_variance(dictionary, bars).tolist(),
        "picture": None if arguments.out is None else str(arguments.out),
    }
    lines = [f"bar {number}: {error:.4f}" for number, error in enumerate(by_bar, 1)]
    tell(result, "\n".join([*lines, *([str(arguments.out)] if arguments.out else [])]), arguments.json)
    return 0
