"""The loop all recipes share: seeded, resumable, stopped by the clock or when nothing more is learned."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from terzetto.errors import InputError


class Recipe(Protocol):
    """What a recipe gives to `fit`."""

    @property
    def network(self) -> nn.Module:
        """What is trained."""

    def batches(self, random: np.random.Generator) -> Iterable[Any]:
        """Yield the batches of an epoch, shuffled and augmented by ``random``."""

    def loss(self, batch: Any) -> Tensor:
        """Return a batch's mean loss."""

    def validate(self) -> float:
        """Return how good the network is on the validation set; more is better."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes
    ----------
    epochs : int
    learning_rate : float
        At its peak: warmed up over 200 steps, then falling to 0 along a cosine.
    weight_decay : float
        AdamW's.
    patience : int
        Epochs without a better validation after which training stops.
    minutes : float or None
        Stop after so long; the learning rate falls by the clock then, so that the end is an end.
    """

    epochs: int
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    patience: int = 10_000
    minutes: float | None = None


@dataclass
class History:
    """What happened: per epoch the mean training loss and the validation, the best epoch (from 1) and its value."""

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best_epoch: int = 0
    best: float = -np.inf
    seconds: float = 0.0


def choose_device(name: str) -> torch.device:
    """Return the device for ``auto``, ``cpu`` or ``cuda``; raise `InputError` if it is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: PyTorch finds no CUDA device; use --device cpu")
    return torch.device(name)


def tell_on_terminal(line: str) -> None:
    """Say how training goes, on standard error."""
    print(line, file=sys.stderr, flush=True)


def fit(
    recipe: Recipe,
    schedule: Schedule,
    *,
    seed: int = 0,
    checkpoint: Path | None = None,
    resume: bool = False,
    tell: Callable[[str], None] = tell_on_terminal,
) -> History:
    """Train a recipe's network; it has the weights of the best epoch afterwards.

    Parameters
    ----------
    checkpoint
        Written whole after every epoch.
    resume
        Go on from ``checkpoint`` if it is there. An epoch's data depend on seed and epoch alone, so a run that was
        interrupted ends like one that was not.

    Raises
    ------
    InputError
        The checkpoint is of another network, or the loss is no longer a number.
    """
    network = recipe.network
    # Fused: a step of some million weights takes a tenth of the time on one core.
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
    )
    history, best = History(), _copy(network)
    first = steps = 0
    if resume and checkpoint is not None and checkpoint.is_file():
        history, best, first, steps = _restore(checkpoint, network, optimiser)
        tell(f"going on after epoch {first} (best so far {history.best:.4f})")
    began = time.monotonic() - history.seconds
    limit = None if schedule.minutes is None else 60.0 * schedule.minutes
    for epoch in range(first, schedule.epochs):
        torch.manual_seed(seed * 100_003 + epoch)
        network.train()
        losses = []
        for batch in recipe.batches(np.random.default_rng((seed, epoch))):
            done = epoch / schedule.epochs
            if limit is not None:
                done = max(done, (time.monotonic() - began) / limit)
            _set_rate(optimiser, schedule.learning_rate * _rate(done, steps))
            optimiser.zero_grad(set_to_none=True)
            loss = recipe.loss(batch)
            if not torch.isfinite(loss):
                raise InputError(f"epoch {epoch + 1}: the loss is {loss.item()}; lower the learning rate")
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            steps += 1
            losses.append(float(loss.detach()))
            if limit is not None and time.monotonic() - began > limit:
                break
        if not losses:
            raise InputError("there is nothing to train on: the training set is empty")
        network.eval()
        with torch.no_grad():
            value = float(recipe.validate())
        history.loss.append(float(np.mean(losses)))
        history.validation.append(value)
        history.seconds = time.monotonic() - began
        if value > history.best:
            history.best, history.best_epoch, best = value, epoch + 1, _copy(network)
        tell(
            f"epoch {epoch + 1}/{schedule.epochs}: loss {history.loss[-1]:.4f}, validation {value:.4f} "
            f"(best {history.best:.4f}), {history.seconds / 60:.1f} min"
        )
        if checkpoint is not None:
            _save(checkpoint, network, optimiser, history, best, (epoch + 1, steps))
        if epoch + 1 - history.best_epoch >= schedule.patience:
            break
        if limit is not None and history.seconds > limit:
            break
    network.load_state_dict(best)
    network.eval()
    return history


def epochs_done(checkpoint: Path) -> int:
    """Return how many epochs a checkpoint has behind it, for a recipe that must know.

    Raises
    ------
    InputError
        It is no checkpoint.
    """
    try:
        return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["done"][0])
    except Exception as error:
        raise _no_checkpoint(checkpoint, error) from None


def _rate(done: float, steps: int) -> float:
    """Return the share of the peak learning rate: a warm-up of 200 steps, then a cosine."""
    return min((steps + 1) / 200, 1.0) * 0.5 * (1.0 + float(np.cos(np.pi * min(done, 1.0))))


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _save(
    path: Path,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    history: History,
    best: dict[str, Tensor],
    done: tuple[int, int],
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(path.suffix + ".part")
    content = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "history": vars(history),
        "best": best,
        "done": done,
    }
    torch.save(content, whole)
    whole.replace(path)


def _restore(
    path: Path, network: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[History, dict[str, Tensor], int, int]:
    device = next(network.parameters()).device
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        network.load_state_dict(content["network"])
        optimiser.load_state_dict(content["optimiser"])
        for group in optimiser.param_groups:  # whatever the checkpoint was written with
            group["fused"] = True
        epochs, steps = content["done"]
        return History(**content["history"]), content["best"], int(epochs), int(steps)
    except Exception as error:
        raise _no_checkpoint(path, error) from None


def _no_checkpoint(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:200]
    return InputError(f"{path}: not a checkpoint of this recipe ({reason}); remove it or train without --resume")
