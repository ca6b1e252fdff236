"""What a batch came to: a table with a line for every file that was written, and the same as JSON."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from terzetto.errors import OutputError
from terzetto_host.batch.manifest import Record

NAME = "summary.csv"
COLUMNS = ("take", "status", "output", "duration_s", "lufs", "true_peak_dbtp", "gain_db", "elapsed_s", "error")


def write_summary(records: Iterable[Record], path: Path) -> None:
    """Write the table: whole, or not at all.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    try:
        handle, made = tempfile.mkstemp(prefix=".terzetto-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", newline="", encoding="utf-8", errors="backslashreplace") as file:
                table = csv.writer(file)
                table.writerow(COLUMNS)
                for record in records:
                    table.writerows(_rows(record))
            Path(made).chmod(0o666 & ~_umask())
            Path(made).replace(path)
        except BaseException:
            Path(made).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"{path}: could not be written ({error.strerror or error})") from None


def print_json(records: Iterable[Record], stream: TextIO) -> None:
    """Print one object with all results, without ever holding all of them."""
    failed: list[dict[str, Any]] = []
    stream.write('{"done": [')
    separator = ""
    for record in records:
        if record.status == "done":
            stream.write(separator + json.dumps(record.result))
            separator = ",\n"
        else:
            failed.append({"take": record.take, "status": record.status, "error": record.error})
    stream.write(f'], "failed": {json.dumps(failed)}}}\n')


def _rows(record: Record) -> Iterator[list[Any]]:
    result = record.result
    begin = [record.take, record.status]
    if not record.files:
        yield [*begin, "", result.get("seconds", ""), "", "", "", record.elapsed, record.error]
    for about in record.files:
        measured = _measured(result, about["path"])
        peaks = [measured.get("lufs", ""), measured.get("true_peak_dbtp", "")]
        gain = result.get("gain_db", "")
        yield [*begin, about["path"], result.get("seconds", ""), *peaks, gain, record.elapsed, record.error]


def _measured(result: dict[str, Any], path: str) -> dict[str, Any]:
    """Return what was measured of a file, by its place below ``--out``."""
    targets = {name: result[name] for name in ("out", "mix") if name in result} | result.get("stems", {})
    name = next((name for name, target in targets.items() if f"/{Path(target).as_posix()}".endswith(f"/{path}")), "")
    return (result.get("loudness") or {}).get(name) or {}


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
