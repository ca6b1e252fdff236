"""``terzetto piano map``: composers laid out by the atoms they use."""

from __future__ import annotations

import argparse
from pathlib import Path

from terzetto.commands.drums.options import add_json_flag, tell
from terzetto.commands.piano.options import add_dictionary_flag

HELP = "lay composers out by the atoms they use, and tell how far they lie apart"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="of performances as MIDI: a folder for each composer, or index.csv"
    )
    parser.add_argument("-o", "--out", type=Path, metavar="FILE.png", help="draw the map")
    parser.add_argument("--composers", nargs="+", metavar="NAME", help="only these (default: all)")
    parser.add_argument(
        "--nearer",
        nargs=3,
        metavar=("WHICH", "FIRST", "SECOND"),
        help="test whether one lies nearer to a first than to a second, such as: Haydn Beethoven Chopin",
    )
    add_dictionary_flag(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Encode all, tell the distances, test, draw; one bad file of several is reported and the rest goes on."""
    from terzetto.analysis.composer_map import centroid_distances, mean_activity, nearer, works_of
    from terzetto.analysis.performance_dictionary import open_performance_dictionary
    from terzetto.analysis.performance_drawing import draw_composers
    from terzetto.cli import EXIT_PARTIAL, print_error
    from terzetto.commands.drums.options import expand
    from terzetto.errors import InputError
    from terzetto.score.midi import read_midi
    from terzetto.score.works import identify, read_index

    if arguments.out is not None and arguments.out.suffix.lower() != ".png":
        raise InputError(f"{arguments.out}: the name of a picture ends in .png")
    if not arguments.folder.is_dir():
        raise InputError(f"{arguments.folder}: no such folder; give a folder of performances as MIDI")
    dictionary = open_performance_dictionary(arguments.model)
    index = read_index(arguments.folder)
    wanted = {name.lower() for name in arguments.composers or ()}
    activity, composers, works = [], [], []
    failed = 0
    for path in expand([arguments.folder]):
        work = identify(path, arguments.folder, index)
        if not work.composer or (wanted and work.composer.lower() not in wanted):
            continue
        try:
            code = dictionary.encode(read_midi(path))
        except InputError as error:
            print_error(error)
            failed += 1
            continue
        activity.append(mean_activity(code))
        composers.append(work.composer)
        works.append(work.opus)
    if len(activity) < 3:
        raise InputError(f"{arguments.folder}: {len(activity)} performances whose composer is known; a map wants three")
    of_works, by, _ = works_of(activity, composers, works)
    distances = centroid_distances(of_works, by)
    if arguments.out is not None:
        draw_composers(of_works, by, arguments.out)
    lines = [f"{sum(name == each for each in by):4} works by {name}" for name in sorted(set(by))]
    lines += [
        f"{distance:8.4f}  {one} – {other}"
        for (one, other), distance in sorted(distances.items(), key=lambda pair: pair[1])
    ]
    result = {
        "model": dictionary.model.name,
        "performances": len(activity),
        "works": {name: by.count(name) for name in sorted(set(by))},
        "distances": [{"between": list(pair), "distance": distance} for pair, distance in distances.items()],
        "picture": str(arguments.out) if arguments.out is not None else None,
    }
    if arguments.nearer is not None:
        found = nearer(of_works, by, *arguments.nearer)
        result["nearer"] = {"composers": arguments.nearer, **vars(found)}
        which, first, second = arguments.nearer
        lines.append(
            f"{which} to {second} − to {first}: {found.difference:.4f} (with shuffled labels {found.by_chance:.4f}), "
            f"p = {found.p:.3f}: "
            + (found.verdict if found.verdict == "undecided" else f"{found.verdict} to {first} than to {second}")
        )
    tell(result, "\n".join(lines), arguments.json)
    return EXIT_PARTIAL if failed else 0
