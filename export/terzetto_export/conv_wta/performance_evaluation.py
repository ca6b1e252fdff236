"""``terzetto evaluate performance-dictionary``: held-out works reconstructed, de-noised, and told apart by composer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from terzetto.commands import whole_number

HELP = "a dictionary of piano performances: reconstruction, de-noising, and composers, beside baselines"
DESCRIPTION = (
    "Measure a dictionary on works it was not trained on: right events, note F1 and error of what it reconstructs, "
    "beside principal components and the most similar training window; note F1 of de-noising beside a plain filter; "
    "and over all works, each left out once: composers told by the mean activity of the atoms, beside pitch classes "
    "and intervals, and whether Haydn lies nearer to Beethoven than to Chopin. Mean over works and 95 % bootstrap "
    "interval."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--model", default="", metavar="NAME", help="or a file (default: performance_dictionary)")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="what it was trained on (default: the data set's)")
    parser.add_argument("--without", metavar="COMPOSER", help="the composer that it was trained without")
    parser.add_argument("--pieces", type=int, metavar="N", help="as it was trained with")
    parser.add_argument("--seed", type=whole_number, default=0, help="of the baselines (default: 0)")


def run(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Measure."""
    from terzetto.analysis.performance_dictionary import open_performance_dictionary
    from terzetto_export.conv_wta import composers as by_composer
    from terzetto_export.conv_wta.performance_measures import measure, table_of
    from terzetto_export.conv_wta.performances import read_split
    from terzetto_export.training import tell_on_terminal

    dictionary = open_performance_dictionary(arguments.model)
    split = read_split(arguments.data, arguments.without, tell_on_terminal, arguments.pieces)
    results = measure(dictionary, split, tell_on_terminal, arguments.seed)
    text = table_of(results)
    if arguments.without is None:
        results["composers"] = by_composer.measure(dictionary, split, tell_on_terminal, arguments.seed)
        text += "\n\n" + by_composer.table_of(results["composers"])
    results.update(model=dictionary.model.name, sha256=dictionary.model.sha256, seed=arguments.seed)
    return results, text
