"""From folders of scores to ``hand_labels.onnx`` or ``hand_labels_live.onnx`` and its card."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from terzetto.errors import InputError
from terzetto.models import user_folder
from terzetto.score.hand_baselines import Parameters
from terzetto.score.hand_features import FUTURE, FUTURE_SECONDS, N_FEATURES
from terzetto.score.hand_labels import LIVE_TASK, TASK
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.hand_labels.attention import WholeEnsemble, WholeNetwork
from terzetto_export.hand_labels.card import write_card
from terzetto_export.hand_labels.data import Piece, Split, read_pieces, split_by_work
from terzetto_export.hand_labels.made_up import make_up
from terzetto_export.hand_labels.recipe import LENGTH, HandRecipe, cut_up
from terzetto_export.hand_labels.recurrent import LiveEnsemble, LiveNetwork
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
# Width, heads and blocks of the network for whole performances; width and memory of the one for live.
WHOLE_SIZE, LIVE_SIZE = (192, 6, 5), (256, 160)
# How fast a model reads. The made-up players of scores are more exact than people: read 1.45 times as fast, 24
# movements of nASAP that are in no published figure have 94.0 % right instead of 92.8, Chopin's validation works 96.4
# instead of 96.6. A model that learned from people reads as is played.
SPEED = {"scores": 1.45, "performances": 1.0}
# The store of made-up pieces, and how many notes each has.
MADE_UP_PIECES, MADE_UP_NOTES = 3500, 300


@dataclass(frozen=True)
class Plan:
    """What to train, as the command line says it; see ``terzetto train hand-labels --help``."""

    recipe: str = "scores"
    live: bool = False
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
    model = (plan.out or user_folder()) / f"{NAMES[plan.recipe]}{'_live' if plan.live else ''}.onnx"
    seeds = range(plan.seed, plan.seed + plan.seeds)
    if not seeds:
        raise InputError(f"--seeds {plan.seeds} trains nothing; give at least 1")
    made_up = make_up(MADE_UP_PIECES, MADE_UP_NOTES, np.random.default_rng(0))
    trained = [_train_one(plan, split, made_up, seed, device, model, tell) for seed in seeds]
    networks = [network for network, _ in trained]
    difference = export_networks(networks, model, plan, split)
    for seed in seeds:
        _checkpoint(model, seed).unlink(missing_ok=True)
    histories = [history for _, history in trained]
    facts = [
        ("parameters", f"{sum(p.numel() for network in networks for p in network.parameters()):,}"),
        ("networks, one a seed", f"{plan.seeds}, seeds {seeds[0]} to {seeds[-1]}; the mean of their logits counts"),
        ("validation of each", ", ".join(f"{100 * history.best:.2f} %" for history in histories)),
        ("epoch of each", ", ".join(f"{history.best_epoch} of {len(history.loss)}" for history in histories)),
        ("training of each", ", ".join(f"{h.seconds / 60:.0f} min" for h in histories) + f" on {device.type}"),
        ("data hash", data_hash(piece.path for piece in pieces)),
        ("commit", commit()),
        ("machine", machine()),
        ("PyTorch to ONNX", f"{difference:.0e} of the largest output"),
    ]
    write_card(model, plan.recipe, plan.live, plan.licence, plan.data, split, facts, _command(plan))
    return model


def _train_one(
    plan: Plan,
    split: Split,
    made_up: Sequence[Piece],
    seed: int,
    device: torch.device,
    model: Path,
    tell: Callable[[str], None],
) -> tuple[WholeNetwork | LiveNetwork, History]:
    torch.manual_seed(seed)
    network = LiveNetwork(*LIVE_SIZE) if plan.live else WholeNetwork(*WHOLE_SIZE)
    recipe = HandRecipe(split.training, made_up, split.validation, network, device)
    minutes = None if plan.minutes is None else plan.minutes / plan.seeds
    schedule = Schedule(plan.epochs, learning_rate=2e-3 if plan.live else 1e-3, minutes=minutes)
    checkpoint = _checkpoint(model, seed)
    history = fit(recipe, schedule, seed=seed, checkpoint=checkpoint, resume=plan.resume, tell=tell)
    return network.cpu().eval(), history


def _checkpoint(model: Path, seed: int) -> Path:
    return model.with_name(f"{model.stem}.seed{seed}.ckpt")


def export_networks(networks: Sequence[WholeNetwork | LiveNetwork], model: Path, plan: Plan, split: Split) -> float:
    """Write trained networks as one model, weights in half precision; see `terzetto_export.onnx_file.export`."""
    constants: dict[str, Any] = {
        "recipe": plan.recipe,
        "trained_on": sorted({*split.works("training"), *split.works("validation")}),
        "hmm": Parameters.count((p.onset, p.pitch, p.hand) for p in split.training).to_json(),
    }
    real = [_example(piece) for piece in split.validation[:3]]
    if plan.live:
        live = LiveEnsemble([network for network in networks if isinstance(network, LiveNetwork)]).eval()
        zeros = torch.zeros(1, 1, live.memory)
        constants |= {"features": N_FEATURES, "memory": live.memory, "look_ahead": [FUTURE, FUTURE_SECONDS]}
        return export(
            live,
            model,
            Description(LIVE_TASK, plan.licence, constants),
            {"features": torch.zeros(2, 1, N_FEATURES), "state": zeros},
            ["logit", "state_after"],
            {"features": {0: "notes"}, "logit": {0: "notes"}},
            [{"features": table[0, :, None, :N_FEATURES], "state": zeros} for table, _, _ in real],
            half=True,
        )
    whole = WholeEnsemble([network for network in networks if isinstance(network, WholeNetwork)]).eval()
    speed = 1.0 if plan.data else SPEED[plan.recipe]
    constants |= {"features": real[0][0].shape[-1], "window": LENGTH, "speed": speed}
    axes = {0: "windows", 1: "notes"}
    names = ("features", "time", "pitch")
    examples = [dict(zip(names, example, strict=True)) for example in real]
    return export(
        whole,
        model,
        Description(TASK, plan.licence, constants),
        examples[0],
        ["logit"],
        dict.fromkeys([*names, "logit"], axes),
        examples,
        half=True,
    )


def _example(piece: Piece) -> tuple[Tensor, Tensor, Tensor]:
    """Return features, time and pitch of a piece's first windows."""
    part = cut_up(piece, torch.device("cpu")).read
    return part.features[:2], part.time[:2] - part.time[:2, :1], part.pitch[:2].float()


def _command(plan: Plan) -> str:
    parts = ["terzetto train hand-labels", f"--recipe {plan.recipe}{' --live' * plan.live}", f"--epochs {plan.epochs}"]
    if plan.data:
        parts.append("--data " + " ".join(folder.name for folder in plan.data))
    parts.append(f"--seed {plan.seed} --seeds {plan.seeds}")
    if plan.minutes is not None:
        parts.append(f"--minutes {plan.minutes:g}")
    return " ".join(parts)
