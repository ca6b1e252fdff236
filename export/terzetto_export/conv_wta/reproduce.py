"""Figures 2 and 3 (composers; reconstruction loss while k falls), and footnote 1 (winners, k) with numbers.

The piano half is `terzetto_export.conv_wta.performance_reproduce`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch

from terzetto.analysis.winners import IN_EACH_COLUMN, OF_EACH_ATOM
from terzetto.drums.drum_map import DRUMS
from terzetto.errors import InputError
from terzetto.evaluate.dictionary import Float, squared_error, table
from terzetto.evaluate.drum_patterns import best_threshold, f1_by_file
from terzetto.evaluate.intervals import interval
from terzetto.whole_file import write_whole
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.conv_wta.drum_sections import Split, read_split
from terzetto_export.conv_wta.drum_training import learn
from terzetto_export.conv_wta.network import ConvWta, keep_winners
from terzetto_export.conv_wta.performance_reproduce import PianoPlan, reproduce_piano
from terzetto_export.conv_wta.recipe import AFTER, Design

DESIGNS = {
    "paper: k 4 to 1 of each atom": Design(),
    "k = 1 throughout": Design(k_first=1),
    "k = 1 after training": Design(k_first=1, taken=AFTER),
    "k 4 to 1 in each column": Design(winners=IN_EACH_COLUMN),
    "k = 1 in each column, throughout": Design(winners=IN_EACH_COLUMN, k_first=1),
    "k = 1 in each column, after": Design(winners=IN_EACH_COLUMN, k_first=1, taken=AFTER),
}


@dataclass(frozen=True)
class Plan:
    """Where the data are, where the results go, and how long it trains; without ``data`` or ``piano`` that half is not.

    Raises
    ------
    InputError
        Neither.
    """

    data: Path | None
    out: Path
    epochs: int
    seed: int = 0
    seeds: int = 1
    piano: PianoPlan | None = None

    def __post_init__(self) -> None:
        if self.data is None and self.piano is None:
            raise InputError("neither drums nor piano: there is nothing to make")


def reproduce(plan: Plan, tell: Callable[[str], None]) -> str:
    """Train each design, draw the curves, and return the numbers as text."""
    facts = {"seed": plan.seed, "seeds": plan.seeds, "commit": commit(), "machine": machine()}
    results: dict[str, Any] = dict(facts)
    text: list[str] = []
    panels: dict[str, Mapping[str, Sequence[float]]] = {}
    if plan.data is not None:
        curves, results["drums"], told = _drums(plan, plan.data, tell)
        for winners in (OF_EACH_ATOM, IN_EACH_COLUMN):
            panels[f"Groove, winners {winners}"] = {
                name: curves[name] for name, design in DESIGNS.items() if design.winners == winners
            }
        text.append(told)
    if plan.piano is not None:
        panels["piano performances"], results["piano"], told = reproduce_piano(plan.piano, tell)
        text.append(told)
    write_whole(plan.out / "figure_3.png", lambda file: file.write(_draw(panels)))
    write_whole(plan.out / "results.json", lambda file: file.write(json.dumps(results, indent=2).encode()))
    return "\n\n".join([*text, f"figure 3: {plan.out / 'figure_3.png'}"])


def _drums(
    plan: Plan, data: Path, tell: Callable[[str], None]
) -> tuple[dict[str, Sequence[float]], dict[str, Any], str]:
    split = read_split(data, tell=tell)
    curves: dict[str, Sequence[float]] = {}
    f1: dict[str, list[dict[str, float]]] = {}
    error: dict[str, list[dict[str, float]]] = {}
    for name, design in DESIGNS.items():
        runs = []
        for seed in range(plan.seed, plan.seed + plan.seeds):
            tell(f"{name}, seed {seed}")
            network, history = learn(
                split.training, split.validation, design, epochs=plan.epochs, seed=seed, tell=lambda line: None
            )
            curves.setdefault(name, history.loss)
            runs.append(_measure(network, design, split))
        f1[name] = [interval(np.mean([run[0] for run in runs], axis=0))]
        error[name] = [interval(np.mean([run[1] for run in runs], axis=0))]
    facts = {"epochs": plan.epochs, "data_hash": data_hash(split.sources), "hit_f1": f1, "squared_error": error}
    told = [
        f"drums: {len(split.test.paths)} held-out files; {plan.epochs} epochs, {plan.seeds} seed(s), one winner in the "
        "end",
        table(f1, ["hit F1"]),
        table(error, ["squared error"], digits=4),
    ]
    return curves, facts, "\n".join(told)


def _measure(network: ConvWta, design: Design, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Return each test file's hit F1 (threshold chosen on validation) and squared error."""

    def decoded(rows: Float) -> Float:
        with torch.no_grad():
            code = keep_winners(network.activity(torch.from_numpy(rows)), design.k_last, design.winners)
            return np.asarray(network.decoder(code).numpy(), np.float32)

    n, test, validation = len(DRUMS), split.test, split.validation
    threshold, _ = best_threshold(decoded(validation.rows)[:, :n], validation.hits, validation.file)
    found = decoded(test.rows)
    return f1_by_file(found[:, :n] >= threshold, test.hits, test.file), squared_error(found, test.rows, test.file)


def _draw(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure((5.5 * len(panels), 4.0), layout="constrained")
    places = figure.subplots(1, len(panels), squeeze=False)[0]
    for place, (title, curves) in zip(places, panels.items(), strict=True):
        for name, losses in curves.items():
            place.plot(np.arange(1, len(losses) + 1), losses, label=name)
        place.set_yscale("log")
        place.set_xlabel("epoch")
        place.set_title(title, fontsize=10)
        place.legend(fontsize=8)
    places[0].set_ylabel("training loss (MSE)")
    figure.suptitle("Reconstruction loss while k falls (figure 3)", fontsize=11)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    return picture.getvalue()
