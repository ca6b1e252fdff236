"""The piano half of the paper: figure 3 (right), figure 2, footnote 1 with numbers, and its future work."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terzetto.analysis.composer_map import mean_activity, works_of
from terzetto.analysis.performance_dictionary import open_performance_dictionary
from terzetto.analysis.performance_drawing import draw_composers
from terzetto.analysis.winners import OF_EACH_ATOM
from terzetto.evaluate.dictionary import table
from terzetto.evaluate.intervals import interval
from terzetto.score.performance_events import EVENTS
from terzetto_export.card import data_hash
from terzetto_export.conv_wta.composers import CLAIM, claim
from terzetto_export.conv_wta.network import ConvWta, keep_winners
from terzetto_export.conv_wta.performance_measures import accuracy, middle, note_f1
from terzetto_export.conv_wta.performance_recipe import PAPER, decoded, learn
from terzetto_export.conv_wta.performances import Line, Split, by_work, read_split
from terzetto_export.conv_wta.piano_bars import compare
from terzetto_export.conv_wta.recipe import AFTER, Design

PLAIN = replace(PAPER, levels=(), rows_apart=False)
DESIGNS = {
    "paper: TCN 1-8-16-24 on each row, k 100 to 75": PAPER,
    "TCN 8-16-24 on all rows": replace(PAPER, rows_apart=False),
    "TCN 128-128-128 on all rows": replace(PAPER, levels=(128, 128, 128), rows_apart=False),
    "no TCN, k 100 to 75": PLAIN,
    "no TCN, kernel of 4 events": replace(PLAIN, kernel=4),
    "no TCN, k = 75 throughout": replace(PLAIN, k_first=75),
    "no TCN, k = 75 after training": replace(PLAIN, k_first=75, taken=AFTER),
}
MAPPED = "no TCN, k 100 to 75"
OF_ATOMS = "no TCN, as many of each atom"
FOOTNOTE = ("no TCN, k = 75 throughout", "no TCN, k = 75 after training")


def designs(columns: int) -> dict[str, Design]:
    """Return all designs; with winners of each atom as large a share of an excerpt's columns wins as else of the atoms.

    The paper's k = 75 of each atom would be all of a short excerpt's columns.
    """
    first, last = (max(round(columns * k / PLAIN.atoms), 1) for k in (PLAIN.k_first, PLAIN.k_last))
    return {**DESIGNS, OF_ATOMS: replace(PLAIN, winners=OF_EACH_ATOM, k_first=first, k_last=last)}


@dataclass(frozen=True)
class PianoPlan:
    """How much of the piano music is read, and for how long.

    Attributes
    ----------
    epochs, columns : int
        See `terzetto_export.conv_wta.performance_recipe`.
    pieces : int or None
        Performances of each part, at most.
    dictionary : str or None
        Draw figure 2 by this model, of all performances; else by the network just trained, of those read.
    """

    performances: Path
    scores: Path
    out: Path
    epochs: int
    columns: int
    pieces: int | None
    dictionary: str | None = None
    seed: int = 0
    seeds: int = 1


def reproduce_piano(
    plan: PianoPlan, tell: Callable[[str], None]
) -> tuple[dict[str, Sequence[float]], OrderedDict[str, Any], str]:
    """Train each design; return the curves for figure 3, the numbers, and the numbers as text."""
    tell("reading the performances")
    split = read_split(plan.performances, tell=tell, pieces=plan.pieces)
    curves: dict[str, Sequence[float]] = {}
    right: OrderedDict[str, list[dict[str, float]]] = OrderedDict()
    by_work_of: dict[str, NDArray[np.float64]] = {}
    by_seed: dict[str, list[float]] = {}
    mapped: ConvWta | None = None
    for name, design in designs(plan.columns).items():
        runs = []
        for seed in range(plan.seed, plan.seed + plan.seeds):
            tell(f"piano, {name}, seed {seed}")
            network, history = learn(
                split.training,
                split.validation,
                design,
                epochs=plan.epochs,
                seed=seed,
                columns=plan.columns * PLAIN.kernel // design.kernel,
                tell=lambda line: None,
            )
            curves.setdefault(name, [loss / EVENTS for loss in history.loss])
            runs.append(_measure(network, design, split.test, plan.columns * PLAIN.kernel))
            if name == MAPPED and mapped is None:
                mapped = network
        right[name] = [interval(np.mean([run[i] for run in runs], axis=0)) for i in range(3)]
        by_work_of[name] = np.mean([run[0] for run in runs], axis=0)
        by_seed[name] = [float(run[0].mean()) for run in runs]
    results: OrderedDict[str, Any] = OrderedDict(
        epochs=plan.epochs,
        columns=plan.columns,
        performances=[len(split.training), len(split.validation), len(split.test)],
        works=len({line.work for line in split.test}),
        data_hash=data_hash(split.sources),
        designs=right,
        right_events_by_seed=by_seed,
        differences=OrderedDict(
            (f"k 100 to 75 − {name.removeprefix('no TCN, ')}", [interval(by_work_of[MAPPED] - by_work_of[name])])
            for name in FOOTNOTE
        ),
    )
    if mapped is None:
        raise AssertionError(f"{MAPPED} is one of the designs")
    results["figure_2"] = _figure_2(mapped, split, plan, tell)
    tell("piano in bars")
    results["bars"] = compare(plan.scores, PLAIN, plan.epochs, plan.seed, plan.columns, tell)
    return curves, results, _text(results, plan)


def _measure(network: ConvWta, design: Design, lines: Sequence[Line], longest: int) -> list[NDArray[np.float64]]:
    """Return the works' right events, note F1 and squared error in the middle of their performances."""
    events = {line.path: middle(line, design.kernel, longest) for line in lines}
    found = {path: decoded(network, design, each) for path, each in events.items()}
    return [
        by_work(lines, {path: accuracy(values.argmax(axis=0), events[path]) for path, values in found.items()}),
        by_work(lines, {path: note_f1(values.argmax(axis=0), events[path]) for path, values in found.items()}),
        by_work(lines, {path: _error(values, events[path]) for path, values in found.items()}),
    ]


