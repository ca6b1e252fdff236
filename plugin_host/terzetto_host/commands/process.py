"""``terzetto process``: recordings through a chain of plugins, as they would sound live."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from terzetto.commands.batch import add_batch_flags, add_format_flags, add_report_flags

HELP = "send audio files through a chain of plugins, as they would sound live"

_EPILOG = """\
a chain file lists the plugins in order:

  [[stage]]
  plugin = "hands"             # Terzetto's own: parameters and messages by name
  score = "take.mid"
  left_gain = -60.0

  [[stage]]
  plugin = "Compressor"        # pedalboard's, with pedalboard's names
  threshold_db = -20.0

  [[stage]]
  vst3 = "/path/to/Some.vst3"  # preset = "some.vstpreset", parameters by name

results keep the format, sample rate, channels, time code and markers of their files; WAV, RF64, Wave64, AIFF and FLAC
up to 7.1 are read and written, MP3 and Ogg are read

examples:
  terzetto process chain.toml take.wav -o out/
  terzetto process chain.toml takes/ --score 'scores/{track}.mid' -o out/ --flac
  terzetto process chain.toml 'stems/**/*.wav' -o out/ -j 8 --dry-run

a batch that was interrupted goes on where it was when the same command is given again: see manifest.jsonl in --out

exit status: 0 done, 1 some files of several failed, 2 nothing was done, 130 interrupted
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("chain", type=Path, metavar="CHAIN", help="chain file (TOML)")
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="audio file; or a folder, a pattern in quotes ('stems/**/*.wav'), a URL: their tree is kept",
    )
    parser.add_argument(
        "--score",
        metavar="FILE",
        help="score for the chain's hands; {track} stands for the file's name without its ending",
    )
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--out", default="processed", help="folder, or URL (default: processed/)")
    output.add_argument(
        "--filename", default="{track}.{ext}", metavar="PATTERN", help="where results go in it (default: {track}.{ext})"
    )
    add_format_flags(output, default=None)
    output.add_argument(
        "--tail",
        default="0",
        metavar="SECONDS",
        help="let the end sound on for so long; auto: until it is silent, a minute at most (default: 0, exact length)",
    )
    add_report_flags(output)
    add_batch_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Process every file; one bad file of several is reported and the rest goes on."""
    from terzetto.jobs import run_job
    from terzetto_host.process import Job

    def tell(result: dict[str, Any]) -> None:
        for text in result["said"]:
            print(f"terzetto: {result['take']}: {text}", file=sys.stderr)
        print(f"{result['take']} → {result['out']}")
        if result["gain_db"]:
            print(f"terzetto: {result['take']}: turned down by {-result['gain_db']:.2f} dB to fit", file=sys.stderr)
        if result["clamped"]:
            print(f"terzetto: {result['take']}: {result['clamped']} values limited to full scale", file=sys.stderr)

    return run_job(Job.from_arguments(arguments), arguments.files, arguments, tell)
