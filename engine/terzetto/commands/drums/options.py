"""Flags that the drum commands share, and how they read and write."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terzetto.drums.beat import Beat
    from terzetto.drums.drum_map import DrumMap
    from terzetto.drums.grid import Hvo
    from terzetto.drums.reading import Reading

ENDINGS = (".mid", ".midi")


def add_reading_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--channel`` and ``--drum-map`` for commands that read beats."""
    group = parser.add_argument_group("reading")
    group.add_argument(
        "--channel",
        type=_channel,
        default=10,
        metavar="N",
        help="MIDI channel of the drums, 1 to 16, or all (default: 10)",
    )
    add_drum_map_flag(group)


def add_drum_map_flag(group: argparse._ActionsContainer) -> None:
    """Add ``--drum-map``."""
    group.add_argument(
        "--drum-map",
        type=Path,
        metavar="FILE",
        help="which note is which drum, where it differs from the published table (see: terzetto drums drum-map)",
    )


def add_model_flag(group: argparse._ActionsContainer) -> None:
    """Add ``--model`` for the pattern model."""
    group.add_argument("--model", default="", metavar="NAME", help="installed pattern model, or an .onnx file")


def add_json_flag(group: argparse._ActionsContainer) -> None:
    """Add ``--json``."""
    group.add_argument("--json", action="store_true", help="print the result as one JSON object")


def number(text: str) -> float:
    """Read an argument that is a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not -float("inf") < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def midi_file(text: str) -> Path:
    """Read the name of a MIDI file to write."""
    path = Path(text)
    if path.suffix.lower() not in ENDINGS:
        raise argparse.ArgumentTypeError(f"{text!r}: the name of a MIDI file ends in .mid")
    return path


def picture(text: str) -> Path:
    """Read the name of a picture to write."""
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"{text!r}: the name of a picture ends in .png")
    return path


def tempo(text: str) -> float:
    """Read an argument that is a tempo a MIDI file can hold."""
    value = number(text)
    if not 4 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r}: a tempo is 4 to 1000 quarter notes a minute")
    return value


def drum_map_of(arguments: argparse.Namespace) -> DrumMap:
    """Return the drum map the flags ask for."""
    from terzetto.drums.drum_map import read_drum_map

    return read_drum_map(arguments.drum_map)


def read(path: Path, arguments: argparse.Namespace) -> tuple[Beat, list[Hvo]]:
    """Read a beat, and its bars on the grid; one without a hit of the nine drums is refused."""
    return reading_of(arguments).read(path)


def reading_of(arguments: argparse.Namespace) -> Reading:
    """Return how the flags want beats to be read; a drum map that cannot be used is refused here, once."""
    from terzetto.drums.reading import Reading

    reading = Reading(arguments.channel, arguments.drum_map)
    reading.table()
    return reading


def expand(paths: Sequence[Path]) -> list[Path]:
    """Return the files that are meant: in place of a folder all MIDI files in it and below, sorted."""
    from terzetto.drums.reading import midi_files

    return [file for path in paths for file in midi_files(path)]


def tell(result: dict[str, Any], line: str, as_json: bool) -> None:
    """Print a result as one object, or its line."""
    print(json.dumps(result, indent=2) if as_json else line)


def _channel(text: str) -> int | str:
    if text == "all" or (text.isascii() and text.isdigit() and 1 <= int(text) <= 16):
        return text if text == "all" else int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no MIDI channel; give 1 to 16, or all")
