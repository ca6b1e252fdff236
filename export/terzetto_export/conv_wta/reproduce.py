"""Figure 3 (reconstruction loss while k falls) and footnote 1 (winners during training, k falling) with numbers."""

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
from terzetto.evaluate.dictionary import Float, squared_error, table
from terzetto.evaluate.drum_patterns import best_threshold, f1_by_file
from terzetto.evaluate.intervals import interval
from terzetto.whole_file import write_whole
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.conv_wta.drum_sections import Split, read_split
from terzetto_export.conv_wta.drum_training import learn
from terzetto_export.conv_wta.network import ConvWta, keep_winners
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
    """Where the data are, where the results go, and how long it trains."""

    data: Path
    out: Path
    epochs: int
    seed: int = 0
    seeds: int = 1


def reproduce(plan: Plan, tell: Callable[[str], None]) -> str:
    """Train each design, draw the curves, and return the numbers as text."""
    split = read_split(plan.data, tell=tell)
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
    write_whole(plan.out / "figure_3.png", lambda file: file.write(_draw(curves)))
    facts = {"seed": plan.seed, "seeds": plan.seeds, "epochs": plan.epochs, "data_hash": data_hash(split.sources)}
    results: dict[str, Any] = {**facts, "commit": commit(), "machine": machine(), "hit_f1": f1, "squared_error": error}
    write_whole(plan.out / "results.json", lambda file: file.write(json.dumps(results, indent=2).encode()))
    return "\n".join(
        [
            f"{len(split.test.paths)} held-out files; {plan.epochs} epochs, "
            f"{plan.seeds} seed(s), one winner in the end",
            table(f1, ["hit F1"]),
            table(error, ["squared error"], digits=4),
            f"figure 3: {plan.out / 'figure_3.png'}",
        ]
    )


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


def _draw(curves: Mapping[str, Sequence[float]]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure((11.0, 4.0), layout="constrained")
    places = figure.subplots(1, 2, sharey=True)
    for place, winners in zip(places, (OF_EACH_ATOM, IN_EACH_COLUMN), strict=True):
        for name, design in DESIGNS.items():
            if design.winners == winners and name in curves:
                place.plot(np.arange(1, len(curves[name]) + 1), curves[name], label=name)
        place.set_yscale("log")
        place.set_xlabel("epoch")
        place.set_title(f"winners {winners}", fontsize=10)
        place.legend(fontsize=8)
    places[0].set_ylabel("training loss (MSE)")
    figure.suptitle("Groove: reconstruction loss while k falls (figure 3, left)", fontsize=11)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    return picture.getvalue()
