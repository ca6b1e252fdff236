"""``terzetto evaluate transcription``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "note F1 of transcriptions of takes whose notes are known"
DESCRIPTION = (
    "Transcribe every take of a folder (NAME.wav, .flac, .mp3 … or NAME.lh.flac with NAME.rh.flac) and compare with "
    "NAME.mid or NAME.csv: F1 of notes by onset, onset and end, velocity, and of frames."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the task's arguments."""
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of the takes and their notes")
    parser.add_argument("--model", default="transcription", metavar="NAME", help="installed model, or an .onnx file")
    parser.add_argument(
        "--shift", action="store_true", help="first remove what onsets are late by throughout (an MP3 begins late)"
    )


def run(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Measure; see `terzetto.evaluate.transcription`."""
    from terzetto.evaluate import transcription

    results = transcription.evaluate(arguments.data, transcription.by_model(arguments.model), shift=arguments.shift)
    return results, transcription.table(results)
