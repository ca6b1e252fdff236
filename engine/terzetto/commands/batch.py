"""What commands over several files share: flags, one bad file that does not stop the others, the exit status."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from terzetto.commands import whole_number


def add_format_flags(group: argparse._ArgumentGroup, default: str | None = "float32") -> None:
    """Add ``--float32``, ``--int24``, ``--flac`` and ``--clip-mode``.

    ``format`` is one of `terzetto.audio.stems.FORMATS`, ``clip_mode`` of its `CLIP_MODES`.
    """
    formats = group.add_mutually_exclusive_group()
    for name, text in (("float32", "32-bit float WAV"), ("int24", "24-bit WAV"), ("flac", "24-bit FLAC")):
        text += " (default)" if name == default else ""
        formats.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=text)
    group.set_defaults(format=default)
    group.add_argument(
        "--clip-mode",
        default="rescale",
        choices=["rescale", "clamp", "none"],
        help="what happens to a result beyond full scale that is not floating point: one gain for the whole file, "
        "limiting, or an error (default: rescale)",
    )


def add_report_flags(group: argparse._ArgumentGroup) -> None:
    """Add ``--json`` and ``--progress``."""
    group.add_argument("--json", action="store_true", help="print the result as one JSON object")
    group.add_argument(
        "--progress",
        default="auto",
        choices=["auto", "bar", "json", "none"],
        help="auto: a bar on a terminal, nothing in a pipe; json: lines on standard error",
    )


def add_batch_flags(parser: argparse.ArgumentParser) -> None:
    """Add what `terzetto.jobs.run_job` understands."""
    group = parser.add_argument_group("batch")
    group.add_argument(
        "-j",
        "--jobs",
        type=int,
        default=0,
        metavar="N",
        help="files at a time, each in a process of its own (default: one for each core)",
    )
    group.add_argument(
        "--threads",
        type=whole_number,
        default=0,
        metavar="N",
        help="cores to use altogether; each process gets its share of them (default: all)",
    )
    group.add_argument(
        "--timeout",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="a file that makes no progress for so long is given up (default: 600)",
    )
    group.add_argument("--redo", action="store_true", help="do again what the manifest says is done or quarantined")
    group.add_argument("--dry-run", action="store_true", help="tell what would be done, and how long and large it gets")
    group.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="work on a dask cluster: dask://HOST:8786; local:N starts one of N workers here to try it",
    )
    group.add_argument(
        "--manifest",
        type=Path,
        metavar="FILE",
        help="what was done, to go on from (default: manifest.jsonl in --out)",
    )


def run_batch(
    files: Sequence[Path],
    work: Callable[[Path], dict[str, Any]],
    tell: Callable[[Path, dict[str, Any]], None],
    as_json: bool,
) -> int:
    """Work through files and return the exit status: 0, 1 if some of several failed, 2 if all did.

    Parameters
    ----------
    work
        Does one file and returns what was done, ready for JSON.
    tell
        Says on the terminal what was done.
    as_json
        Print one object with all results instead of what ``tell`` puts on standard output.

    Raises
    ------
    TerzettoError
        A single file failed.
    """
    import json

    from terzetto.cli import EXIT_FAILED, EXIT_PARTIAL, print_error
    from terzetto.errors import TerzettoError

    done, failed = [], []
    for file in files:
        try:
            result = work(file)
        except TerzettoError as error:
            if len(files) == 1:
                raise
            print_error(error)
            failed.append({"take": str(file), "error": str(error)})
            continue
        done.append(result)
        tell(file, result)
    if as_json:
        print(json.dumps({"done": done, "failed": failed}, indent=2))
    if failed:
        return EXIT_PARTIAL if done else EXIT_FAILED
    return 0
