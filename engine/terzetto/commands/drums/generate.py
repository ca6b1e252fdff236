"""``terzetto drums generate``: a point of the latent space in, a MIDI file out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from terzetto.commands import whole_number
from terzetto.commands.drums.options import (
    ENDINGS,
    add_drum_map_flag,
    add_json_flag,
    add_model_flag,
    drum_map_of,
    number,
    tell,
    tempo,
)
from terzetto.commands.drums.render_options import add_kit_flag, add_render_flags, settings_of, told
from terzetto.commands.sound_out import is_sound_file

HELP = "make a beat: from a point of the map, by chance, in a style; as MIDI, or rendered"

_EPILOG = """\
examples:
  terzetto drums generate --latent -1.5 2 -o beat.mid
  terzetto drums generate --random --seed 7 --density 0.4 --bars 8 -o beat.mid
  terzetto drums generate --style jazz --tempo 160 --variation 0.3 --humanise -o beat.mid
  terzetto drums generate --style funk --bars 4 --render -o funk.wav
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    where = parser.add_argument_group("which pattern")
    point = where.add_mutually_exclusive_group()
    point.add_argument(
        "--latent",
        type=number,
        nargs="+",
        metavar="X",
        help="x and y on the pad, or all numbers of a point of the latent space (as encode --json gives them)",
    )
    point.add_argument("--random", action="store_true", help="a pattern by chance (this is what happens anyway)")
    where.add_argument("--seed", type=whole_number, default=0, help="which chance: same seed, same beat (default: 0)")
    where.add_argument("--style", help="of the model's styles (terzetto drums map --json lists them)")
    where.add_argument("--density", type=number, metavar="D", help="0 (silent) to 1 (as full as can be)")
    how = parser.add_argument_group("how it is played")
    how.add_argument("--bars", type=int, default=4, metavar="N", help="(default: 4)")
    how.add_argument("--tempo", type=tempo, default=120.0, metavar="BPM", help="(default: 120)")
    how.add_argument(
        "--variation", type=number, default=0.0, metavar="V", help="how far each bar strays, 0 to 1 (default: 0)"
    )
    how.add_argument(
        "--humanise",
        type=number,
        nargs="?",
        const=1.0,
        metavar="H",
        help="keep the drummers' timing and loudness, 0 to 1 (alone or with --render: 1; else 0: on the grid, even)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help="MIDI file; with --render .wav or .flac"
    )
    output.add_argument("--render", action="store_true", help="write the beat's sound, not its notes")
    output.add_argument(
        "--loop", action="store_true", help="with --render: exactly as long as the beat, to be repeated"
    )
    add_kit_flag(output)
    add_render_flags(output)
    add_drum_map_flag(output)
    add_model_flag(output)
    add_json_flag(output)


def run(arguments: argparse.Namespace) -> int:
    """Make the beat and write it, or its sound."""
    from terzetto.drums.generation import Request, generate, latent_point
    from terzetto.drums.grid import hvo_to_beat
    from terzetto.drums.midi import write_beat
    from terzetto.drums.patterns import open_pattern_model

    _check_name(arguments)
    request = Request(
        style=arguments.style,
        density=arguments.density,
        bars=arguments.bars,
        variation=arguments.variation,
        humanise=float(arguments.render) if arguments.humanise is None else arguments.humanise,
        seed=arguments.seed,
    )
    settings = settings_of(arguments, str(arguments.out)) if arguments.render else None
    drum_map = drum_map_of(arguments)
    model = open_pattern_model(arguments.model)
    # A point drawn by chance is of no style yet: what plays it moves it there.
    z = model.sample(arguments.seed) if arguments.latent is None else latent_point(model, arguments.latent)
    beat = hvo_to_beat(generate(model, z, request), tempo=arguments.tempo, drum_map=drum_map)
    result: dict[str, Any] = {}
    if settings is None:
        write_beat(arguments.out, beat)
        result["midi"] = str(arguments.out)
    else:
        from terzetto.drums.render_job import write_rendering

        result = write_rendering(beat, settings, arguments.out, str(arguments.out))
        del result["take"]
    if request.style is not None or request.density is not None:
        z = model.move(z, request.style, request.density)[0]
        x, y = model.pad_position(z)
    elif arguments.latent is not None and len(arguments.latent) == 2:
        low, high = model.pad_range
        x, y = (min(max(value, low), high) for value in arguments.latent)
    else:
        x, y = model.pad_position(z)
    line = told(result) if arguments.render else f"{arguments.out}: {arguments.bars} bars, {len(beat)} hits"
    result |= {
        "model": model.model.name,
        "bars": arguments.bars,
        "tempo": arguments.tempo,
        "hits": len(beat),
        "style": arguments.style,
        "seed": arguments.seed,
        "pad": [x, y],
        "latent": z.tolist(),
    }
    tell(result, f"{line}, at ({x:.2f}, {y:.2f})", arguments.json)
    return 0


def _check_name(arguments: argparse.Namespace) -> None:
    """Refuse a name that promises something else than what is written, before anything is made."""
    from terzetto.errors import InputError

    if arguments.render and not is_sound_file(str(arguments.out)):
        raise InputError(f"--out {arguments.out}: with --render the name ends in .wav or .flac")
    if not arguments.render and arguments.out.suffix.lower() not in ENDINGS:
        raise InputError(f"--out {arguments.out}: the name of a MIDI file ends in .mid; for sound add --render")
    if not arguments.render and (arguments.loop or arguments.stems or arguments.kit is not None):
        raise InputError("--loop, --stems and --kit are about sound: add --render")
