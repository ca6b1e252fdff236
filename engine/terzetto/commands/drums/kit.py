"""``terzetto drums kit``: look at a kit, make another of it, hear its voices."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terzetto.commands import whole_number
from terzetto.commands.drums.options import add_json_flag, number, tell
from terzetto.commands.drums.render_options import add_render_flags, settings_of, told
from terzetto.commands.sound_out import is_sound_file

if TYPE_CHECKING:
    from terzetto.drums.kit import Kit
    from terzetto.drums.player import Sound

HELP = "look at a kit, write one to edit or out of the sound model, morph between two, hear each voice"

_EPILOG = """\
examples:
  terzetto drums kit                                             what the shipped kit plays, and how
  terzetto drums kit -o mine.toml                                a copy to edit
  terzetto drums kit --seed 7 -o seven.toml --render seven.wav   every voice drawn from the sound model; to be heard
  terzetto drums kit mine.toml --voice snare=hit.wav --voice kick=pad:0.2,0.8 -o other.toml
  terzetto drums kit mine.toml --morph seven.toml --amount 0.3 --voices snare kick -o between.toml

a sound is FILE (a sample), encoded:FILE (what the model makes of it), pad:X,Y (0 to 1), seed:N or one_shot:CLASS
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("kit", nargs="?", type=Path, metavar="KIT.toml", help="the kit to begin with (the shipped one)")
    change = parser.add_argument_group("another kit")
    change.add_argument("--seed", type=whole_number, metavar="N", help="draw every voice from the sound model")
    change.add_argument(
        "--spread",
        type=number,
        metavar="S",
        help="how far from what is typical of each voice --seed may go, 0 to 1 (default: 0.5)",
    )
    change.add_argument("--model", default="", metavar="NAME", help="installed sound model, or an .onnx file")
    change.add_argument(
        "--voice",
        action="append",
        default=[],
        metavar="NAME=SOUND",
        help="let a voice sound of something else (may be repeated)",
    )
    change.add_argument("--morph", type=Path, metavar="KIT.toml", help="go towards another kit")
    change.add_argument("--amount", type=number, metavar="A", help="how far, 0 to 1 (default: 0.5)")
    change.add_argument(
        "--by",
        choices=["latent", "mix"],
        help="through the sound model's latent space, or by fading one sound over to the other (default: latent)",
    )
    change.add_argument("--voices", nargs="+", metavar="NAME", help="only these voices morph")
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--out", type=Path, metavar="FILE", help="write the kit there, as TOML")
    output.add_argument(
        "--render",
        metavar="FILE",
        help="hear it: a sound file in which every drum is struck softly, harder and as hard as can be",
    )
    add_render_flags(output)
    add_json_flag(output)


def run(arguments: argparse.Namespace) -> int:
    """Read, change, write, render or show."""
    from terzetto.drums.kit_changes import kit_beat
    from terzetto.drums.kit_file import kit_table, read_kit, write_kit
    from terzetto.drums.render_job import write_rendering
    from terzetto.errors import InputError, OutputError

    _check(arguments)
    if arguments.render is not None and not is_sound_file(arguments.render):
        raise InputError(f"--render {arguments.render}: the name of a sound file ends in .wav or .flac")
    if arguments.out is not None and arguments.out.exists():
        raise OutputError(f"{arguments.out}: is already there, perhaps with your changes; give another name")
    kit = _changed(read_kit(arguments.kit), arguments)
    settings = settings_of(arguments, arguments.render or "", kit)
    sounds = settings.sounds()  # what cannot be played is not written either
    result: dict[str, Any] = kit_table(kit)
    lines = []
    if arguments.out is not None:
        write_kit(arguments.out, kit)
        result["written"] = str(arguments.out)
        lines.append(str(arguments.out))
    if arguments.render is not None:
        result["rendered"] = write_rendering(kit_beat(), settings, Path(arguments.render), "the kit")
        lines.append(told(result["rendered"]))
    tell(result, "\n".join(lines or _table(kit, sounds, settings.sample_rate)), arguments.json)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse a flag that would change nothing, since whoever gave it expects that it does."""
    from terzetto.errors import InputError

    for flag in ("amount", "by", "voices"):
        if getattr(arguments, flag) is not None and arguments.morph is None:
            raise InputError(f"--{flag} is about a morph: add --morph KIT.toml")
    if arguments.spread is not None and arguments.seed is None:
        raise InputError("--spread is about what is drawn: add --seed N")
    if arguments.model and arguments.seed is None and not arguments.voice:
        raise InputError("--model is about what is drawn or heard by it: add --seed N, or --voice NAME=SOUND")


def _changed(kit: Kit, arguments: argparse.Namespace) -> Kit:
    """Return the kit with what the flags ask for: drawn, then single voices, then morphed."""
    from terzetto.drums.kit_changes import drawn, morphed, with_sound
    from terzetto.drums.kit_file import read_kit
    from terzetto.drums.sound_sources import SPREAD
    from terzetto.drums.sounds import open_sound_model
    from terzetto.errors import InputError, TerzettoWarning
    from terzetto.models import whole_name

    model = whole_name(arguments.model)  # a path is told from the kit's folder on, not from here
    if arguments.seed is not None:
        opened = open_sound_model(model)
        if arguments.spread is not None and not opened.typical_first:
            raise InputError(
                f"--spread: the model {opened.model.name}, made by an earlier recipe, does not say what is typical: "
                "leave --spread out, or make the model again with: terzetto train sounds"
            )
        spread = SPREAD if arguments.spread is None else arguments.spread
        kit = drawn(kit, arguments.seed, model, opened.classes, spread)
        lacking = [name for name in kit.voices if name not in opened.classes]
        if lacking:
            name = opened.model.name
            warnings.warn(
                f"the model {name} has no {', '.join(lacking)}: not drawn, as before", TerzettoWarning, stacklevel=2
            )
    for text in arguments.voice:
        kit = with_sound(kit, text, model)
    if arguments.morph is not None:
        amount = 0.5 if arguments.amount is None else arguments.amount
        kit = morphed(kit, read_kit(arguments.morph), amount, arguments.by or "latent", arguments.voices)
    return kit


def _table(kit: Kit, sounds: list[Sound], sample_rate: int) -> list[str]:
    """Return a line for everything that can be struck."""
    from terzetto.drums.drum_map import CLASSES
    from terzetto.drums.kit import SOUNDS, Drum
    from terzetto.drums.kit_file import inline
    from terzetto.drums.source_table import table_of_source

    lines = [f"{kit.name or 'a kit'}, {kit.gain_db:+.1f} dB"]
    lines.append(f"{'drum':<11} {'voice':<11} {'dB':>5} {'pan':>5} {'tune':>5} {'choke':<6} {'s':>5}  sounds of")
    for name, sound in zip(SOUNDS, sounds, strict=True):
        voice, drum = kit.voices[CLASSES[sound.voice]], kit.drums.get(name, Drum())
        numbers = f"{voice.gain_db + drum.gain_db:5.1f} {voice.pan + drum.pan:5.2f} {voice.tune + drum.tune:5.1f}"
        source = inline(table_of_source(voice.source))
        seconds = sound.frames / sample_rate
        lines.append(f"{name:<11} {CLASSES[sound.voice]:<11} {numbers} {voice.choke:<6} {seconds:5.2f}  {source}")
    return lines
