"""``terzetto drums render``: beats and a kit in, sound out."""

from __future__ import annotations

import argparse
from typing import Any

from terzetto.commands.batch import add_batch_flags, add_report_flags
from terzetto.commands.drums.options import add_reading_flags, reading_of
from terzetto.commands.drums.render_options import add_kit_flag, add_render_flags, settings_of, told
from terzetto.commands.sound_out import split_out

HELP = "make sound of beats: a MIDI file and a kit in, audio out"

_EPILOG = """\
examples:
  terzetto drums render beat.mid -o beat.wav
  terzetto drums render beat.mid --kit mine.toml --stems -o beat.flac --sample-rate 48000
  terzetto drums render loops/ --loop --int24 -o rendered/ -j 2

What rings at the end rings out; with --loop the file is exactly as long as the beat, and rings over its seam.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "beats", nargs="+", metavar="BEAT", help="MIDI file with drums; or a folder, a pattern in quotes, a URL"
    )
    add_kit_flag(parser)
    output = parser.add_argument_group("output")
    output.add_argument(
        "-o", "--out", required=True, help="for one beat a file that ends in .wav or .flac; else a folder, or a URL"
    )
    output.add_argument("--loop", action="store_true", help="exactly as long as the beat, to be repeated")
    add_render_flags(output)
    add_report_flags(output)
    add_reading_flags(parser)
    add_batch_flags(parser)
    parser.set_defaults(score=None)


def run(arguments: argparse.Namespace) -> int:
    """Render every beat; one bad file of several is reported and the rest goes on."""
    from terzetto.drums.render_job import RenderJob
    from terzetto.jobs import run_job

    def tell(result: dict[str, Any]) -> None:
        print(told(result))

    name = split_out(arguments, arguments.beats, "beats")
    settings = settings_of(arguments, name)
    job = RenderJob(settings, reading_of(arguments), name)
    job.check()
    return run_job(job, arguments.beats, arguments, tell)
