"""All figures of a drum dictionary: reconstruction and de-noising of held-out files, beside baselines."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from terzetto.drums.dictionary import Dictionary
from terzetto.drums.drum_map import DRUMS
from terzetto.evaluate import dictionary as measures
from terzetto.evaluate.dictionary import SHARES, Denoiser, Float
from terzetto.evaluate.drum_patterns import best_threshold, f1_by_file
from terzetto.evaluate.intervals import interval
from terzetto_export.conv_wta.baselines import NearestBar, NmfDictionary
from terzetto_export.conv_wta.drum_sections import Split

N = len(DRUMS)


def decoded(dictionary: Dictionary, rows: Float) -> Float:
    """Return what a dictionary makes of sections, float32 (n, 27, 64)."""
    return np.stack([dictionary.rows(dictionary.encode_rows(section)) for section in rows])


def measure(dictionary: Dictionary, split: Split, tell: Callable[[str], None], seed: int = 0) -> OrderedDict[str, Any]:
    """Return hit F1 and error of the test sections, and hit F1 after noise and its removal."""
    validation, test = split.validation, split.test
    measures.validate(test.rows, test.file)
    tell("factorising the training bars (NMF)")
    nmf, nearest = NmfDictionary(split.training.rows, len(dictionary.atoms), seed), NearestBar(split.training.rows)
    found = decoded(dictionary, test.rows)
    results: OrderedDict[str, Any] = OrderedDict()
    results["files"], results["sections"] = len(test.paths), len(test)
    nmf_threshold, _ = best_threshold(nmf(validation.rows), validation.hits, validation.file)
    codes = [dictionary.encode_rows(section) for section in test.rows]
    active = float(np.mean([(code > 0).sum(axis=0).mean() for code in codes]))
    sparse = max(round(active), 1)
    sparse_threshold, _ = best_threshold(nmf.value(validation.rows, sparse), validation.hits, validation.file)
    results["hit_f1"] = {
        "dictionary": interval(f1_by_file(found[:, :N] >= dictionary.threshold, test.hits, test.file)),
        "NMF, all parts": interval(f1_by_file(nmf(test.rows) >= nmf_threshold, test.hits, test.file)),
        f"NMF, {sparse} largest": interval(
            f1_by_file(nmf.value(test.rows, sparse) >= sparse_threshold, test.hits, test.file)
        ),
        "most similar training bar": interval(f1_by_file(nearest(test.rows) > 0.5, test.hits, test.file)),
    }
    mean = split.training.rows.mean(axis=0)
    results["squared_error"] = {
        "dictionary": interval(measures.squared_error(found, test.rows, test.file)),
        "mean of the training sections": interval(
            measures.squared_error(np.broadcast_to(mean, test.rows.shape), test.rows, test.file)
        ),
    }
    results["atoms_in_a_column"] = active
    results["atoms_used"] = int((np.stack([code.max(axis=1) for code in codes]) > 0).any(axis=0).sum())
    results["denoising"] = _denoising(dictionary, nmf, split, tell)
    return results


def _denoising(
    dictionary: Dictionary, nmf: Denoiser, split: Split, tell: Callable[[str], None]
) -> OrderedDict[str, Any]:
    validation, test = split.validation, split.test
    methods: OrderedDict[str, tuple[Denoiser, tuple[float, float] | None]] = OrderedDict()
    methods["no filter"] = (measures.majority, (-measures.NEVER, measures.NEVER))

    def alone(rows: Float) -> Float:
        return decoded(dictionary, rows)[:, :N]

    keep, add, recurring = dictionary.denoising
    methods["as the product does"] = (measures.with_recurrence(alone, recurring), (keep, add))
    methods["dictionary alone"] = (alone, None)
    methods["NMF"] = (nmf, None)
    methods["majority of 4 bars, plain"] = (measures.majority, (0.6, 0.6))
    methods["majority of 4 bars, tuned"] = (measures.majority, None)
    methods["NMF and majority, tuned"] = (measures.with_recurrence(nmf, recurring), None)
    methods["median of 3 steps"] = (measures.median, (0.5, 0.5))
    result: OrderedDict[str, Any] = OrderedDict()
    scores: dict[str, list[Any]] = {}
    for name, (value, given) in methods.items():
        thresholds = given or measures.choose_thresholds(value, validation.rows, validation.file)[:2]
        tell(f"de-noising: {name}, hits stay from {thresholds[0]:g} and are put in from {thresholds[1]:g}")
        scores[name] = [
            measures.denoised_f1(value, thresholds, test.rows, test.file, share, seed=1000 + number)
            for number, share in enumerate(SHARES)
        ]
        result[name] = [interval(each) for each in scores[name]]
    result["product − best other"] = [
        interval(
            measures.paired(
                scores["as the product does"][i],
                max((s[i] for name, s in scores.items() if "product" not in name), key=lambda s: float(s.mean())),
            )
        )
        for i in range(len(SHARES))
    ]
    return result


def table(results: OrderedDict[str, Any]) -> str:
    """Return the results as text."""
    f1, error = results["hit_f1"], results["squared_error"]
    return "\n".join(
        [
            f"mean over {results['files']} files [95 % interval]; {results['sections']} sections of four bars",
            "",
            "hit F1 of reconstruction",
            measures.table({name: [cell] for name, cell in f1.items()}, ["hit F1"]),
            "",
            "squared error of all 27 rows",
            measures.table({name: [cell] for name, cell in error.items()}, ["MSE"], digits=4),
            "",
            f"{results['atoms_in_a_column']:.1f} atoms in a column of the code, {results['atoms_used']} atoms used",
            "",
            "hit F1 after so many hits dropped and as many spurious ones added, and de-noised",
            measures.table(results["denoising"], [f"{100 * share:.0f} %" for share in SHARES]),
        ]
    )
