"""What the piano commands share: one performance in, one performance out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from terzetto.commands.drums.options import add_json_flag, midi_file, tell

if TYPE_CHECKING:
    from terzetto.analysis.performance_dictionary import PerformanceDictionary
    from terzetto.score.notes import Score


def add_dictionary_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``--model``."""
    parser.add_argument(
        "--model",
        default="",
        metavar="NAME",
        help="dictionary of performances, or an .onnx file (default: what terzetto train performance-dictionary made)",
    )


def add_edit_flags(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes that makes one performance of another."""
    parser.add_argument("take", type=Path, metavar="TAKE.mid", help="MIDI file of a piano performance")
    parser.add_argument("-o", "--out", type=midi_file, required=True, metavar="FILE", help="MIDI file")
    add_dictionary_flag(parser)
    add_json_flag(parser)


def edit(arguments: argparse.Namespace, change: Callable[[PerformanceDictionary, Score], Score], *others: Path) -> int:
    """Read a performance, change it, write it, and tell how many notes there were and are.

    Nothing is written where nothing is left, nor over the performance or the others that are used.
    """
    from terzetto.analysis.performance_dictionary import open_performance_dictionary
    from terzetto.errors import InputError
    from terzetto.score.midi import read_midi, write_midi
    from terzetto.whole_file import refuse_replacing

    refuse_replacing(arguments.out, arguments.take, *others)
    dictionary = open_performance_dictionary(arguments.model)
    before = read_midi(arguments.take)
    after = change(dictionary, before)
    if not len(after):
        raise InputError(f"{arguments.take}: none of its {len(before)} notes is left; nothing was written")
    write_midi(after, arguments.out)
    result = {
        "take": str(arguments.take),
        "midi": str(arguments.out),
        "model": dictionary.model.name,
        "notes_before": len(before),
        "notes": len(after),
    }
    tell(result, f"{arguments.out}: {len(after)} notes of {len(before)}", arguments.json)
    return 0
