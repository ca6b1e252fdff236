"""From beats to ``drum_dictionary.onnx`` and its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from terzetto.analysis.winners import IN_EACH_COLUMN
from terzetto.drums.dictionary import MODEL, ROWS, TASK, open_dictionary
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import SECTION_BARS, STEPS
from terzetto.evaluate.dictionary import Denoiser, Float, choose_denoising
from terzetto.evaluate.drum_patterns import best_threshold
from terzetto.models import user_folder
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.conv_wta.card import write_card
from terzetto_export.conv_wta.drum_sections import Sections, Split, read_split
from terzetto_export.conv_wta.drum_training import EPOCHS, learn
from terzetto_export.conv_wta.network import ConvWta, keep_winners
from terzetto_export.conv_wta.recipe import Design
from terzetto_export.onnx_file import Description, export
from terzetto_export.training import History, choose_device, tell_on_terminal

DESIGNS = {
    "paper": Design(),
    "bars": Design(winners=IN_EACH_COLUMN, k_first=32, k_last=16),
    "denoising": Design(winners=IN_EACH_COLUMN, k_first=32, k_last=16, noise=0.3),
}
LICENCE = "CC BY 4.0 (Groove MIDI Dataset, Google)"
OWN = "that of the data it was trained on"


@dataclass(frozen=True)
class Plan:
    """What to train, as the command line says it; see ``terzetto train drum-dictionary --help``."""

    recipe: str = "bars"
    data: Path | None = None
    name: str | None = None
    out: Path | None = None
    epochs: int = EPOCHS
    seed: int = 0
    minutes: float | None = None
    device: str = "auto"
    resume: bool = False
    without: str | None = None

    @property
    def model(self) -> Path:
        """The file that will be made."""
        name = self.name or (MODEL if self.data is None else f"{self.data.resolve().name}_dictionary")
        return (self.out or user_folder()) / f"{name}.onnx"

    @property
    def command(self) -> str:
        """What makes it again."""
        parts = [f"terzetto train drum-dictionary --recipe {self.recipe} --epochs {self.epochs} --seed {self.seed}"]
        parts += [f"--data {self.data.name}"] if self.data else []
        parts += [f"--without {self.without}"] if self.without else []
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
    split = read_split(plan.data, plan.without, tell)
    tell(f"{len(split.training)} sections of four bars for training, {len(split.validation)} for validation")
    design = DESIGNS[plan.recipe]
    checkpoint = plan.model.with_suffix(".ckpt")
    network, history = learn(
        split.training,
        split.validation,
        design,
        epochs=plan.epochs,
        seed=plan.seed,
        minutes=plan.minutes,
        device=device,
        checkpoint=checkpoint,
        resume=plan.resume,
        tell=tell,
    )
    model = finish(network, history, design, split, plan, device)
    checkpoint.unlink(missing_ok=True)
    return model


def finish(network: ConvWta, history: History, design: Design, split: Split, plan: Plan, device: torch.device) -> Path:
    """Choose the thresholds on validation, export, measure, write the card."""
    value = denoiser(network, design)
    threshold, _ = best_threshold(value(split.validation.rows), split.validation.hits, split.validation.file)
    keep, add, recurring = choose_denoising(value, split.validation.rows, split.validation.file)
    constants = {
        "kernel": design.kernel,
        "k": design.k_last,
        "winners": design.winners,
        "section": SECTION_BARS * STEPS // design.kernel,
        "threshold": threshold,
        "denoising": (keep, add, recurring),
        "recipe": plan.recipe,
    }
    description = Description(TASK, LICENCE if plan.data is None else OWN, constants)
    difference = export(
        network,
        plan.model,
        description,
        {"rows": torch.zeros(1, ROWS, SECTION_BARS * STEPS)},
        ["activity", "atoms"],
        {"rows": {0: "sections", 2: "steps"}, "activity": {0: "sections", 2: "columns"}},
        [{"rows": torch.from_numpy(split.validation.rows[:16])}],
    )
    facts = [
        ("parameters", f"{sum(p.numel() for p in network.parameters()):,}"),
        ("seed", str(plan.seed)),
        ("epoch", f"{history.best_epoch} of {len(history.loss)}, {history.seconds / 60:.0f} min on {device.type}"),
        ("error on validation", f"{-history.best:.4f}"),
        (
            "hits from",
            f"{threshold:g}; noise: kept from {keep:g}, added from {add:g}, recurrence {recurring:g} (by validation)",
        ),
        ("data hash", data_hash(split.sources)),
        ("commit", commit()),
        ("machine", machine()),
        ("PyTorch to ONNX", f"{difference:.0e} of the largest output"),
    ]
    write_card(open_dictionary(str(plan.model)), split, design, plan.data, description.licence, facts, plan.command)
    return plan.model


def denoiser(network: ConvWta, design: Design) -> Denoiser:
    """Return the function from sections to the values of hits, for choosing thresholds before the export."""

    def value(rows: Float) -> Float:
        with torch.no_grad():
            code = keep_winners(network.activity(torch.from_numpy(rows)), design.k_last, design.winners)
            return np.asarray(network.decoder(code).numpy()[:, : len(DRUMS)], np.float32)

    return value


def some(sections: Sections, every: int) -> Sections:
    """Return every so-many-th section."""
    return replace(sections, rows=sections.rows[::every], file=sections.file[::every])
