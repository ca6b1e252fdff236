"""Composers told apart by the atoms they use (3.4), beside plain features; and the paper's claim about them, tested.

The unit is the work: a row of features is the mean over its performances. Each work is left out once and told by a
logistic regression on all others (composers of fewer than three works are left out: they could not be told). The
dictionary has heard the training works, but never who they are by; its test works are shown apart.
"""

from __future__ import annotations

import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.analysis.composer_map import centroid_distances, mean_activity, nearer, works_of
from terzetto.analysis.performance_dictionary import PerformanceDictionary
from terzetto.errors import InputError
from terzetto.evaluate.dictionary import table
from terzetto.evaluate.intervals import interval
from terzetto.score.performance_events import EVENTS, NOTE_OFF
from terzetto_export.conv_wta.performances import Events, Line, Split

FEWEST_WORKS = 3
CLAIM = ("Haydn", "Beethoven", "Chopin")
_WIDEST = 12  # semitones; wider intervals count as this
Features = NDArray[np.float64]


def pitches_and_intervals(events: Events) -> Features:
    """Return histograms of pitch classes (12) and of steps from each key struck to the next (25), each summing to 1."""
    pitch = events[events < NOTE_OFF]
    classes = np.bincount(pitch % 12, minlength=12)
    steps = np.bincount(np.diff(pitch).clip(-_WIDEST, _WIDEST) + _WIDEST, minlength=2 * _WIDEST + 1)
    return np.concatenate([classes / max(classes.sum(), 1), steps / max(steps.sum(), 1)])


def event_shares(events: Events) -> Features:
    """Return how often each of the 388 events is, summing to 1."""
    return np.asarray(np.bincount(events, minlength=EVENTS) / max(len(events), 1), np.float64)


def features_of(dictionary: PerformanceDictionary, lines: Sequence[Line]) -> OrderedDict[str, Features]:
    """Return each performance's features by what they are."""
    return OrderedDict(
        {
            "atoms": np.stack([mean_activity(dictionary.encode_events(line.events)) for line in lines]),
            "pitch classes and intervals": np.stack([pitches_and_intervals(line.events) for line in lines]),
            "shares of the 388 events": np.stack([event_shares(line.events) for line in lines]),
        }
    )


def measure(
    dictionary: PerformanceDictionary, split: Split, tell: Callable[[str], None], seed: int = 0
) -> OrderedDict[str, Any]:
    """Return the accuracy over works, the centroid distances, and the test of the paper's claim."""
    lines = (*split.training, *split.validation, *split.test)
    tell(f"encoding {len(lines)} performances")
    features = features_of(dictionary, lines)
    composers, names = [line.composer for line in lines], [line.work for line in lines]
    works = {what: works_of(values, composers, names)[0] for what, values in features.items()}
    _, by, of = works_of(features["atoms"], composers, names)
    results: OrderedDict[str, Any] = OrderedDict(works=dict(sorted(Counter(by).items())))
    results["distances"] = {f"{one} – {other}": d for (one, other), d in centroid_distances(works["atoms"], by).items()}
    results["claim"] = OrderedDict((what, claim(values, by, seed)) for what, values in works.items())
    held_out = np.isin(of, [line.work for line in split.test])
    results["accuracy"] = accuracy(works, np.array(by), held_out)
    return results


def claim(works: Features, by: Sequence[str], seed: int) -> dict[str, Any] | str:
    """Return the test of "Haydn lies nearer to Beethoven than to Chopin", or why it cannot be made."""
    try:
        return vars(nearer(works, by, *CLAIM, seed=seed))
    except InputError as problem:
        return str(problem)


def accuracy(
    works: Mapping[str, Features], by: NDArray[np.str_], held_out: NDArray[np.bool_]
) -> OrderedDict[str, list[dict[str, float]]] | str:
    """Return for each kind of features the share of works told rightly: of all, and of those held out altogether."""
    counts = Counter(by.tolist())
    known = np.array([counts[name] >= FEWEST_WORKS for name in by])
    if len(set(by[known].tolist())) < 2:
        return f"fewer than two composers have {FEWEST_WORKS} works"
    right = OrderedDict((what, _left_out(values[known], by[known])) for what, values in works.items())
    most = np.array([_majority(np.delete(by[known], i)) == name for i, name in enumerate(by[known])], np.float64)
    right["always the one with most works"] = most
    apart = held_out[known]

    def both(each: NDArray[np.float64]) -> list[dict[str, float]]:
        return [interval(each), interval(each[apart])] if apart.any() else [interval(each)]

    shown: OrderedDict[str, list[dict[str, float]]] = OrderedDict()
    for what, each in right.items():
        shown[f"{what} ({len(each)} works, {int(apart.sum())})"] = both(each)
    best = max(("pitch classes and intervals", "shares of the 388 events"), key=lambda what: right[what].mean())
    difference = right["atoms"] - right[best]
    shown[f"atoms − {best}"] = both(difference)
    return shown


def table_of(results: Mapping[str, Any]) -> str:
    """Return the results as text."""
    lines = ["composers, by works: " + ", ".join(f"{name} {count}" for name, count in results["works"].items()), ""]
    told = results["accuracy"]
    lines.append(told if isinstance(told, str) else table(told, ["told rightly", "of works held out"]))
    lines += ["", f"is {CLAIM[0]} nearer to {CLAIM[1]} than to {CLAIM[2]}? Distance to the latter minus to the former:"]
    for what, found in results["claim"].items():
        lines.append(
            f"  {what}: {found}"
            if isinstance(found, str)
            else f"  {what}: {found['difference']:.4f}, with shuffled labels {found['by_chance']:.4f}, "
            f"p = {found['p']:.3f}: {found['verdict']} (works: {', '.join(map(str, found['works']))})"
        )
    return "\n".join(lines)


def _left_out(values: Features, by: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return for each work whether it is told rightly by all others."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    right = []
    for i in range(len(by)):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a composer with one work left says so
            model.fit(np.delete(values, i, axis=0), np.delete(by, i))
        right.append(model.predict(values[i : i + 1])[0] == by[i])
    return np.array(right, np.float64)


def _majority(names: NDArray[np.str_]) -> str:
    return str(Counter(sorted(names.tolist())).most_common(1)[0][0])
