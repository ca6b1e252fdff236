"""``terzetto drums encode``: beats in, points of the latent space out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from terzetto.commands.batch import add_batch_flags, add_report_flags
from terzetto.commands.drums.options import add_model_flag, add_reading_flags, expand, reading_of

HELP = "tell where beats lie in the latent space and on the map, bar by bar"

_EPILOG = """\
examples:
  terzetto drums encode beat.mid
  terzetto drums encode loops/ --json > points.json
  terzetto drums encode loops/ -o points/ -j 2

With --out each beat gets a JSON file; a batch that was stopped goes on where it was.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "beats",
        nargs="+",
        metavar="BEAT",
        help="MIDI file with drums, or a folder of them; with --out also a pattern in quotes, a URL",
    )
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--out", metavar="FOLDER", help="write a JSON file for each beat there (or to a URL)")
    add_model_flag(output)
    add_report_flags(output)
    add_reading_flags(parser)
    add_batch_flags(parser)
    parser.set_defaults(score=None)


def run(arguments: argparse.Namespace) -> int:
    """Encode every beat; one bad file of several is reported and the rest goes on."""
    from terzetto.commands.batch import run_batch
    from terzetto.drums.beat_files import EncodeJob
    from terzetto.errors import InputError
    from terzetto.jobs import run_job

    def tell(result: dict[str, Any]) -> None:
        for bar, each in enumerate(result["bars"], 1):
            x, y = each["pad"]
            print(f"{result['take']} bar {bar}: ({x:.2f}, {y:.2f}), {each['hits']} hits")

    def tell_file(result: dict[str, Any]) -> None:
        print(f"{result['take']} → {result['points']}")

    job = EncodeJob(arguments.model, reading_of(arguments))
    job.check()
    if arguments.out is not None:
        if arguments.out.endswith(".json"):
            raise InputError(f"--out {arguments.out}: give a folder, each beat gets a file in it; or --json > FILE")
        return run_job(job, arguments.beats, arguments, tell_file)
    return run_batch(
        expand([Path(beat) for beat in arguments.beats]),
        lambda path: job.encode(path, str(path)),
        lambda path, result: None if arguments.json else tell(result),
        arguments.json,
    )
