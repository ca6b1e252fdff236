"""How many notes a model gives to the right hand: staff agreement.

Conventions
-----------
The truth is the staff a note is written on, a near proxy of the hand. *Staff agreement* is the share of notes whose
label is that of their staff. Of several performances of a piece the mean counts; means over pieces have 95 % bootstrap
intervals over pieces (percentile, 10,000 resamples). Pieces of an opus that the model was trained on are left out.

A note is *across the staves* if a note of the other staff that starts within half a second of it lies on its wrong
side: a left note above the lowest, a right note below the highest of them.

The baselines are those of `terzetto.score.hand_baselines`; the HMM's parameters come from the model's training data.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import terzetto
from terzetto.errors import InputError
from terzetto.evaluate.intervals import interval
from terzetto.models import Model
from terzetto.score.hand_baselines import merged_output_hmm, split_at_middle_c, split_at_midpoint
from terzetto.score.hand_labels import (
    DEFAULT_MODEL,
    LIVE_MODEL,
    LIVE_TASK,
    HandLabeller,
    baseline_parameters,
    label_hands,
    open_labeller_model,
    open_live_model,
)
from terzetto.score.notes import LEFT, RIGHT, Score
from terzetto.score.read import READERS, read_score
from terzetto.score.works import Work, identify, read_index

METHODS = ("model", "hmm", "midpoint", "middle-c")
CONCURRENT = 0.5
Counts = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Truth:
    """A piece whose staves are known; ``guessed`` is how many labels its data set took from neighbouring notes."""

    work: Work
    score: Score
    guessed: int = 0


def validate(data: Path, model: Model) -> tuple[list[Truth], list[str]]:
    """Return a folder's pieces that the model was not trained on, and the opuses that it was.

    Raises
    ------
    InputError
        No such folder, no scores with hands in it, or the model has seen them all.
    """
    if not data.is_dir():
        raise InputError(f"{data}: no such folder; give one with scores whose hands are known (tracks rh and lh)")
    index, trained_on = read_index(data), set(model.constants.get("trained_on", []))
    paths = {path.with_suffix(""): path for path in sorted(data.rglob("*")) if path.suffix.lower() in READERS}
    paths.pop(data / "index", None)
    truths, seen = [], set()
    for path in paths.values():
        work = identify(path, data, index)
        if work.opus in trained_on:
            seen.add(work.opus)
            continue
        row = index.get(path.relative_to(data).as_posix(), {})
        truths.append(Truth(work, read_score(path), int(row.get("notes_labelled_by_neighbour") or 0)))
    if not truths:
        problem = "the model was trained on every work in it" if seen else f"no scores ({', '.join(READERS)}) in it"
        raise InputError(f"{data}: {problem}; give a folder of other works whose hands are known")
    return truths, sorted(seen)


def across_staves(score: Score) -> NDArray[np.bool_]:
    """Return which notes lie on the wrong side of a note of the other staff within half a second; see the module."""
    result = np.zeros(len(score), bool)
    for hand, sign in ((LEFT, 1), (RIGHT, -1)):
        mine, others = np.flatnonzero(score.hand == hand), np.flatnonzero(score.hand != hand)
        first = np.searchsorted(score.onset[others], score.onset[mine] - CONCURRENT, side="left")
        after = np.searchsorted(score.onset[others], score.onset[mine] + CONCURRENT, side="right")
        nearest = sign * score.pitch[others]
        for note, start, stop in zip(mine, first, after, strict=True):
            result[note] = stop > start and sign * score.pitch[note] > nearest[start:stop].min()
    return result


def count(truth: Truth, model: Model) -> Counts:
    """Return by method how many notes are right, (across the staves, elsewhere); under ``notes`` how many there are."""
    score = truth.score
    across = across_staves(score)
    hands = {
        "model": _live(score, model) if model.task == LIVE_TASK else label_hands(score, model).hand,
        "hmm": merged_output_hmm(score.onset, score.pitch, baseline_parameters(model)),
        "midpoint": split_at_midpoint(score.onset, score.pitch),
        "middle-c": split_at_middle_c(score.pitch),
    }
    counts = {name: _both(hand == score.hand, across) for name, hand in hands.items()}
    return {"notes": _both(np.ones(len(score), bool), across), **counts}


def _live(score: Score, model: Model) -> NDArray[np.int64]:
    labeller = HandLabeller(model)
    labels = sorted([*labeller.extend(score.onset, score.pitch), *labeller.flush()])
    return np.array([label.hand for label in labels], np.int64)


def evaluate(data: Path, model: str | None = None, *, live: bool = False) -> OrderedDict[str, Any]:
    """Label every piece of a folder that the model has not seen, and compare with its staves.

    Parameters
    ----------
    data
        MIDI or CSV scores with hands, in it or below; an ``index.csv`` may name composers and titles.
    model
        A model's name or the path of its file; without it the shipped one.
    live
        Label note by note, as while they are played; the model is one for that.
    """
    opened = open_live_model(model or LIVE_MODEL) if live else open_labeller_model(model or DEFAULT_MODEL)
    truths, seen = validate(data, opened)
    results = summarise(truths, [count(truth, opened) for truth in truths])
    results.update(left_out=seen, model=opened.name, sha256=opened.sha256, version=terzetto.__version__)
    return results


def summarise(truths: Sequence[Truth], counts: Sequence[Counts]) -> OrderedDict[str, Any]:
    """Return agreement over all pieces, by composer, by piece, and across the staves."""
    pieces: dict[tuple[str, str], list[Counts]] = defaultdict(list)
    for truth, found in zip(truths, counts, strict=True):
        pieces[truth.work.composer, truth.work.title].append(found)
    shares = {piece: _shares(found) for piece, found in pieces.items()}
    composers = sorted({composer for composer, _ in pieces})
    notes = sum(found["notes"] for found in counts)
    results: OrderedDict[str, Any] = OrderedDict()
    results["pieces"], results["files"], results["notes"] = len(pieces), len(counts), int(np.sum(notes))
    results["labels_from_neighbours"] = sum(truth.guessed for truth in truths)
    results["all"] = _over(list(shares.values()))
    results["of_all_notes"] = {name: _of(counts, name, slice(None)) for name in METHODS}
    results["across_staves"] = {"notes": int(np.sum([c["notes"][0] for c in counts]))}
    results["across_staves"].update({name: _of(counts, name, slice(0, 1)) for name in METHODS})
    results["elsewhere"] = {name: _of(counts, name, slice(1, 2)) for name in METHODS}
    results["by_composer"] = {
        composer: {
            "pieces": sum(name == composer for name, _ in pieces),
            **_over([share for (name, _), share in shares.items() if name == composer]),
        }
        for composer in composers
    }
    results["by_piece"] = {f"{composer} {title}".strip(): share for (composer, title), share in sorted(shares.items())}
    return results


def table(results: OrderedDict[str, Any]) -> str:
    """Return the results as text."""
    lines = [
        f"staff agreement in %, mean over {results['pieces']} pieces [95 % interval]; {results['files']} files, "
        f"{results['notes']} notes",
        f"{'':24}" + "".join(f"{name:>22}" for name in METHODS),
        _row("all", results["all"]),
    ]
    if len(results["by_composer"]) > 1:
        lines += [_row(f"  {name} ({row['pieces']})", row) for name, row in results["by_composer"].items()]
    across = results["across_staves"]
    for name, row in (
        ("of all notes", results["of_all_notes"]),
        (f"across staves ({across['notes']})", across),
        ("elsewhere", results["elsewhere"]),
    ):
        lines.append(f"{name:24}" + "".join(f"{_percent(row[method]):>22}" for method in METHODS))
    guessed = results["labels_from_neighbours"]
    if guessed:
        lines.append(
            f"{guessed} labels ({100 * guessed / results['notes']:.1f} %) "
            "of the truth were guessed from neighbouring notes; the data set does not say which, so they are counted"
        )
    if results.get("left_out"):
        lines.append(f"left out, the model was trained on them: {', '.join(results['left_out'])}")
    return "\n".join(lines)


def _row(name: str, summary: dict[str, Any]) -> str:
    cells = [
        f"{_percent(s['mean'])} [{_percent(s['low'])}, {_percent(s['high'])}]" for s in (summary[m] for m in METHODS)
    ]
    return f"{name:24}" + "".join(f"{cell:>22}" for cell in cells)


def _percent(value: float) -> str:
    return f"{100 * value:5.1f}" if np.isfinite(value) else "    -"


def _both(right: NDArray[np.bool_], across: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.array([int((right & across).sum()), int((right & ~across).sum())])


def _shares(counts: Sequence[Counts]) -> dict[str, float]:
    """Return each method's agreement on one piece, the mean over its files."""
    return {name: float(np.mean([c[name].sum() / c["notes"].sum() for c in counts])) for name in METHODS}


def _of(counts: Sequence[Counts], name: str, part: slice) -> float:
    notes = sum(int(c["notes"][part].sum()) for c in counts)
    return sum(int(c[name][part].sum()) for c in counts) / notes if notes else float("nan")


def _over(shares: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and interval over pieces."""
    return {name: interval([share[name] for share in shares]) for name in METHODS}
