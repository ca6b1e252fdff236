"""What the commands share that edit a beat by the dictionary: one beat in, one beat out, as long as it was."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from terzetto.commands.drums.options import add_json_flag, add_reading_flags, midi_file, read, tell

if TYPE_CHECKING:
    from terzetto.drums.dictionary import Dictionary
    from terzetto.drums.grid import Hvo


def add_dictionary_model_flag(group: argparse._ActionsContainer) -> None:
    """Add ``--model`` for the dictionary."""
    group.add_argument("--model", default="", metavar="NAME", help="installed drum dictionary, or an .onnx file")


def add_dictionary_flags(parser: argparse.ArgumentParser) -> None:
    """Add what every such command takes."""
    parser.add_argument("beat", type=Path, metavar="BEAT.mid", help="MIDI file with drums")
    parser.add_argument("-o", "--out", type=midi_file, required=True, metavar="FILE", help="MIDI file")
    add_dictionary_model_flag(parser)
    add_json_flag(parser)
    add_reading_flags(parser)


def edit(arguments: argparse.Namespace, change: Callable[[Dictionary, list[Hvo]], list[Hvo]]) -> int:
    """Read a beat, change its bars, write them at its tempo, and tell what became of the hits."""
    from terzetto.drums.dictionary import open_dictionary
    from terzetto.drums.grid import hvo_to_beat
    from terzetto.drums.midi import write_beat

    dictionary = open_dictionary(arguments.model)
    beat, before = read(arguments.beat, arguments)
    after = change(dictionary, before)[: len(before)]
    write_beat(arguments.out, hvo_to_beat(after, tempo=beat.tempo, drum_map=beat.drum_map))
    was, now = (sum(int(bar.hits.sum()) for bar in bars) for bars in (before, after))
    stayed = sum(int((one.hits & other.hits).sum()) for one, other in zip(before, after, strict=True))
    result = {
        "take": str(arguments.beat),
        "midi": str(arguments.out),
        "model": dictionary.model.name,
        "bars": len(after),
        "hits_before": was,
        "hits": now,
        "hits_removed": was - stayed,
        "hits_added": now - stayed,
    }
    line = f"{arguments.out}: {now} hits of {was}, {was - stayed} removed, {now - stayed} added"
    tell(result, line, arguments.json)
    return 0
