"""``terzetto models``: what is installed."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terzetto.model_list import Entry

HELP = "list the installed models: name, task, method, licence, size, where"

_EPILOG = """\
examples:
  terzetto models
  terzetto models --task timbre
  terzetto models --json

Models are looked for in the folders of TERZETTO_MODELS, in your own folder, and among those that Terzetto came with;
the first of a name is the one that is used. `terzetto train TASK` writes into your own. Beside each file lies its
card, NAME.md: what it was made of and how good it is.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("--task", metavar="TASK", help="only those that do this (as in: terzetto train TASK)")
    parser.add_argument("--json", action="store_true", help="print the list as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the list; a model that cannot be used here is listed with the reason."""
    import json

    from terzetto.errors import InputError
    from terzetto.model_list import listed
    from terzetto.models import folders

    everything = listed()
    tasks = sorted({entry.task for entry in everything if entry.task})
    if arguments.task is not None and arguments.task not in tasks:
        known = ", ".join(tasks) or "nothing"
        raise InputError(f"--task {arguments.task}: no installed model does this; there are some for {known}")
    entries = [entry for entry in everything if arguments.task in (None, entry.task)]
    if arguments.json:
        where = [str(folder) for folder in folders()]
        print(json.dumps({"models": [entry.as_json() for entry in entries], "folders": where}, indent=2))
        return 0
    if entries:
        print("\n".join(_table(entries)))
    else:
        print(f"no models; looked in {', '.join(map(str, folders()))}")
    return 0


def _table(entries: list[Entry]) -> list[str]:
    """Return the lines of the list: columns as wide as they must be, what is to be known of a model below it."""
    rows = [["NAME", "TASK", "METHOD", "SIZE", "LICENCE", "WHERE"]]
    for entry in entries:
        # Whose data a model was made of is on its card, and in --json.
        licence = re.split(r" \(|;", entry.licence)[0]
        columns = [entry.name, entry.task, entry.method, _size(entry.size), licence, str(entry.where.parent)]
        rows.append([column or "-" for column in columns])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    shown = [head]
    for entry, line in zip(entries, lines, strict=True):
        shown.append(line)
        if len(entry.instruments) > 1:
            shown.append(f"    instruments: {', '.join(entry.instruments)}")
        if entry.problem:
            shown.append(f"    cannot be used: {entry.problem}")
    return shown


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
