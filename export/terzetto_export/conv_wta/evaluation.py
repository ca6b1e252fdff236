"""``terzetto evaluate drum-dictionary``: reconstruction and de-noising on held-out files, beside baselines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from terzetto.commands import whole_number

HELP = "a drum dictionary: reconstruction and de-noising, beside filters, NMF and the most similar training bar"
DESCRIPTION = (
    "Measure a dictionary on four-bar sections of files it was not trained on: hit F1 and error of what it "
    "reconstructs, and hit F1 of de-noising with 5 to 30 % of the hits dropped and as many spurious ones, beside a "
    "majority filter, a median filter, NMF and no filter at all. Mean over files and 95 % bootstrap interval."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--model", default="", metavar="NAME", help="or a file (default: drum_dictionary)")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="what it was trained on (default: Groove)")
    parser.add_argument("--without", metavar="DRUMMER", help="the drummer of Groove that it was trained without")
    parser.add_argument("--seed", type=whole_number, default=0, help="of NMF (default: 0)")
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="instead of a model: train the recipe with the seeds 0 to N - 1 and tell how far its figures differ",
    )
    parser.add_argument("--epochs", type=int, default=300, help="of each training with --seeds (default: 300)")


def run(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Measure."""
    from terzetto.drums.dictionary import open_dictionary
    from terzetto.errors import InputError
    from terzetto_export.conv_wta import seeds
    from terzetto_export.conv_wta.drum_sections import read_split
    from terzetto_export.conv_wta.measures import measure, table
    from terzetto_export.conv_wta.train import DESIGNS
    from terzetto_export.training import tell_on_terminal

    if arguments.seeds is not None:
        if arguments.seeds < 2 or arguments.epochs < 1:
            raise InputError("--seeds is 2 or more, --epochs 1 or more: one training says nothing of chance")
        split = read_split(arguments.data, arguments.without, tell_on_terminal)
        several = seeds.over_seeds(split, DESIGNS["bars"], arguments.epochs, range(arguments.seeds), tell_on_terminal)
        return several, seeds.table(several)
    dictionary = open_dictionary(arguments.model)
    split = read_split(arguments.data, arguments.without, tell_on_terminal)
    results = measure(dictionary, split, tell_on_terminal, arguments.seed)
    results.update(model=dictionary.model.name, sha256=dictionary.model.sha256, seed=arguments.seed)
    return results, table(results)
