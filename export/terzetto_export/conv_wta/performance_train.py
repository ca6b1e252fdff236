"""From performances to ``performance_dictionary.onnx`` and its card, on one's own machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from terzetto.analysis.performance_dictionary import (
    MAKE_IT,
    MODEL,
    TASK,
    PerformanceDictionary,
    open_performance_dictionary,
)
from terzetto.analysis.winners import OF_EACH_ATOM
from terzetto.models import user_folder
from terzetto.score.performance_events import EVENTS, one_hot
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.conv_wta.network import ConvWta
from terzetto_export.conv_wta.performance_card import write_card
from terzetto_export.conv_wta.performance_measures import choose_keep, middle
from terzetto_export.conv_wta.performance_recipe import EPOCHS, PAPER, learn
from terzetto_export.conv_wta.performances import Split, read_split
from terzetto_export.conv_wta.recipe import Design
from terzetto_export.onnx_file import Description, export
from terzetto_export.training import History, choose_device, tell_on_terminal

PLAIN = replace(PAPER, levels=(), rows_apart=False)
DESIGNS = {"plain": PLAIN, "paper": PAPER, "of-each-atom": replace(PLAIN, winners=OF_EACH_ATOM)}
LICENCE = "CC BY-NC-SA 4.0, as what it was trained on: for research on this machine, not to be shipped"
OWN = "that of the data it was trained on (MAESTRO: CC BY-NC-SA 4.0)"


@dataclass(frozen=True)
class Plan:
    """What to train, as the command line says it; see ``terzetto train performance-dictionary --help``."""

    recipe: str = "plain"
    data: Path | None = None
    name: str | None = None
    out: Path | None = None
    epochs: int = EPOCHS
    kernel: int = PAPER.kernel
    columns: int | None = None
    pieces: int | None = None
    seed: int = 0
    minutes: float | None = None
    device: str = "auto"
    resume: bool = False
    without: str | None = None

    @property
    def model(self) -> Path:
        """The file that will be made."""
        return (self.out or user_folder()) / f"{self.name or MODEL}.onnx"

    @property
    def design(self) -> Design:
        """What is learned."""
        return replace(DESIGNS[self.recipe], kernel=self.kernel)

    @property
    def command(self) -> str:
        """What makes it again."""
        parts = [f"{MAKE_IT} --recipe {self.recipe} --epochs {self.epochs} --seed {self.seed}"]
        parts += [f"--columns {self.columns}"] if self.columns is not None else []
        parts += [f"--kernel {self.kernel}"] if self.kernel != PAPER.kernel else []
        parts += [f"--data {self.data.name}"] if self.data else []
        parts += [f"--without {self.without}"] if self.without else []
        parts += [f"--pieces {self.pieces}"] if self.pieces is not None else []
        parts += [f"--minutes {self.minutes:g}"] if self.minutes is not None else []
        return " ".join(parts)


def train(plan: Plan, tell: Callable[[str], None] = tell_on_terminal) -> Path:
    """Train as planned and return the model's path.

    Raises
    ------
    InputError
        No data, or too little.
    """
    device = choose_device(plan.device)
    tell("reading the performances")
    split = read_split(plan.data, plan.without, tell, plan.pieces)
    tell(f"{len(split.training)} performances for training, {len(split.validation)} for validation")
    checkpoint = plan.model.with_suffix(".ckpt")
    network, history = learn(
        split.training,
        split.validation,
        plan.design,
        epochs=plan.epochs,
        seed=plan.seed,
        minutes=plan.minutes,
        device=device,
        columns=plan.columns,
        checkpoint=checkpoint,
        resume=plan.resume,
        tell=tell,
    )
    dictionary, difference = finish(network, split, plan)
    facts = facts_of(network, history, split, plan, device, dictionary, difference)
    write_card(dictionary, split, plan.recipe, plan.data, facts, plan.command, tell)
    checkpoint.unlink(missing_ok=True)
    return plan.model


def finish(network: ConvWta, split: Split, plan: Plan) -> tuple[PerformanceDictionary, float]:
    """Export, choose the threshold on validation works with what was exported, and export with it.

    Returns the dictionary and its difference to PyTorch.
    """
    design = plan.design
    rows = torch.zeros(1, EVENTS, 4 * design.kernel)
    constants = {
        "kernel": design.kernel,
        "k": design.k_last,
        "winners": design.winners,
        "section": plan.columns or 0,
        "recipe": plan.recipe,
        "keep": 0.0,
    }

    def write() -> float:
        return export(
            network,
            plan.model,
            Description(TASK, LICENCE if plan.data is None else OWN, constants),
            {"rows": rows},
            ["activity", "atoms"],
            {"rows": {0: "pieces", 2: "steps"}, "activity": {0: "pieces", 2: "columns"}},
            real,
        )

    real = [{"rows": torch.from_numpy(one_hot(middle(line, design.kernel))[None])} for line in split.validation[:4]]
    write()
    constants["keep"] = choose_keep(open_performance_dictionary(str(plan.model)), split.validation)
    difference = write()
    return open_performance_dictionary(str(plan.model)), difference


def facts_of(
    network: ConvWta,
    history: History,
    split: Split,
    plan: Plan,
    device: torch.device,
    dictionary: PerformanceDictionary,
    difference: float,
) -> list[tuple[str, str]]:
    """Return the card's facts."""
    return [
        ("parameters", f"{sum(p.numel() for p in network.parameters()):,}"),
        ("seed", str(plan.seed)),
        ("epoch", f"{history.best_epoch} of {len(history.loss)}, {history.seconds / 60:.0f} min on {device.type}"),
        ("an epoch", _epoch_read(split, plan)),
        ("error of an event on validation", f"{-history.best:.4f} (MSE {-history.best / EVENTS:.6f}); silence: 1"),
        ("notes kept from", f"{dictionary.keep:g} (by validation)"),
        ("data hash", data_hash(split.sources)),
        ("commit", commit()),
        ("machine", machine()),
        ("PyTorch to ONNX", f"{difference:.0e} of the largest output"),
    ]


def _epoch_read(split: Split, plan: Plan) -> str:
    """Return what an epoch reads."""
    lengths = [len(line.events) for line in split.training]
    if plan.columns is None:
        return f"each of {len(lengths)} performances whole, one a step: {sum(lengths):,} events"
    longest = plan.columns * plan.design.kernel
    read = sum(min(length, longest) for length in lengths)
    return (
        f"one excerpt of up to {longest} events of each of {len(lengths)} performances, at another place each time: "
        f"{read:,} of {sum(lengths):,} events"
    )
