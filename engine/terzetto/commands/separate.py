"""``terzetto separate``: takes, with their scores or without, in; stems out."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from terzetto.commands import whole_number
from terzetto.commands.align import add_score_flags, tell_alignment
from terzetto.commands.batch import add_batch_flags, add_format_flags, add_report_flags

HELP = "separate a piano recording into its left and right hand"

_EPILOG = """\
examples:
  terzetto separate take.wav
  terzetto separate take.wav --score take.mid -o out/
  terzetto separate takes/ --score 'scores/{track}.mid' -o out/ --flac -j 4
  terzetto separate take.wav --score take.mid --split-pitch 60 --plots
  terzetto separate take.wav --score sheet.musicxml --align

exit status: 0 done, 1 some takes of several failed, 2 nothing was done, 130 interrupted
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "takes",
        nargs="+",
        metavar="TAKE",
        help="audio file, mono or stereo, any sample rate; or a folder, a pattern in quotes, a URL",
    )
    score = parser.add_argument_group("score")
    score.add_argument(
        "--score",
        metavar="FILE",
        help="the take's notes (MIDI, MusicXML, kern, CSV); {track}: the take's name without its ending. Without a "
        "score the notes are heard from the take, and kept as score.mid",
    )
    add_score_flags(score)
    score.add_argument(
        "--align", action="store_true", help="find the score's times in the take; they are written as score.mid too"
    )
    method = parser.add_argument_group("method")
    method.add_argument("--method", default="nmf", metavar="NAME", help="nmf, nae or an installed one (default: nmf)")
    method.add_argument("--by", default="hand", choices=["hand", "pitch", "note", "track"], help="what becomes a stem")
    method.add_argument(
        "--mask",
        default=None,
        choices=["coherent", "wiener", "ratio"],
        help="how stems are cut out of the take (default: coherent for hands, else wiener)",
    )
    method.add_argument(
        "--doubt",
        default="share",
        choices=["share", "decide"],
        help="a note whose hand a model told: shared by how likely each hand plays it, or one hand's (default: share)",
    )
    method.add_argument("--loss", default="kl", choices=["kl", "euclidean"], help="what is minimised (default: kl)")
    method.add_argument("--iterations", type=int, metavar="N", help="updates (default: as many as the method needs)")
    method.add_argument("--eps", type=float, default=0.0, help="added to denominators, as in the thesis (1e-7)")
    method.add_argument(
        "--encoder",
        default="fitted",
        choices=["fitted", "informed", "random", "higher"],
        help="how the NAE's encoder starts (default: fitted)",
    )
    method.add_argument("--seed", type=whole_number, default=0, help="for --encoder random (default: 0)")
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--out", default="separated", help="folder, or URL (default: separated/)")
    output.add_argument(
        "--filename",
        default="{track}/{stem}.{ext}",
        metavar="PATTERN",
        help="where stems go in it (default: {track}/{stem}.{ext})",
    )
    add_format_flags(output)
    output.add_argument(
        "--stereo-stage", action="store_true", help="add stage.EXT: the left hand on the left, the right on the right"
    )
    output.add_argument(
        "--plots", action="store_true", help="add PNGs: piano roll, templates, activations, masks, loss"
    )
    add_report_flags(output)
    add_batch_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Separate every take; one bad take of several is reported and the rest goes on."""
    from terzetto.hands.takes import Job
    from terzetto.jobs import run_job

    def tell(result: dict[str, Any]) -> None:
        if "alignment" in result:
            tell_alignment(result["take"], result["alignment"])
        print(f"{result['take']} → {', '.join(str(path) for path in result['stems'].values())}")
        if result["gain_db"]:
            text = f"all stems turned down by {-result['gain_db']:.2f} dB to fit"
            print(f"terzetto: {result['take']}: {text}", file=sys.stderr)
        if result["clamped"]:
            print(f"terzetto: {result['take']}: {result['clamped']} values limited to full scale", file=sys.stderr)

    return run_job(Job.from_arguments(arguments), arguments.takes, arguments, tell)
