"""``terzetto transcribe``: piano recordings in, MIDI files out, a track for each hand."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from terzetto.commands.batch import add_report_flags, run_batch

HELP = "write down the notes of a piano recording as MIDI"

_EPILOG = """\
examples:
  terzetto transcribe take.wav -o notes/
  terzetto transcribe takes/*.flac -o notes/ --json

exit status: 0 done, 1 some takes of several failed, 2 nothing was done, 130 interrupted
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "takes", nargs="+", type=Path, metavar="TAKE", help="audio file, mono or stereo, any sample rate"
    )
    parser.add_argument(
        "--model",
        default="transcription",
        metavar="NAME",
        help="installed model, or an .onnx file",
    )
    parser.add_argument("--no-hands", action="store_true", help="write one track, not one for each hand")
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--out", type=Path, default=Path(), help="folder (default: the one you are in)")
    add_report_flags(output)


def run(arguments: argparse.Namespace) -> int:
    """Transcribe every take; one bad take of several is reported and the rest goes on."""
    from terzetto.audio.files import FileTake
    from terzetto.errors import OutputError
    from terzetto.models import find_model
    from terzetto.progress import choose
    from terzetto.score.hand_labels import label_hands, open_labeller_model
    from terzetto.score.midi import write_midi
    from terzetto.score.transcription import TASK, transcribe_with

    model = find_model(TASK, arguments.model)
    labeller = None if arguments.no_hands else open_labeller_model()
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{arguments.out}: could not be made ({error.strerror or error})") from None

    def work(path: Path) -> dict[str, Any]:
        with FileTake(path) as take, choose(arguments.progress, path.name) as progress:
            score = transcribe_with(model, take, progress)
        if labeller is not None:
            score = label_hands(score, labeller)
        midi = arguments.out / f"{path.stem}.mid"
        write_midi(score, midi)
        return {"take": str(path), "midi": str(midi), "notes": len(score), "seconds": score.end}

    def tell(path: Path, result: dict[str, Any]) -> None:
        if not arguments.json:
            print(f"{path} → {result['midi']}: {result['notes']} notes")

    return run_batch(arguments.takes, work, tell, arguments.json)
