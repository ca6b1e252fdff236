"""``terzetto piano variance``: where a performance leaves the patterns that come again."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.options import add_json_flag, tell
from terzetto.commands.piano.options import add_dictionary_flag

HELP = "show where a performance is none of what comes again: the reconstruction error over time"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("take", type=Path, metavar="TAKE.mid", help="MIDI file of a piano performance")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE.png", help="draw the notes and the error below them")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="how many moments are told (default: 5)")
    add_dictionary_flag(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Encode, compare, tell, draw."""
    from terzetto.analysis.performance_dictionary import open_performance_dictionary
    from terzetto.analysis.performance_drawing import draw_shift_variance
    from terzetto.analysis.performance_edits import shift_variance
    from terzetto.errors import InputError
    from terzetto.score.midi import read_midi

    if arguments.top < 1:
        raise InputError(f"--top {arguments.top}: give 1 or more")
    if arguments.out is not None and arguments.out.suffix.lower() != ".png":
        raise InputError(f"{arguments.out}: the name of a picture ends in .png")
    dictionary = open_performance_dictionary(arguments.model)
    score = read_midi(arguments.take)
    times, error = shift_variance(dictionary, score)
    if arguments.out is not None:
        draw_shift_variance(score, times, error, arguments.out)
    top = error.argsort(kind="stable")[::-1][: arguments.top].tolist()
    result = {
        "take": str(arguments.take),
        "model": dictionary.model.name,
        "picture": str(arguments.out) if arguments.out is not None else None,
        "mean": float(error.mean()),
        "seconds": times.tolist(),
        "error": error.tolist(),
    }
    line = "\n".join(f"{times[i]:8.2f} s  {error[i]:.3f}" for i in top)
    tell(result, f"mean error {error.mean():.3f}; highest:\n{line}", arguments.json)
    return 0
