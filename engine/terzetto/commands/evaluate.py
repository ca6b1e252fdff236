"""``terzetto evaluate``: how good results are."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from terzetto.commands import whole_number

HELP = "measure results: a folder of separated hands, or a method or model on a data set"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand per task."""
    tasks = parser.add_subparsers(title="tasks", metavar="TASK", required=True)
    hands = tasks.add_parser(
        "hands",
        help="SI-SDR and SDR/SIR/SAR of separated hands against the true ones",
        description="Measure separated hands against the true ones. In both folders a take is NAME/left_hand.wav with "
        "NAME/right_hand.wav, or NAME.lh.flac with NAME.rh.flac.",
    )
    hands.add_argument("references", type=Path, metavar="REFERENCE_DIR", help="folder of the true hands")
    hands.add_argument("estimates", type=Path, metavar="ESTIMATE_DIR", help="folder of the separated hands")
    hands.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    hands.set_defaults(task=_hands)
    method = tasks.add_parser(
        "separation",
        help="a method's quality on takes whose hands are known, in the conditions a user meets",
        description="Separate every take of a data set (NAME.lh.flac, NAME.rh.flac, NAME.mid) under several "
        "conditions of the score and print SI-SDR per hand: mean over the takes and 95 % bootstrap interval.",
    )
    method.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of the takes")
    method.add_argument(
        "--conditions",
        default="abc",
        help="a exact performance, b no velocity and pedal, c jittered, d a sheet, aligned (default: abc)",
    )
    method.add_argument(
        "--methods", default="nmf,nae,thesis", help="methods to compare, and 'thesis' (default: nmf,nae,thesis)"
    )
    method.add_argument("--mask", default="coherent", choices=["coherent", "wiener", "ratio"])
    method.add_argument("--oracles", action="store_true", help="add the masks made from the true hands")
    method.add_argument("--seed", type=whole_number, default=0, help="of the jitter (default: 0)")
    method.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    method.set_defaults(task=_separation)
    live = tasks.add_parser(
        "live",
        help="Hands as it runs in a DAW: each window's latency and quality, beside the offline methods",
        description="Learn every take of a data set (NAME.lh.flac, NAME.rh.flac, NAME.mid) as the plugin does, play it "
        "through the live processor and print SI-SDR per hand; also learned on the first half and heard on the second.",
    )
    live.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of the takes")
    live.add_argument("--windows", default="long,medium,short", help="the first one is also learned on half a take")
    live.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    live.set_defaults(task=_live)
    labels = tasks.add_parser(
        "hand-labels",
        help="how many notes a model gives to the right hand, beside three baselines",
        description="Label scores whose hands are known as if they were not, and print the share of notes right per "
        "piece: mean and 95 % bootstrap interval. Works the model was trained on are left out.",
    )
    labels.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of MIDI or CSV scores with hands")
    labels.add_argument("--model", default="hand_labels", metavar="NAME", help="or a file (default: hand_labels)")
    labels.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    labels.set_defaults(task=_hand_labels)
    notes = tasks.add_parser(
        "transcription",
        help="note F1 of transcriptions of takes whose notes are known",
        description="Transcribe every take of a folder (NAME.wav, .flac, .mp3 … or NAME.lh.flac with NAME.rh.flac) and "
        "compare with NAME.mid or NAME.csv: F1 of notes by onset, onset and end, velocity, and of frames.",
    )
    notes.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of the takes and their notes")
    notes.add_argument("--model", default="transcription", metavar="NAME", help="installed model, or an .onnx file")
    notes.add_argument(
        "--shift", action="store_true", help="first remove what onsets are late by throughout (an MP3 begins late)"
    )
    notes.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    notes.set_defaults(task=_transcription)


def run(arguments: argparse.Namespace) -> int:
    """Run the task."""
    return int(arguments.task(arguments))


def _hands(arguments: argparse.Namespace) -> int:
    from terzetto.evaluate import hands

    results = hands.evaluate(arguments.references, arguments.estimates)
    print(_json(results) if arguments.json else hands.table(results))
    return 0


def _separation(arguments: argparse.Namespace) -> int:
    from terzetto.evaluate import hands_benchmark as benchmark

    results = benchmark.evaluate(
        arguments.data,
        conditions=arguments.conditions,
        methods=tuple(arguments.methods.split(",")),
        mask=arguments.mask,
        oracles=arguments.oracles,
        seed=arguments.seed,
    )
    print(_json(results) if arguments.json else benchmark.table(results))
    return 0


def _live(arguments: argparse.Namespace) -> int:
    from terzetto.evaluate import live_hands

    results = live_hands.evaluate(arguments.data, windows=tuple(arguments.windows.split(",")))
    print(_json(results) if arguments.json else live_hands.table(results))
    return 0


def _hand_labels(arguments: argparse.Namespace) -> int:
    from terzetto.evaluate import hand_labels

    results = hand_labels.evaluate(arguments.data, arguments.model)
    print(_json(results) if arguments.json else hand_labels.table(results))
    return 0


def _transcription(arguments: argparse.Namespace) -> int:
    from terzetto.evaluate import transcription

    results = transcription.evaluate(arguments.data, transcription.by_model(arguments.model), shift=arguments.shift)
    print(_json(results) if arguments.json else transcription.table(results))
    return 0


def _json(results: Any) -> str:
    """Return results as JSON, which has no word for infinity (a perfect estimate, a silent one): null."""
    import json
    import math

    def finite(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: finite(part) for key, part in value.items()}
        if isinstance(value, list):
            return [finite(part) for part in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(finite(results), indent=2, allow_nan=False)
