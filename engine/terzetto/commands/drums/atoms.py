"""``terzetto drums atoms``: the dictionary's atoms to look at and to hear, all of them or a beat's."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from terzetto.commands.drums.dictionary_options import add_dictionary_model_flag
from terzetto.commands.drums.options import ENDINGS, add_json_flag, add_reading_flags, drum_map_of, read, tell, tempo

if TYPE_CHECKING:
    from terzetto.drums.atoms import UsedAtom
    from terzetto.drums.dictionary import Dictionary
    from terzetto.drums.drum_map import DrumMap

HELP = "tell which atoms of the dictionary a beat is made of, and draw, write and render them"

_EPILOG = """\
examples:
  terzetto drums atoms take.mid                        (which they are, and in which bars)
  terzetto drums atoms take.mid --top 8 -o atoms.png
  terzetto drums atoms take.mid --top 8 -o atoms/      (a picture, and MIDI and WAV of each)
  terzetto drums atoms -o dictionary.png --top 100     (the dictionary's first hundred)

An atom is heard by the hits it adds; where it takes hits of others away is seen in the picture (blue).
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "beat", nargs="?", type=Path, metavar="BEAT.mid", help="MIDI file with drums; without: the dictionary itself"
    )
    parser.add_argument("--top", type=int, default=16, metavar="N", help="the N most active ones (default: 16)")
    parser.add_argument("--tempo", type=tempo, metavar="BPM", help="of MIDI and sound (default: the beat's, or 120)")
    parser.add_argument(
        "-o",
        "--out",
        type=_target,
        metavar="PATH",
        help="a picture (.png); one after another as MIDI (.mid) or sound (.wav); or a folder for all of these",
    )
    add_dictionary_model_flag(parser)
    add_json_flag(parser)
    add_reading_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Find the atoms, write what is asked for, tell."""
    from terzetto.drums.atoms import UsedAtom, used_atoms
    from terzetto.drums.dictionary import open_dictionary
    from terzetto.errors import InputError

    if arguments.top < 1:
        raise InputError(f"--top {arguments.top}: give 1 or more")
    dictionary = open_dictionary(arguments.model)
    bpm, drum_map = arguments.tempo or 120.0, drum_map_of(arguments)
    if arguments.beat is None:
        used = [UsedAtom(index, 0.0, ()) for index in range(len(dictionary.atoms))]
    else:
        beat, bars = read(arguments.beat, arguments)
        bpm, used = arguments.tempo or beat.tempo, used_atoms(dictionary, bars)
    shown = used[: arguments.top]
    files = _write(arguments.out, dictionary, shown, bpm, drum_map) if arguments.out is not None else []
    result = {
        "take": None if arguments.beat is None else str(arguments.beat),
        "model": dictionary.model.name,
        "atoms_used": len(used),
        "atoms": [{"atom": each.index, "share": round(each.share, 4), "bars": list(each.bars)} for each in shown],
        "files": [str(path) for path in files],
    }
    lines = [*([] if arguments.beat is None else map(_line, shown)), *map(str, files)]
    tell(result, "\n".join(lines) or f"{len(used)} atoms; give a beat, or --out", arguments.json)
    return 0


def _line(atom: UsedAtom) -> str:
    return f"atom {atom.index:3d}: {100 * atom.share:4.1f} % of the activity, in bars {_ranges(atom.bars)}"


def _ranges(numbers: Sequence[int]) -> str:
    """Return numbers in words: 1-3, 7."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def _write(out: Path, dictionary: Dictionary, atoms: list[UsedAtom], bpm: float, drum_map: DrumMap) -> list[Path]:
    """Write what the name of the target asks for, and return the files."""
    from terzetto.drums.atoms import atoms_beat, write_atoms_sound
    from terzetto.drums.dictionary_drawing import draw_atoms
    from terzetto.drums.midi import write_beat

    numbers = [atom.index for atom in atoms]
    kind = out.suffix.lower()
    if kind == ".png":
        draw_atoms(dictionary, numbers, out)
    elif kind in ENDINGS:
        write_beat(out, atoms_beat(dictionary, numbers, bpm, drum_map), name="atoms")
    elif kind == ".wav":
        write_atoms_sound(out, atoms_beat(dictionary, numbers, bpm, drum_map))
    else:
        files = [out / "atoms.png"]
        draw_atoms(dictionary, numbers, files[0])
        heard = [number for number in numbers if any(bar.hits.any() for bar in dictionary.atom_bars(number))]
        for number in heard:
            midi, sound = (out / f"atom_{number:03d}{ending}" for ending in (".mid", ".wav"))
            beat = atoms_beat(dictionary, [number], bpm, drum_map)
            write_beat(midi, beat, name=f"atom {number}")
            write_atoms_sound(sound, beat)
            files += [midi, sound]
        return files
    return [out]


def _target(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in ("", ".png", ".wav", *ENDINGS):
        raise argparse.ArgumentTypeError(f"{text!r}: give a name ending in .png, .mid or .wav, or a folder")
    return path