def _error(values: NDArray[np.float32], events: NDArray[np.int64]) -> float:
    """Return the mean squared error against one-hot events."""
    here = values[events, np.arange(len(events))]
    return float(((values**2).sum(dtype=np.float64) + (1 - 2 * here).sum(dtype=np.float64)) / values.size)


def _figure_2(network: ConvWta, split: Split, plan: PianoPlan, tell: Callable[[str], None]) -> dict[str, Any]:
    """Draw the composers of the paper's claim, or all where these are not there, and test the claim."""
    if plan.dictionary is not None:
        dictionary = open_performance_dictionary(plan.dictionary)
        split = read_split(plan.performances, tell=tell)
    lines = (*split.training, *split.validation, *split.test)
    chosen = [line for line in lines if line.composer in CLAIM] or list(lines)
    if plan.dictionary is not None:
        activity = [mean_activity(dictionary.encode_events(line.events)) for line in chosen]
    else:
        activity = [_activity(network, line) for line in chosen]
    works, by, _ = works_of(activity, [line.composer for line in chosen], [line.work for line in chosen])
    draw_composers(works, by, plan.out / "figure_2.png")
    return {"works": len(by), "model": plan.dictionary or MAPPED, "claim": claim(works, by, plan.seed)}


def _activity(network: ConvWta, line: Line) -> NDArray[np.float64]:
    from terzetto.score.performance_events import one_hot

    events = line.events[: len(line.events) // PLAIN.kernel * PLAIN.kernel]
    with torch.no_grad():
        activity = network.activity(torch.from_numpy(one_hot(events)[None]))
        return mean_activity(keep_winners(activity, PLAIN.k_last, PLAIN.winners)[0].numpy())


def _text(results: OrderedDict[str, Any], plan: PianoPlan) -> str:
    two, bars = results["figure_2"], results["bars"]
    found = two["claim"]
    verdict = (
        found
        if isinstance(found, str)
        else f"{CLAIM[0]} to {CLAIM[2]} − to {CLAIM[1]}: {found['difference']:.4f}, with shuffled labels "
        f"{found['by_chance']:.4f}, p = {found['p']:.3f}: {found['verdict']}"
    )
    training, _, test = results["performances"]
    return "\n".join(
        [
            f"piano: {training} performances to train on, {test} of {results['works']} works held out; {plan.epochs} "
            f"epochs of excerpts of {plan.columns} columns, {plan.seeds} seed(s), k = 75 in the end",
            table({name: cells[:2] for name, cells in results["designs"].items()}, ["right events", "note F1"]),
            table({name: cells[2:] for name, cells in results["designs"].items()}, ["squared error"], digits=5),
            "right events, by work (footnote 1), and the means of the seeds:",
            table(results["differences"], ["right events"]),
            *(
                f"{name}: " + ", ".join(f"{each:.3f}" for each in found)
                for name, found in results["right_events_by_seed"].items()
            ),
            f"figure 2 ({two['works']} works, by {two['model']}): {plan.out / 'figure_2.png'}; {verdict}",
            f"Chopin's mazurkas and waltzes, {bars['training']} pieces ({bars['bars']} bars) to learn from, "
            f"{bars['test']} held out, {bars['notes_in_a_bar']:.1f} notes in a bar:",
            table(bars["note_f1"], ["note F1"]),
        ]
    )
