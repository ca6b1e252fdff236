"""``terzetto evaluate drum-patterns``: all figures of a pattern model on Groove's test split, or on a user's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from terzetto.commands import whole_number

HELP = "a pattern model: reconstruction, pad, samples and styles, beside baselines"
DESCRIPTION = (
    "Measure a pattern model on bars it was not trained on, and beside it PCA, the most similar training bar, "
    "repeating the previous bar, and a random forest as the judge of styles."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--model", default="", metavar="NAME", help="or a file (default: drum_patterns)")
    parser.add_argument(
        "--data", type=Path, nargs="+", metavar="FOLDER", help="what it was trained on (default: Groove and mma)"
    )
    parser.add_argument("--without", metavar="DRUMMER", help="the drummer of Groove that it was trained without")
    parser.add_argument(
        "--vae",
        type=int,
        nargs="+",
        default=[],
        metavar="SIZE",
        help="train the paper's network too, with such latents",
    )
    parser.add_argument("--seed", type=whole_number, default=0, help="of samples (default: 0)")


def run(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Measure."""
    from terzetto.drums.patterns import open_pattern_model
    from terzetto_export.drum_patterns.data import read_data
    from terzetto_export.drum_patterns.measures import measure, table
    from terzetto_export.training import tell_on_terminal

    model = open_pattern_model(arguments.model)
    data = read_data(arguments.data, arguments.without, tell_on_terminal)
    results = measure(model, data.training, data.validation, data.test, tell_on_terminal, arguments.seed, arguments.vae)
    results.update(model=model.model.name, sha256=model.model.sha256, seed=arguments.seed)
    return results, table(results)
