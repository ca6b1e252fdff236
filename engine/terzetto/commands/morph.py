"""``terzetto morph``: recordings in, the same music in another timbre out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terzetto.commands.batch import add_batch_flags, add_format_flags, add_report_flags
from terzetto.commands.sound_out import format_for, split_out

if TYPE_CHECKING:
    from terzetto.timbre.morph_job import MorphJob

_SILENT = -100.0  # dBTP

HELP = "turn a sound into another: cross-synthesis, hybrids and morphs"

_EPILOG = """\
what comes out
  a hybrid inherits features from both sounds (--amount 1, the default); a morph lies between them: between the source
  and the hybrid (--amount 0 to 1), between two timbres (--to A --to B --balance), or between the instruments of one
  model (--pad)

methods
  xsynth      a trained model plays the source's notes with its own timbre; --to takes a model's name (terzetto models
              --task timbre), NAME:INSTRUMENT for one instrument of several, or an .onnx file
  envelope    the spectral envelope of one sound on the flattened spectrum of the other (cross-synthesis, vocoding);
              as the slides have it the target is flattened: its notes speak with the source's voice; --flatten source
              the other way round
  mosaic      every frame of the source is replaced by the frame of the target that is most like it

  bee         a mosaic of several of them at once (mosaic with --let-it-bee)

  without --method a model is played by xsynth and a recording hybridised by envelope

options of the methods, as --option NAME=VALUE
  envelope    lifter (seconds of quefrency), true_envelope (true: rest it on the partials)
  mosaic      neighbours (of how many alike frames one is taken), continuity (0 jumps, 1 plays passages on)
  bee         transpose (semitones up and down that the target may be used transposed), polyphony, repetition,
              continuity, iterations; look_ahead (frames, as if it were live: worse than the whole file)

examples
  terzetto morph voice.wav --to timbre_instruments:cello -o cello.wav
  terzetto morph voice.wav --to sax.wav --method envelope --flatten source --amount 0.7 -o out.wav
  terzetto morph voice.wav --to bees.wav --let-it-bee -o bees-sing.wav
  terzetto morph voice.wav --to a.onnx --to b.onnx --balance 0.5 -o between.wav
  terzetto morph takes/ --to timbre_instruments --pad 0.2 0.8 --flac -o morphed/ -j 2

What the plugin plays with the same settings is the same sound (but for what it does not have: bee, --option, --length
longest). A batch that was interrupted goes on where it was when the same command is given again.

exit status: 0 done, 1 some files of several failed, 2 nothing was done, 130 interrupted
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="audio file, mono or stereo, any sample rate; or a folder, a pattern in quotes, a URL",
    )
    timbre = parser.add_argument_group("timbre")
    timbre.add_argument(
        "--to",
        action="append",
        required=True,
        metavar="MODEL|TARGET",
        help="what the timbre comes from: a model's name or .onnx file, or a recording; twice: two, see --balance",
    )
    timbre.add_argument("--method", metavar="NAME", help="xsynth, envelope, mosaic or an installed one")
    timbre.add_argument(
        "--amount", type=float, default=1.0, metavar="A", help="0 the source, untouched, 1 the hybrid (default: 1)"
    )
    timbre.add_argument(
        "--balance", type=float, default=0.0, metavar="B", help="between two --to: 0 the first (default), 1 the second"
    )
    timbre.add_argument(
        "--pad",
        type=float,
        nargs=2,
        metavar=("X", "Y"),
        help="where on the pad of a model of several instruments, 0 to 1 each (default: where --to is)",
    )
    timbre.add_argument(
        "--follow",
        type=float,
        default=1.0,
        metavar="F",
        help="1: as loud as the source, moment by moment (default); 0: as loud as the method makes it",
    )
    timbre.add_argument("--low-latency", action="store_true", help="half the window: as the plugin's short one")
    timbre.add_argument(
        "--flatten", choices=["target", "source"], help="envelope: whose envelope is taken away (default: target)"
    )
    timbre.add_argument(
        "--let-it-bee",
        action="store_true",
        help="mosaic: of several frames of the target at once, found for the whole file (Driedger et al. 2015)",
    )
    timbre.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another one of the method's own, see above; can be given again",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "-o", "--out", default="morphed", help="for one source a file (.wav, .flac); else a folder, or a URL (morphed/)"
    )
    output.add_argument(
        "--filename", default="{track}.{ext}", metavar="PATTERN", help="where results go in it (default: {track}.{ext})"
    )
    output.add_argument(
        "--length",
        choices=["source", "longest"],
        default="source",
        help="longest: as long as the longer of source and target, the other repeated (default: source)",
    )
    add_format_flags(output, None)
    add_report_flags(output)
    add_batch_flags(parser)
    parser.set_defaults(score=None)


