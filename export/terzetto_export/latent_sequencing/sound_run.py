"""A training of the sound network: its curves, its extremes, and the file from which it goes on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from terzetto.errors import InputError
from terzetto_export.latent_sequencing.sound_network import SoundAutoencoder


@dataclass(frozen=True)
class Terms:
    """A mean loss in nats a sound and its two terms (equation 2): reconstruction + β · divergence."""

    loss: float
    reconstruction: float
    divergence: float

    @property
    def finite(self) -> bool:
        """Whether all are numbers."""
        return math.isfinite(self.loss + self.reconstruction + self.divergence)


@dataclass(frozen=True)
class Failure:
    """Where training met something that is no number.

    Attributes
    ----------
    step : int
        From 1.
    where : str
        What was first not finite, on the way through the network: "latent", "mean", "variance", "loss" or "gradient".
    """

    step: int
    where: str


@dataclass
class Watch:
    """Extremes over a run: what a training that ends in NaN shows before it does."""

    least_log_variance: float = math.inf
    largest_latent: float = 0.0
    largest_gradient: float = 0.0


@dataclass
class Run:
    """A training: the terms of each epoch, its β, the steps and seconds in all, and how it ended."""

    network: SoundAutoencoder
    train: list[Terms] = field(default_factory=list)
    test: list[Terms] = field(default_factory=list)
    beta: list[float] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    failure: Failure | None = None
    watch: Watch = field(default_factory=Watch)


def save(path: Path, run: Run, optimiser: torch.optim.Optimizer, made_by: Mapping[str, float]) -> None:
    """Write all that a run needs to go on, and what it was made by; the file is there whole or as it was."""
    content = {
        "made by": dict(made_by),
        "network": run.network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "terms": [[asdict(terms) for terms in each] for each in (run.train, run.test)],
        "beta": run.beta,
        "spent": (run.steps, run.seconds),
        "watch": asdict(run.watch),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(path.suffix + ".part")
    torch.save(content, whole)
    whole.replace(path)


def restore(path: Path, run: Run, optimiser: torch.optim.Optimizer, made_by: Mapping[str, float]) -> None:
    """Give a run what a checkpoint has kept.

    Parameters
    ----------
    made_by
        What the run depends on: with anything else it would not end like one that was never cut off.

    Raises
    ------
    InputError
        It is not a checkpoint of this network, or the run was begun otherwise.
    """
    device = next(run.network.parameters()).device
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        before = content["made by"]
        run.network.load_state_dict(content["network"])
        optimiser.load_state_dict(content["optimiser"])
        run.train, run.test = ([Terms(**terms) for terms in each] for each in content["terms"])
        run.beta, (run.steps, run.seconds) = content["beta"], content["spent"]
        run.watch = Watch(**content["watch"])
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: not a checkpoint of this network ({reason}); remove it or train without --resume"
        ) from None
    other = [f"{name} {before.get(name)}, not {value}" for name, value in made_by.items() if before.get(name) != value]
    if other:
        raise InputError(
            f"{path}: that run was begun with {'; '.join(other)}; give what it was begun with, or remove the file to "
            "begin anew"
        )
