"""How much a drum dictionary's figures hang on chance: the recipe trained anew with several seeds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from terzetto.evaluate import dictionary as measures
from terzetto.evaluate.dictionary import SHARES
from terzetto.evaluate.drum_patterns import best_threshold, f1_by_file
from terzetto.evaluate.intervals import interval
from terzetto_export.conv_wta.drum_sections import Split
from terzetto_export.conv_wta.drum_training import learn
from terzetto_export.conv_wta.recipe import Design
from terzetto_export.conv_wta.train import denoiser

RECONSTRUCTION = "reconstruction"


def over_seeds(
    split: Split, design: Design, epochs: int, seeds: Sequence[int], tell: Callable[[str], None]
) -> OrderedDict[str, Any]:
    """Train once for each seed and measure as `terzetto_export.conv_wta.measures` does, baselines left out.

    Thresholds are chosen on validation, for each training anew.

    Returns
    -------
    OrderedDict
        ``hit_f1``: of `RECONSTRUCTION` and of what is de-noised after each share of noise, the mean over files for
        each seed (``each``), and the mean over seeds with its 95 % bootstrap interval.
    """
    validation, test = split.validation, split.test
    found: dict[str, list[float]] = {}
    for seed in seeds:
        network, history = learn(split.training, validation, design, epochs=epochs, seed=seed, tell=tell)
        value = denoiser(network, design)
        threshold, _ = best_threshold(value(validation.rows), validation.hits, validation.file)
        keep, add, recurring = measures.choose_denoising(value, validation.rows, validation.file)
        f1 = f1_by_file(value(test.rows) >= threshold, test.hits, test.file).mean()
        found.setdefault(RECONSTRUCTION, []).append(float(f1))
        product = measures.with_recurrence(value, recurring)
        for number, share in enumerate(SHARES):
            cleaned = measures.denoised_f1(product, (keep, add), test.rows, test.file, share, seed=1000 + number)
            found.setdefault(f"{100 * share:.0f} % noise, de-noised", []).append(float(cleaned.mean()))
        tell(f"seed {seed}: error on validation {-history.best:.4f}, hit F1 {f1:.3f}")
    return OrderedDict(
        files=len(test.paths),
        sections=len(test),
        epochs=epochs,
        seeds=list(seeds),
        hit_f1={name: {**interval(each), "each": each} for name, each in found.items()},
    )


def table(results: OrderedDict[str, Any]) -> str:
    """Return the results as text."""
    f1 = results["hit_f1"]
    spread = max(f1[RECONSTRUCTION]["each"]) - min(f1[RECONSTRUCTION]["each"])
    return "\n".join(
        [
            f"hit F1, mean over {results['files']} files; mean over {len(results['seeds'])} seeds of "
            f"{results['epochs']} epochs [95 % interval over seeds]",
            "",
            measures.table({name: [cell] for name, cell in f1.items()}, ["hit F1"]),
            "",
            f"between the best and the worst seed: {spread:.3f} in reconstruction",
        ]
    )
