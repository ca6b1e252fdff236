"""All figures of a performance dictionary: reconstruction and de-noising of held-out works, beside baselines.

Conventions: a step is right where the largest of the 388 decoded values is the event that was played; note F1 asks the
same of the steps at which keys go down, and of those alone. Nothing drifts, since every column is decoded at its own
place. Everything is averaged over a work's performances, then over works; intervals are 95 % bootstrap over works.
Noise of a share p drops each note with probability p and adds p times as many: another pitch within the piece's range,
with the onset, length and velocity of notes of the piece.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.analysis.performance_dictionary import PerformanceDictionary
from terzetto.analysis.performance_edits import note_values
from terzetto.evaluate.dictionary import SHARES, table
from terzetto.evaluate.intervals import interval
from terzetto.score.notes import UNKNOWN, Score
from terzetto.score.performance_events import EVENTS, NOTE_OFF, from_events, to_events
from terzetto_export.conv_wta.performance_baselines import Principal, SimilarWindow, windows_of
from terzetto_export.conv_wta.performances import Events, Line, Split, by_work

KEEP = tuple(np.round(np.linspace(-0.05, 0.4, 19), 3).tolist())
SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
LONGEST = 4096  # events of a performance that are measured, from its middle
Values = NDArray[np.float32]
Value = Callable[[Score], NDArray[np.float64]]


def middle(line: Line, kernel: int, longest: int = LONGEST) -> Events:
    """Return the middle of a performance, whole kernels, at most ``longest`` events."""
    length = min(len(line.events), longest) // kernel * kernel
    start = (len(line.events) - length) // 2
    return line.events[start : start + length]


def accuracy(found: Events, events: Events) -> float:
    """Return the share of steps at which the event is right."""
    return float((found == events).mean())


def note_f1(found: Events, events: Events) -> float:
    """Return F1 of the steps at which keys go down."""
    right = int(((found == events) & (events < NOTE_OFF)).sum())
    return 2 * right / max(int((found < NOTE_OFF).sum() + (events < NOTE_OFF).sum()), 1)


def measure(
    dictionary: PerformanceDictionary, split: Split, tell: Callable[[str], None], seed: int = 0
) -> OrderedDict[str, Any]:
    """Return accuracy, note F1 and error of the test works, and note F1 after noise and its removal."""
    kernel, test = dictionary.kernel, split.test
    tell("baselines: principal components, the most similar training window")
    windows = windows_of(split.training, kernel, seed)
    principal, similar = Principal(windows, kernel, dictionary.k, seed), SimilarWindow(windows)
    common = int(np.bincount(windows.reshape(-1), minlength=EVENTS).argmax())
    methods: OrderedDict[str, Callable[[Events], Values | Events]] = OrderedDict()
    methods["dictionary"] = dictionary.values
    methods[f"{dictionary.k} principal components"] = principal
    methods["most similar training window"] = similar
    methods["the most common event"] = lambda events: np.full(len(events), common)
    results: OrderedDict[str, Any] = OrderedDict()
    results["works"], results["performances"] = len({line.work for line in test}), len(test)
    results["accuracy"], results["note_f1"] = OrderedDict(), OrderedDict()
    for name, method in methods.items():
        found = {line.path: _events(method(middle(line, kernel))) for line in test}
        for figure, score in (("accuracy", accuracy), ("note_f1", note_f1)):
            scores = {line.path: score(found[line.path], middle(line, kernel)) for line in test}
            results[figure][name] = interval(by_work(test, scores))
    error = {line.path: float(dictionary.error(dictionary.whole(middle(line, kernel))).mean()) for line in test}
    results["squared_error"] = OrderedDict(
        dictionary=interval(by_work(test, error)), silence=interval(np.full(results["works"], 1.0 / EVENTS))
    )
    results["atoms_used"] = int(
        np.any([dictionary.encode_events(middle(line, kernel)).max(axis=1) > 0 for line in test], axis=0).sum()
    )
    results["denoising"] = _denoising(dictionary, split, tell)
    return results


def table_of(results: OrderedDict[str, Any]) -> str:
    """Return the results as text."""
    rows = {name: [cell, results["note_f1"][name]] for name, cell in results["accuracy"].items()}
    return "\n".join(
        [
            f"mean over {results['works']} held-out works ({results['performances']} performances) [95 % interval]",
            "",
            table(rows, ["right events", "note F1"]),
            "",
            table({name: [cell] for name, cell in results["squared_error"].items()}, ["MSE"], digits=5),
            "",
            f"{results['atoms_used']} atoms used",
            "",
            "note F1 after so many notes dropped and as many spurious ones added, and de-noised",
            table(results["denoising"], [f"{100 * share:.0f} %" for share in SHARES]),
        ]
    )


def choose_keep(dictionary: PerformanceDictionary, lines: Sequence[Line]) -> float:
    """Return the value from which notes are kept with the best mean F1 over all shares of noise (validation works)."""
    return _choose(lines, dictionary.kernel, KEEP, _known_by(dictionary))


def add_noise(score: Score, share: float, seed: int) -> tuple[Score, NDArray[np.bool_]]:
    """Return a performance with notes dropped and spurious ones added, and which of its notes are true; see above."""
    random = np.random.default_rng(seed)
    kept = score.select(random.random(len(score)) >= share)
    count = int(random.binomial(len(score), share))
    models = random.integers(0, len(score), count)
    pitch = random.integers(score.pitch.min(), score.pitch.max() + 1, count)
    length = (score.offset - score.onset)[random.integers(0, len(score), count)]
    onset = score.onset[models]
    noisy = Score(
        np.concatenate([kept.onset, onset]),
        np.concatenate([kept.offset, onset + length]),
        np.concatenate([kept.pitch, pitch]),
        np.concatenate([kept.velocity, score.velocity[models]]),
        np.full(len(kept) + count, UNKNOWN),
        np.concatenate([np.zeros(len(kept), np.int64), np.ones(count, np.int64)]),
    )
    played = set(zip(score.onset.tolist(), score.pitch.tolist(), strict=True))
    true = [(t, p) in played for t, p in zip(noisy.onset.tolist(), noisy.pitch.tolist(), strict=True)]
    return noisy, np.array(true, bool)


def recurrence(score: Score) -> NDArray[np.float64]:
    """Return for each note minus the seconds to the nearest other stroke of its key: the value of a plain filter."""
    value = np.full(len(score), -np.inf)
    for pitch in np.unique(score.pitch):
        places = np.flatnonzero(score.pitch == pitch)
        gap = np.diff(score.onset[places], prepend=-np.inf, append=np.inf)
        value[places] = -np.minimum(gap[:-1], gap[1:])
    return value


def _denoising(
    dictionary: PerformanceDictionary, split: Split, tell: Callable[[str], None]
) -> OrderedDict[str, list[dict[str, float]]]:
    kernel = dictionary.kernel
    gap = _choose(split.validation, kernel, tuple(-s for s in SECONDS), recurrence)
    tell(f"de-noising: notes stay from {dictionary.keep:g} on, or where the key is struck again within {-gap:g} s")
    values: OrderedDict[str, tuple[Value, float]] = OrderedDict()
    values["no filter"] = (lambda score: np.zeros(len(score)), -1.0)
    values["dictionary"] = (_known_by(dictionary), dictionary.keep)
    values[f"struck again within {-gap:g} s"] = (recurrence, gap)
    result: OrderedDict[str, list[dict[str, float]]] = OrderedDict()
    scores: dict[str, list[NDArray[np.float64]]] = {name: [] for name in values}
    for name, (value, keep) in values.items():
        for n, share in enumerate(SHARES):
            f1 = {line.path: _f1(line, kernel, share, 1000 + n, value, (keep,))[0] for line in split.test}
            scores[name].append(by_work(split.test, f1))
        result[name] = [interval(each) for each in scores[name]]
    others = [scores[name] for name in scores if name != "dictionary"]
    result["dictionary − best other"] = [
        interval(scores["dictionary"][i] - max((other[i] for other in others), key=lambda each: float(each.mean())))
        for i in range(len(SHARES))
    ]
    return result


def _known_by(dictionary: PerformanceDictionary) -> Value:
    return lambda score: note_values(score, dictionary.values(to_events(score)))


def _choose(lines: Sequence[Line], kernel: int, candidates: Sequence[float], value: Value) -> float:
    scores = np.mean(
        [_f1(line, kernel, share, n, value, candidates) for line in lines for n, share in enumerate(SHARES)], axis=0
    )
    return float(candidates[int(np.argmax(scores))])


def _f1(line: Line, kernel: int, share: float, seed: int, value: Value, keep: Sequence[float]) -> list[float]:
    """Return note F1 after noise and its removal, for each threshold."""
    score = from_events(middle(line, kernel))
    noisy, true = add_noise(score, share, seed)
    found = value(noisy)
    return [2 * float(true[found >= each].sum()) / max(int((found >= each).sum()) + len(score), 1) for each in keep]


def _events(found: Values | Events) -> Events:
    return np.asarray(found.argmax(axis=0) if found.ndim == 2 else found, np.int64)