def run(arguments: argparse.Namespace) -> int:
    """Morph every file; one bad file of several is reported and the rest goes on."""
    from terzetto.jobs import run_job

    def tell(result: dict[str, Any]) -> None:
        for text in result["said"]:
            print(f"terzetto: {result['take']}: {text}", file=sys.stderr)
        print(told(result))

    name = split_out(arguments, arguments.sources, "sources")
    job = job_of(arguments, name)
    job.check()
    return run_job(job, arguments.sources, arguments, tell)


def job_of(arguments: argparse.Namespace, name: str) -> MorphJob:
    """Return what the flags ask for; ``name`` is the result's, if it is a single file.

    Raises
    ------
    InputError
        Options that do not go together, or out of range.
    """
    from terzetto.errors import InputError
    from terzetto.timbre.conversion import Controls
    from terzetto.timbre.methods import read_options
    from terzetto.timbre.morph import Morph
    from terzetto.timbre.morph_job import MorphJob
    from terzetto.timbre.naming import method_for

    method = arguments.method or method_for(arguments.to[0])
    if arguments.let_it_bee:
        if arguments.method not in (None, "mosaic", "bee"):
            raise InputError(f"--let-it-bee makes a mosaic; it does not go with --method {arguments.method}")
        method = "bee"
    texts = [*([f"flatten={arguments.flatten}"] if arguments.flatten else []), *arguments.option]
    morph = Morph(
        method,
        tuple(arguments.to),
        Controls(
            arguments.amount, tuple(arguments.pad) if arguments.pad else None, arguments.balance, arguments.follow
        ),
        arguments.low_latency,
        read_options(method, texts),
        arguments.length == "longest",
    )
    # A name is no pattern: braces in it are meant.
    pattern = name.replace("{", "{{").replace("}", "}}") or arguments.filename
    return MorphJob(morph, pattern, format_for(arguments.format, name), arguments.clip_mode)


def told(result: dict[str, Any]) -> str:
    """Return a line that says what came out, in the slides' words."""
    names = [Path(name).name for name in result["to"]]
    timbre = names[0] if len(names) == 1 else f"{names[0]} and {names[1]} ({result['balance']:g})"
    what = f"{result['kind']} with {timbre}" if result["kind"] != "source" else "the source, untouched"
    if result["kind"] == "morph" and result["amount"] < 1.0:
        what = f"{result['amount']:g} of the way to {timbre}: a morph"
    if result["pad"] is not None:
        what += " at {:g}, {:g}".format(*result["pad"])
    loudness = result["loudness"]["out"]
    level, peak = "silence", loudness["true_peak_dbtp"]
    if loudness["lufs"] is not None:
        level = f"{loudness['lufs']:.1f} LUFS"
    elif peak is not None and peak > _SILENT:  # shorter than what a loudness is measured of, 0.4 s
        level = f"peak {peak:.1f} dBTP"
    line = f"{result['take']} → {result['out']}: {what} ({result['method']}), {result['seconds']:.2f} s, {level}"
    if result["gain_db"]:
        line += f"; turned down by {-result['gain_db']:.2f} dB to fit"
    return f"{line}; {result['clamped']} values limited to full scale" if result["clamped"] else line
