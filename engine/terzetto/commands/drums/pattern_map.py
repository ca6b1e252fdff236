"""``terzetto drums map``: a picture of the pad."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.options import (
    add_json_flag,
    add_model_flag,
    add_reading_flags,
    expand,
    picture,
    read,
    tell,
)

HELP = "draw the map of patterns, and where given beats lie on it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("beats", nargs="*", type=Path, metavar="BEAT", help="MIDI files with drums, or folders of them")
    parser.add_argument("-o", "--out", type=picture, required=True, metavar="FILE", help="PNG file")
    add_model_flag(parser)
    add_json_flag(parser)
    add_reading_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Draw and write; one bad file of several is reported and the rest goes on."""
    from terzetto.cli import EXIT_PARTIAL, print_error
    from terzetto.drums.map_picture import draw_map, write_picture
    from terzetto.drums.patterns import open_pattern_model
    from terzetto.errors import InputError

    model = open_pattern_model(arguments.model)
    files = expand(arguments.beats)
    beats, failed = {}, 0
    for path in files:
        try:
            _, bars = read(path, arguments)
        except InputError as error:
            if len(files) == 1:
                raise
            print_error(error)
            failed += 1
            continue
        beats[str(path)] = model.pad_positions(model.encode(bars))
    if files and not beats:
        raise InputError(f"none of the {len(files)} beats can be drawn")
    short = {path: Path(path).stem for path in beats}
    names = short if len(set(short.values())) == len(short) else {path: path for path in beats}
    write_picture(draw_map(model, {names[path]: points for path, points in beats.items()}), arguments.out)
    result = {
        "picture": str(arguments.out),
        "model": model.model.name,
        "pad_range": list(model.pad_range),
        "styles": list(model.styles),
        "points": [{"x": x, "y": y, "style": style} for x, y, style in model.map],
        "beats": [{"take": name, "pad": points.tolist()} for name, points in beats.items()],
    }
    tell(result, f"{arguments.out}: {len(model.map)} training bars, {len(beats)} beats", arguments.json)
    return EXIT_PARTIAL if failed else 0
