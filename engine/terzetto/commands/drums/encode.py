"""``terzetto drums encode``: beats in, points of the latent space out."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, BinaryIO

from terzetto.commands.drums.options import add_json_flag, add_model_flag, add_reading_flags, expand, read

HELP = "tell where beats lie in the latent space and on the map, bar by bar"

_EPILOG = """\
examples:
  terzetto drums encode beat.mid
  terzetto drums encode loops/ -o points.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("beats", nargs="+", type=Path, metavar="BEAT", help="MIDI file with drums, or a folder of them")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="write all points as JSON")
    add_model_flag(parser)
    add_json_flag(parser)
    add_reading_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Encode every beat; one bad file of several is reported and the rest goes on."""
    from terzetto.commands.batch import run_batch
    from terzetto.drums.patterns import open_pattern_model
    from terzetto.whole_file import write_whole

    model = open_pattern_model(arguments.model)
    encoded: list[dict[str, Any]] = []

    def work(path: Path) -> dict[str, Any]:
        beat, bars = read(path, arguments)
        z = model.encode(bars)
        positions = model.pad_positions(z)
        result = {
            "take": str(path),
            "model": model.model.name,
            "tempo": beat.tempo,
            "bars": [
                {"hits": int(bar.hits.sum()), "pad": position.tolist(), "latent": point.tolist()}
                for bar, position, point in zip(bars, positions, z, strict=True)
            ],
        }
        encoded.append(result)
        return result

    def tell(path: Path, result: dict[str, Any]) -> None:
        if not arguments.json:
            for bar, each in enumerate(result["bars"], 1):
                x, y = each["pad"]
                print(f"{path} bar {bar}: ({x:.2f}, {y:.2f}), {each['hits']} hits")

    status = run_batch(expand(arguments.beats), work, tell, arguments.json)
    if arguments.out is not None and encoded:
        content = json.dumps({"model": model.model.name, "beats": encoded}, indent=1).encode()

        def write(file: BinaryIO) -> None:
            file.write(content + b"\n")

        write_whole(arguments.out, write)
    return status
