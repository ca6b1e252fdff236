"""``terzetto evaluate timbre``: X-Synth and the classical methods on a thousand notes, before an independent judge."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from terzetto.commands import whole_number

HELP = "conversions of timbre: pitch kept, target heard by an independent judge, glissando, vibrato, attack, loudness"
DESCRIPTION = (
    "Five melodies of twenty random notes, played by sounds that neither model nor judge learned from, are turned into "
    "ten instruments: a thousand notes a method. A note is lost unless pYIN is voiced within 50 cents and a judge that "
    "learned from other recordings hears the target; a second tracker and a second judge, which knows real notes of "
    "other pitches, stand beside. Also distances to real notes, attack, loudness, moving pitches, and the curve over "
    "the amount. The judges are made on your machine: terzetto train instrument-judge, orchestra-judge."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "--model", default="timbre_instruments", metavar="NAME", help="X-Synth's (default: timbre_instruments)"
    )
    parser.add_argument(
        "--judge",
        nargs="+",
        default=[],
        metavar="NAME",
        help="or a file (default: instrument_judge and orchestra_judge, those that are there)",
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        metavar="METHOD",
        help="(default: identity envelope envelope-source mosaic xsynth; any that is installed)",
    )
    parser.add_argument("--targets", nargs="+", metavar="INSTRUMENT", help="(default: all ten)")
    parser.add_argument("--notes", type=whole_number, default=20, metavar="N", help="of each melody (default: 20)")
    parser.add_argument("--without-curve", action="store_true", help="leave the curve over the amount out")
    parser.add_argument("--without-gestures", action="store_true", help="leave glissando and vibrato out")
    parser.add_argument("-j", "--jobs", type=whole_number, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument("--audio", type=Path, metavar="FOLDER", help="write what was converted here")


def run(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Measure."""
    from terzetto.errors import InputError
    from terzetto.models import identity
    from terzetto_export.card import commit, machine
    from terzetto_export.instrument_data.names import INSTRUMENTS
    from terzetto_export.timbre_notes.judges import open_judges
    from terzetto_export.timbre_notes.methods import USUAL
    from terzetto_export.timbre_notes.suite import AMOUNTS, Plan, measure
    from terzetto_export.timbre_notes.table import table
    from terzetto_export.training import tell_on_terminal

    targets = arguments.targets or list(INSTRUMENTS)
    unknown = [name for name in targets if name not in INSTRUMENTS]
    if unknown:
        raise InputError(f"--targets {unknown[0]}: valid are {', '.join(INSTRUMENTS)}")
    if not 1 <= arguments.notes <= 20:
        raise InputError(f"--notes {arguments.notes}: a melody has 20 notes; give 1 to 20")
    judges = open_judges(arguments.judge)
    methods = arguments.methods or list(USUAL)
    plan = Plan(
        arguments.model,
        methods,
        targets,
        arguments.notes,
        () if arguments.without_curve else AMOUNTS,
        gestures=not arguments.without_gestures,
        jobs=max(arguments.jobs, 1),
        audio=arguments.audio,
    )
    results = measure(plan, judges, tell_on_terminal)
    results.update(
        model=arguments.model if "xsynth" in methods else None,
        sha256=identity(arguments.model) if "xsynth" in methods else None,
        judge={name: judge.model.sha256 for name, judge in judges.items()},
        commit=commit(),
        machine=machine(),
    )
    return results, table(results)
