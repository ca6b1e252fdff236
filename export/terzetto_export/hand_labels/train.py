"""From folders of scores to ``hand_labels.onnx`` and its card."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from terzetto.errors import InputError
from terzetto.models import user_folder
from terzetto.score.hand_baselines import Parameters
from terzetto.score.hand_features import FUTURE, FUTURE_SECONDS, N_FEATURES
from terzetto.score.hand_labels import TASK
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.hand_labels.augmentation import Amount
from terzetto_export.hand_labels.card import write_card
from terzetto_export.hand_labels.data import Piece, Split, read_pieces, split_by_work
from terzetto_export.hand_labels.network import HandEnsemble, HandNetwork
from terzetto_export.hand_labels.recipe import HandRecipe, prepare
from terzetto_export.onnx_file import Description, export
from terzetto_export.training import History, Schedule, choose_device, fit, tell_on_terminal

NAMES = {"scores": "hand_labels", "performances": "hand_labels_performances"}
FOLDERS = {"scores": ("piano/scores_cc_by",), "performances": ("piano/performances", "piano/scores_cc_by")}
LICENCES = {
    "scores": "CC BY 4.0 (Chopin first editions, NIFC)",
    "performances": "CC BY-NC-SA 4.0 (trained on nASAP; research only, never shipped with Terzetto)",
    "own": "that of the data it was trained on",
}
# Whole composers that the research recipe never sees; the report on them is the sternest.
COMPOSERS_APART = ("Mozart", "Schumann", "Debussy")
LEARNING_RATE = 2e-3


@dataclass(frozen=True)
class Plan:
    """What to train, as the command line says it; see ``terzetto train hand-labels --help``."""

    recipe: str = "scores"
    data: Sequence[Path] | None = None
    out: Path | None = None
    seed: int = 0
    seeds: int = 1
    epochs: int = 30
    minutes: float | None = None
    device: str = "auto"
    resume: bool = False

    @property
    def folders(self) -> list[Path]:
        """Where the data are.

        Raises
        ------
        InputError
            None was given, and the recipe's own data set is not there.
        """
        if self.data:
            return list(self.data)
        root = Path(os.environ.get("TERZETTO_DATA", "../shared/data"))
        folders = [root / name for name in FOLDERS[self.recipe]]
        for folder in folders:
            if not folder.is_dir():
                raise InputError(
                    f"{folder}: the recipe's data set is not there; set TERZETTO_DATA to the folder of the data set, "
                    "or give folders of scores with hands with --data"
                )
        return folders

    @property
    def licence(self) -> str:
        """Of the model; nobody but its maker knows that of one's own data."""
        return LICENCES["own" if self.data else self.recipe]


def train(plan: Plan, tell: Callable[[str], None] = tell_on_terminal) -> Path:
    """Train as planned and return the model's path.

    Raises
    ------
    InputError
        Too little data, or none.
    """
    device = choose_device(plan.device)
    pieces = read_pieces(plan.folders, tell)
    split = split_by_work(pieces, COMPOSERS_APART if plan.recipe == "performances" else ())
    tell(
        f"{len(split.training)} pieces for training, {len(split.validation)} for validation, {len(split.test)} for the "
        f"test, {len(split.other_composers)} of other composers; no work is in two of them"
    )
    model = (plan.out or user_folder()) / f"{NAMES[plan.recipe]}.onnx"
    seeds = range(plan.seed, plan.seed + plan.seeds)
    if not seeds:
        raise InputError(f"--seeds {plan.seeds} trains nothing; give at least 1")
    trained = [_train_one(plan, split, seed, device, model, tell) for seed in seeds]
    network = HandEnsemble([network for network, _ in trained]).eval()
    difference = _export(network, model, plan, split)
    for seed in seeds:
        _checkpoint(model, seed).unlink(missing_ok=True)
    histories = [history for _, history in trained]
    facts = [
        ("parameters", f"{sum(p.numel() for p in network.parameters()):,}"),
        ("networks, one a seed", f"{plan.seeds}, seeds {seeds[0]} to {seeds[-1]}; the mean of their logits counts"),
        ("validation of each", ", ".join(f"{100 * history.best:.2f} %" for history in histories)),
        ("epoch of each", ", ".join(f"{history.best_epoch} of {len(history.loss)}" for history in histories)),
        ("training of each", ", ".join(f"{h.seconds / 60:.0f} min" for h in histories) + f" on {device.type}"),
        ("data hash", data_hash(piece.path for piece in pieces)),
        ("commit", commit()),
        ("machine", machine()),
        ("PyTorch to ONNX", f"{difference:.0e} of the largest output"),
    ]
    write_card(model, plan.recipe, plan.licence, plan.data, split, facts, _command(plan))
    return model


def _train_one(
    plan: Plan, split: Split, seed: int, device: torch.device, model: Path, tell: Callable[[str], None]
) -> tuple[HandNetwork, History]:
    torch.manual_seed(seed)
    network = HandNetwork()
    recipe = HandRecipe(split.training, split.validation, Amount(), network=network, device=device)
    minutes = None if plan.minutes is None else plan.minutes / plan.seeds
    schedule = Schedule(plan.epochs, learning_rate=LEARNING_RATE, minutes=minutes)
    checkpoint = _checkpoint(model, seed)
    history = fit(recipe, schedule, seed=seed, checkpoint=checkpoint, resume=plan.resume, tell=tell)
    return network.cpu(), history


def _checkpoint(model: Path, seed: int) -> Path:
    return model.with_name(f"{model.stem}.seed{seed}.ckpt")


def _export(network: HandEnsemble, model: Path, plan: Plan, split: Split) -> float:
    constants = {
        "features": N_FEATURES,
        "memory": network.memory,
        "look_ahead": [FUTURE, FUTURE_SECONDS],
        "recipe": plan.recipe,
        "trained_on": sorted({*split.works("training"), *split.works("validation")}),
        "hmm": Parameters.count((p.onset, p.pitch, p.hand) for p in split.training).to_json(),
    }
    zeros = torch.zeros(1, 1, network.memory)
    real = [_example(piece, zeros) for piece in split.validation[:3]]
    return export(
        network,
        model,
        Description(TASK, plan.licence, constants),
        {"features": torch.zeros(2, 1, N_FEATURES), "state": zeros, "whole": torch.ones(1, 1, 1)},
        ["logit", "state_after"],
        {"features": {0: "notes"}, "logit": {0: "notes"}},
        real,
    )


def _example(piece: Piece, state: torch.Tensor) -> dict[str, torch.Tensor]:
    table, _ = prepare(piece)
    rows = torch.from_numpy(table[:200].astype(np.float32))[:, None]
    return {"features": rows, "state": state, "whole": torch.ones(1, 1, 1)}


def _command(plan: Plan) -> str:
    parts = ["terzetto train hand-labels", f"--recipe {plan.recipe}", f"--epochs {plan.epochs}"]
    if plan.data:
        parts.append("--data " + " ".join(folder.name for folder in plan.data))
    parts.append(f"--seed {plan.seed} --seeds {plan.seeds}")
    if plan.minutes is not None:
        parts.append(f"--minutes {plan.minutes:g}")
    return " ".join(parts)
