"""``terzetto align``: a take and its sheet in, the sheet in the take's time out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from terzetto.commands.batch import add_report_flags

HELP = "find the times of a sheet's notes in a recording of it, and write them as MIDI"

_EPILOG = """\
examples:
  terzetto align take.wav --score sheet.musicxml -o take.mid
  terzetto align take.wav --score sheet.krn --repeats --json

exit status: 0 done, 2 nothing was done, 130 interrupted
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("take", type=Path, metavar="TAKE", help="audio file, any sample rate")
    parser.add_argument("--score", required=True, metavar="SHEET", help="MusicXML, kern, MIDI or CSV, in any tempo")
    add_score_flags(parser.add_argument_group("score"))
    parser.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="where the MIDI goes (default: the take's name with .mid)"
    )
    add_report_flags(parser.add_argument_group("output"))


def add_score_flags(group: argparse._ArgumentGroup) -> None:
    """Add what says how a score is read; see `terzetto.score.read.read_score`."""
    group.add_argument("--left-track", metavar="N", help="track (number from 1, or name) that the left hand plays")
    group.add_argument("--right-track", metavar="N", help="track (number from 1, or name) that the right hand plays")
    group.add_argument("--split-pitch", type=int, metavar="P", help="notes below this MIDI pitch are the left hand's")
    group.add_argument("--repeats", action="store_true", help="play the repeat signs of a MusicXML or kern sheet")


def tell_alignment(take: Path | str, report: dict[str, Any]) -> None:
    """Say on standard error how an alignment went."""
    print(
        f"terzetto: {take}: aligned, cost {report['cost']:.2f} (at most {report['threshold']:g}), "
        f"confidence {report['confidence']:.0%}",
        file=sys.stderr,
    )
    for finding in report["findings"]:
        print(f"terzetto: {take}: {finding}", file=sys.stderr)


def run(arguments: argparse.Namespace) -> int:
    """Align the take and write the MIDI file whole or not at all."""
    import json
    import tempfile

    from terzetto.audio.files import FileTake
    from terzetto.errors import InputError, OutputError
    from terzetto.progress import choose
    from terzetto.score.alignment import align
    from terzetto.score.midi import write_midi
    from terzetto.score.read import read_score
    from terzetto.whole_file import refuse_replacing

    out: Path = arguments.out or arguments.take.with_suffix(".mid")
    refuse_replacing(out, arguments.take, Path(arguments.score))
    with FileTake(arguments.take) as take, choose(arguments.progress, arguments.take.name) as progress:
        choices = {name: getattr(arguments, name) for name in ("left_track", "right_track", "split_pitch", "repeats")}
        try:
            score = read_score(arguments.score, **choices)
        except InputError:  # one that does not tell the hands has times all the same
            score = read_score(arguments.score, need_hands=False, **choices)
        found = align(take, score, progress)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".terzetto-", dir=out.parent) as workshop:
            written = Path(workshop) / "score.mid"
            write_midi(found.score, written)
            written.replace(out)
    except OSError as error:
        raise OutputError(f"{out}: could not be written ({getattr(error, 'strerror', None) or error})") from None
    report = found.to_json()
    if arguments.json:
        result = {"take": str(arguments.take), "score": arguments.score, "midi": str(out), "notes": len(found.score)}
        print(json.dumps({**result, **report}, indent=2))
    else:
        tell_alignment(arguments.take, report)
        print(f"{arguments.take} → {out}")
    return 0
