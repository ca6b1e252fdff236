"""From folders of MIDI to ``drum_patterns.onnx`` and its card."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from terzetto.drums.patterns import MODEL, open_pattern_model
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.drum_patterns.calibrate import calibrate, map_points
from terzetto_export.drum_patterns.card import write_card
from terzetto_export.drum_patterns.data import Data, read_data
from terzetto_export.drum_patterns.export import Settings, write
from terzetto_export.drum_patterns.network import WholeModel
from terzetto_export.drum_patterns.pad_recipe import PadRecipe
from terzetto_export.drum_patterns.recipes import AutoencoderRecipe, FlowRecipe
from terzetto_export.onnx_file import file_of_model
from terzetto_export.training import Recipe, Schedule, choose_device, fit, tell_on_terminal

LATENT_SIZE = 32
# Of the time or the epochs: the autoencoder's, the flow's and the pad's.
EPOCHS = (80, 25, 20)
SHARES = (0.7, 0.08, 0.22)
LICENCES = {
    "groove": "CC BY 4.0 (trained on the Groove MIDI Dataset, and on grooves of MMA, GPL-2.0-or-later)",
    "own": "that of the data it was trained on",
}
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to train, as the command line says it; see ``terzetto train drums --help``."""

    data: Sequence[Path] | None = None
    name: str | None = None
    out: Path | None = None
    seed: int = 0
    epochs: Sequence[int] = EPOCHS
    minutes: float | None = None
    device: str = "auto"
    resume: bool = False
    without: str | None = None

    @property
    def model(self) -> Path:
        """The file to write."""
        return file_of_model(self.name or (self.data[0].resolve().name if self.data else MODEL), self.out)


def train(plan: Plan, tell: Tell = tell_on_terminal) -> Path:
    """Train as planned and return the model's path.

    Raises
    ------
    InputError
        Too little data, or none.
    """
    device = choose_device(plan.device)
    data = read_data(plan.data, plan.without, tell)
    network, facts = fit_parts(plan, data, device, tell)
    licence = LICENCES["own" if plan.data else "groove"]
    real = data.validation.bars.at(slice(0, 64))
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / plan.model.name
        write(network, first, data.styles, Settings(), real, licence)
        model = open_pattern_model(str(first))
        settings = calibrate(model, data.training, data.validation, tell, plan.seed)
        points = map_points(model, data.training, data.styles, plan.seed)
        table = {"pad_table": model.pad_table()}
    difference = write(network, plan.model, data.styles, settings, real, licence, points=points, more=table)
    facts += [
        ("parameters", f"{sum(p.numel() for p in network.parameters()):,}, stored in half precision"),
        ("seed", str(plan.seed)),
        ("data hash", data_hash(source.path for source in data.training.sources)),
        ("commit", commit()),
        ("machine", machine()),
        ("PyTorch to ONNX", f"{difference:.0e} of the largest output"),
        ("chosen on validation", str(settings).removeprefix("Settings")),
    ]
    write_card(open_pattern_model(str(plan.model)), data, licence, plan.data, facts, command(plan))
    return plan.model


def fit_parts(plan: Plan, data: Data, device: torch.device, tell: Tell) -> tuple[WholeModel, list[tuple[str, str]]]:
    """Train autoencoder, flow and pad, each from the one before; return all of them and what the card says of it."""
    torch.manual_seed(plan.seed)
    facts: list[tuple[str, str]] = []

    def part(number: int, name: str, recipe: Recipe, rate: float, decay: float) -> None:
        minutes = None if plan.minutes is None else SHARES[number] * plan.minutes
        checkpoint = plan.model.with_name(f".{plan.model.stem}.{name}.ckpt")
        tell(f"the {name}:")
        schedule = Schedule(plan.epochs[number], learning_rate=rate, weight_decay=decay, minutes=minutes)
        history = fit(recipe, schedule, seed=plan.seed, checkpoint=checkpoint, resume=plan.resume, tell=tell)
        checkpoints.append(checkpoint)
        epochs = f"epoch {history.best_epoch} of {len(history.loss)}, {history.seconds / 60:.1f} min on {device.type}"
        facts.append((name, f"validation {history.best:.4f}, {epochs}"))

    checkpoints: list[Path] = []
    autoencoder = AutoencoderRecipe(data.training, data.more, data.validation, LATENT_SIZE, device)
    part(0, "autoencoder", autoencoder, 2e-3, 0.02)
    flow = FlowRecipe(autoencoder.network.encoder, data.training, data.validation, data.styles, device)
    part(1, "flow", flow, 2e-3, 0.05)
    steps = plan.epochs[2] * PadRecipe.STEPS_AN_EPOCH
    pad = PadRecipe(autoencoder.network, data.training, data.validation, device, steps)
    pad.begin(plan.seed)
    part(2, "pad", pad, 3e-3, 0.01)
    for checkpoint in checkpoints:
        checkpoint.unlink(missing_ok=True)
    return WholeModel(autoencoder.network, flow.network, pad.network), facts


def command(plan: Plan) -> str:
    """Return the command that trains as planned."""
    parts = ["terzetto train drums"]
    if plan.data:
        parts.append("--data " + " ".join(folder.name for folder in plan.data))
    parts.append(f"--seed {plan.seed} --epochs {' '.join(map(str, plan.epochs))}")
    if plan.minutes is not None:
        parts.append(f"--minutes {plan.minutes:g}")
    if plan.without:
        parts.append(f"--without {plan.without}")
    return " ".join(parts)
