"""What the commands share that edit a beat by the dictionary: one beat in, one beat out, as long as it was."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terzetto.commands.batch import add_batch_flags, add_report_flags
from terzetto.commands.drums.options import ENDINGS, add_json_flag, add_reading_flags, midi_file, reading_of, tell

if TYPE_CHECKING:
    from terzetto.drums.beat_files import Change


def add_dictionary_model_flag(group: argparse._ActionsContainer) -> None:
    """Add ``--model`` for the dictionary."""
    group.add_argument("--model", default="", metavar="NAME", help="installed drum dictionary, or an .onnx file")


def add_batch_edit_flags(parser: argparse.ArgumentParser) -> None:
    """Add what a command takes that changes one beat, or each of many."""
    parser.add_argument(
        "beats", nargs="+", metavar="BEAT", help="MIDI file with drums; or a folder, a pattern in quotes, a URL"
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "-o", "--out", required=True, metavar="PATH", help="MIDI file (.mid); or a folder, where each keeps its name"
    )
    add_dictionary_model_flag(output)
    add_report_flags(output)
    add_reading_flags(parser)
    add_batch_flags(parser)
    parser.set_defaults(score=None)


def edit_all(arguments: argparse.Namespace, change: Change) -> int:
    """Change one beat into a file, or each of many into a folder, and tell what became of the hits."""
    from terzetto.drums.beat_files import EditJob
    from terzetto.errors import InputError
    from terzetto.jobs import run_job
    from terzetto.whole_file import refuse_replacing

    job = EditJob(change, arguments.model, reading_of(arguments))
    job.check()
    if not arguments.out.lower().endswith(ENDINGS):
        return run_job(job, arguments.beats, arguments, lambda result: print(_line(result)))
    if len(arguments.beats) > 1 or Path(arguments.beats[0]).is_dir():
        raise InputError(f"--out {arguments.out} is one file; for several beats give a folder")
    refuse_replacing(Path(arguments.out), Path(arguments.beats[0]))
    result = job.edit(Path(arguments.beats[0]), arguments.beats[0], Path(arguments.out))
    tell(result, _line(result), arguments.json)
    return 0


def add_dictionary_flags(parser: argparse.ArgumentParser) -> None:
    """Add what a command takes that changes one beat."""
    parser.add_argument("beat", type=Path, metavar="BEAT.mid", help="MIDI file with drums")
    parser.add_argument("-o", "--out", type=midi_file, required=True, metavar="FILE", help="MIDI file")
    add_dictionary_model_flag(parser)
    add_json_flag(parser)
    add_reading_flags(parser)


def edit(arguments: argparse.Namespace, change: Change, *others: Path) -> int:
    """Change a beat into a file, not over it or the others that are used, and tell what became of the hits."""
    from terzetto.drums.beat_files import EditJob
    from terzetto.whole_file import refuse_replacing

    refuse_replacing(arguments.out, arguments.beat, *others)
    job = EditJob(change, arguments.model, reading_of(arguments))
    result = job.edit(arguments.beat, str(arguments.beat), arguments.out)
    tell(result, _line(result), arguments.json)
    return 0


def _line(result: dict[str, Any]) -> str:
    return (
        f"{result['midi']}: {result['hits']} hits of {result['hits_before']}, {result['hits_removed']} removed, "
        f"{result['hits_added']} added"
    )
