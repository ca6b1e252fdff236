"""From recordings to a model of their timbre, and its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from terzetto.models import find_model, identity
from terzetto.timbre.conversion import stream_grid
from terzetto.timbre.hearing import Hearing
from terzetto.timbre.naming import sibling
from terzetto.timbre.xsynth_model import TASK, open_timbre_model
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.instrument_data.recordings import SAMPLE_RATE
from terzetto_export.onnx_file import file_of_model
from terzetto_export.training import Schedule, choose_device, fit, tell_on_terminal
from terzetto_export.xsynth.card import write_card
from terzetto_export.xsynth.data import Data, analysis_grid, read_instruments, read_recordings
from terzetto_export.xsynth.ear import Ear
from terzetto_export.xsynth.export import take_weights, write
from terzetto_export.xsynth.makers import Makers
from terzetto_export.xsynth.network import XSynth
from terzetto_export.xsynth.pad import lay_out
from terzetto_export.xsynth.recipe import Player, XSynthRecipe
from terzetto_export.xsynth.sorter import recall, taught

MODEL = "timbre_instruments"
MINUTES, LOW_MINUTES, RATE = 31.0, 15.0, 1.5e-3
OWN_MINUTES, OWN_RATE, OWN_PATIENCE = 8.0, 6e-4, 8
"""A model of one's own goes on from the shipped one, and stops when it learns no more."""
LICENCES = {
    "instruments": "CC BY-SA 3.0 (share-alike: trained on the Philharmonia's notes; Fluid R3 under MIT)",
    "own": "that of the recordings it was trained on; it goes on from the shipped model, which is CC BY-SA 3.0",
    "scratch": "that of the recordings it was trained on",
}
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to train, as the command line says it; see ``terzetto train timbre --help``."""

    data: Sequence[Path] | None = None
    name: str | None = None
    out: Path | None = None
    seed: int = 0
    minutes: float | None = None
    epochs: int | None = None
    device: str = "auto"
    resume: bool = False
    low_latency: bool = False
    from_scratch: bool = False
    voice_only: bool = False
    jobs: int = 1

    @property
    def model(self) -> Path:
        """The file to write."""
        name = self.name or (self.data[0].resolve().stem if self.data else MODEL)
        return file_of_model(sibling(name, self.low_latency), self.out)

    @property
    def goes_on(self) -> bool:
        """Whether it goes on from the shipped model, whose ear it keeps."""
        return self.voice_only or (bool(self.data) and not self.from_scratch)


def train(plan: Plan, tell: Tell = tell_on_terminal) -> Path:
    """Train as planned and return the model's path.

    Raises
    ------
    InputError
        Nothing to train on, or too little.
    ModelError
        The shipped model, which hears the pitches of one's own recordings, is not there.
    """
    device = choose_device(plan.device)
    # A step of an LSTM is too small to share between cores: threads only wait for each other.
    torch.set_num_threads(1)
    grid = stream_grid(SAMPLE_RATE, plan.low_latency)
    data = _read(plan, tell)
    instruments = [target.name for target in data.training]
    torch.manual_seed(plan.seed)
    network = XSynth(len(instruments))
    before = _before(plan)
    if before is not None:
        take_weights(network, before, instruments)
    if plan.goes_on:
        network.keep_ear()
    validated = [instruments.index(target.name) for target in data.validation]
    hearing = Hearing(grid, with_past=plan.low_latency)
    training = Player(data.training, hearing, len(instruments), range(len(instruments)))
    validation = Player(data.validation, hearing, len(instruments), validated)
    sorter = None
    if len(instruments) > 1:
        sorter = taught(data.training, range(len(instruments)), len(instruments), np.random.default_rng(plan.seed))
        tell(f"a sorter hears {100 * recall(sorter, data.validation, validated):.1f} % of held-out frames right")
    checkpoint = plan.model.with_name(f".{plan.model.stem}.ckpt")
    schedule = Schedule(
        plan.epochs or 100_000,
        learning_rate=OWN_RATE if plan.goes_on else RATE,
        patience=OWN_PATIENCE if plan.data else 100_000,
        minutes=plan.minutes or (OWN_MINUTES if plan.data else LOW_MINUTES if plan.low_latency else MINUTES),
    )
    began_from = _said(before, plan.goes_on)  # what it goes on from may lie where it is written to
    with Makers(training, plan.jobs) as makers:
        recipe = XSynthRecipe(network, makers, validation, sorter=sorter, device=device)
        if before is not None:
            network.eval()
            with torch.no_grad():
                recipe.validate()
            tell(f"it begins from {before.stem}: {_errors(recipe)}")
        history = fit(recipe, schedule, seed=plan.seed, checkpoint=checkpoint, resume=plan.resume, tell=tell)
    with torch.no_grad():
        recipe.validate()
    tell(f"the best: {_errors(recipe)}")
    real = validation.batch(np.random.default_rng(plan.seed), 8).features
    licence = LICENCES["instruments" if not plan.data else "own" if plan.goes_on else "scratch"]
    difference = write(
        network, plan.model, instruments, lay_out(data.training), real, licence, low_latency=plan.low_latency
    )
    checkpoint.unlink(missing_ok=True)
    spent = f"{history.seconds / 60:.1f} min on {'one core' if device.type == 'cpu' else device.type}"
    facts = [
        ("began from", began_from),
        ("training", f"epoch {history.best_epoch} of {len(history.loss)}, {spent}"),
        ("parameters", f"{sum(p.numel() for p in network.parameters()):,}, stored in half precision"),
        ("seed", str(plan.seed)),
        ("data", f"{data.seconds / 60:.1f} min, hash {data_hash(data.files)}"),
        ("commit", commit()),
        ("machine", machine()),
        ("PyTorch to ONNX", f"{difference:.0e} of the largest output"),
    ]
    write_card(open_timbre_model(str(plan.model)), recipe.last, licence, plan.data, facts, command(plan))
    return plan.model


def _read(plan: Plan, tell: Tell) -> Data:
    grid = analysis_grid(stream_grid(SAMPLE_RATE, plan.low_latency).hop_length)
    if not plan.data:
        return read_instruments(grid, tell)
    ear = Ear(open_timbre_model(MODEL, low_latency=plan.low_latency))
    data = read_recordings(plan.data, grid, ear, tell)
    sounds = [sound for target in data.training for sound in target.sounds]
    notes = np.concatenate([target.notes for target in data.training])
    pitched = notes[notes > 0]
    heard = f", MIDI {pitched.min():.0f} to {pitched.max():.0f}" if pitched.size else ""
    tell(f"{data.seconds:.0f} s of {', '.join(target.name for target in data.training)}: {len(sounds)} notes{heard}")
    return data


def _before(plan: Plan) -> Path | None:
    """Return the model to go on from: for one's own the shipped one; for its low-latency sibling the usual one."""
    if plan.from_scratch or not (plan.data or plan.low_latency or plan.voice_only):
        return None
    if plan.voice_only:
        return find_model(TASK, sibling(MODEL, plan.low_latency)).path
    beside = file_of_model(MODEL, plan.out)
    if not plan.data and beside.is_file():
        return beside
    return find_model(TASK, sibling(MODEL, plan.low_latency and bool(plan.data))).path


def _errors(recipe: XSynthRecipe) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in recipe.last.items())


def _said(before: Path | None, keeps_ear: bool) -> str:
    if before is None:
        return "nothing"
    name = f"{before.stem} (SHA-256 {(identity(str(before)) or '')[:12]})"
    return name + (", its ear kept as it was" if keeps_ear else "")


def command(plan: Plan) -> str:
    """Return the command that trains as planned."""
    parts = ["terzetto train timbre"]
    if plan.data:
        parts.append("--data " + " ".join(path.name for path in plan.data))
    for flag in ("low_latency", "from_scratch", "voice_only"):
        if getattr(plan, flag):
            parts.append("--" + flag.replace("_", "-"))
    parts.append(f"--seed {plan.seed}")
    if plan.device == "cuda":
        parts.append(f"--device cuda --jobs {plan.jobs}")
    if plan.epochs is not None:
        parts.append(f"--epochs {plan.epochs}")
    if plan.minutes is not None:
        parts.append(f"--minutes {plan.minutes:g}")
    return " ".join(parts)
