"""``terzetto piano atoms``: the atoms that a performance is made of, to look at and to hear."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.options import add_json_flag, tell
from terzetto.commands.piano.options import add_dictionary_flag

HELP = "tell which atoms of the dictionary a performance is made of, and draw and write them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("take", type=Path, metavar="TAKE.mid", help="MIDI file of a piano performance")
    parser.add_argument("--top", type=int, default=16, metavar="N", help="the N most active ones (default: 16)")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FOLDER",
        help="for a picture of them (64 at most), and a MIDI file of what is heard of each in which keys go down",
    )
    add_dictionary_flag(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Encode, write what is asked for, tell."""
    from terzetto.analysis.performance_atoms import atom_notes, used_atoms
    from terzetto.analysis.performance_dictionary import open_performance_dictionary
    from terzetto.analysis.performance_drawing import draw_atoms
    from terzetto.errors import InputError
    from terzetto.score.midi import read_midi, write_midi

    if arguments.top < 1:
        raise InputError(f"--top {arguments.top}: give 1 or more")
    dictionary = open_performance_dictionary(arguments.model)
    used = used_atoms(dictionary, read_midi(arguments.take))
    if not used:
        raise InputError(f"{arguments.take}: no atom of {dictionary.model.name} answers to it; take another model")
    shown = used[: arguments.top]
    files: list[Path] = []
    if arguments.out is not None:
        files.append(arguments.out / "atoms.png")
        draw_atoms(dictionary, [each.index for each in shown], files[0])
        for each in shown:
            try:
                notes = atom_notes(dictionary, each.index)
            except InputError:
                continue  # seen in the picture alone
            files.append(arguments.out / f"atom_{each.index:04d}.mid")
            write_midi(notes, files[-1])
    result = {
        "take": str(arguments.take),
        "model": dictionary.model.name,
        "atoms_used": len(used),
        "atoms": [
            {"atom": each.index, "share": round(each.share, 4), "seconds": round(each.seconds, 2)} for each in shown
        ],
        "files": [str(path) for path in files],
    }
    lines = [
        f"atom {each.index:4d}: {100 * each.share:4.1f} % of the activity, most at {each.seconds:.2f} s"
        for each in shown
    ]
    tell(result, "\n".join([*lines, *map(str, files)]), arguments.json)
    return 0
