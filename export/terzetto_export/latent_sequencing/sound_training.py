"""Training the sound network as the paper does: Adam, batches of 200, β from 0 to 4 over the first half of the epochs.

On a processor a batch goes through the network in parts that fit its cache; gradients are summed, so the step is the
same. What is drawn in an epoch depends on seed and epoch alone: a run that goes on from its checkpoint ends like one
that was never cut off.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terzetto_export.latent_sequencing.sound_network import SoundAutoencoder, surprise
from terzetto_export.latent_sequencing.sound_run import Failure, Run, Terms, Watch, restore, save

BATCH, BETA, EPOCHS = 200, 4.0, 500
LEARNING_RATE, WARM_UP = 1e-3, 0.5
PART = 25
Rows = NDArray[np.int64]
Tell = Callable[[str], None]


def train(
    x: Tensor,
    test: Tensor,
    *,
    bounded: bool,
    epochs: int,
    seed: int,
    batch: int = BATCH,
    beta: float = BETA,
    steps: int | None = None,
    minutes: float | None = None,
    device: torch.device | str = "cpu",
    checkpoint: Path | None = None,
    resume: bool = False,
    tell: Tell | None = None,
) -> Run:
    """Train on spectrograms (n, bands, frames).

    Parameters
    ----------
    x, test
        What is learned from, and what the loss is computed for after every epoch; ``test`` may be empty.
    bounded
        See `SoundAutoencoder`.
    epochs, batch, beta
        The paper's: 500, 200, 4.
    steps
        Stop after so many, in the midst of an epoch; None for none.
    minutes
        Stop after the epoch in which they are over; another call may go on.
    device
        Where to train; the network ends on the processor.
    checkpoint
        Written whole after every epoch.
    resume
        Go on from ``checkpoint`` if it is there.

    Raises
    ------
    InputError
        The checkpoint is not one of this network, or of a run that was begun otherwise.
    """
    torch.manual_seed(seed)
    # Channels last: in this order of memory a step takes a tenth less time.
    network = SoundAutoencoder(bounded, *x.shape[1:]).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    x, test = x.to(device), test.to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    run, began = Run(network), time.monotonic()
    made_by = {"epochs": epochs, "seed": seed, "batch": batch, "β": beta, "sounds": len(x), "held out": len(test)}
    if resume and checkpoint is not None and checkpoint.is_file():
        restore(checkpoint, run, optimiser, made_by)
        if tell is not None:
            tell(f"going on after epoch {len(run.beta)}")
    before = run.seconds
    for epoch in range(len(run.beta), epochs):
        torch.manual_seed(seed * 100_003 + epoch)
        random = np.random.default_rng((seed, epoch))
        weight = beta * min(1.0, (epoch + 1) / (WARM_UP * epochs))
        found = []
        for rows in np.array_split(random.permutation(len(x)), max(len(x) // batch, 1)):
            terms, where = _step(network, optimiser, x, rows, weight, run.watch)
            run.steps += 1
            if where is not None:
                run.failure = Failure(run.steps, where)
                return _home(run)
            found.append((terms, len(rows)))
            if steps is not None and run.steps >= steps:
                return _home(run)
        run.train.append(_mean(found))
        if len(test):
            run.test.append(evaluate(network, test, weight))
        run.beta.append(weight)
        run.seconds = before + time.monotonic() - began
        if checkpoint is not None:
            save(checkpoint, run, optimiser, made_by)
        if tell is not None:
            now = run.train[-1]
            tell(
                f"epoch {epoch + 1}/{epochs}: loss {now.loss:.0f} ({now.reconstruction:.0f} and {now.divergence:.0f}), "
                f"test {run.test[-1].loss if run.test else math.nan:.0f}, β {weight:.2f}"
            )
        if minutes is not None and time.monotonic() - began > 60 * minutes:
            break
    return _home(run)


def _home(run: Run) -> Run:
    run.network.cpu()
    return run


def evaluate(network: SoundAutoencoder, x: Tensor, beta: float, *, chance: bool = True) -> Terms:
    """Return the mean loss of spectrograms, without learning from them."""
    found = []
    with torch.no_grad():
        for rows in _parts(np.arange(len(x)), x.device):
            reconstruction, divergence = network.losses(x[torch.from_numpy(rows)], chance=chance)
            found.append((_terms(reconstruction, divergence, beta), len(rows)))
    return _mean(found)


def _step(
    network: SoundAutoencoder, optimiser: torch.optim.Optimizer, x: Tensor, rows: Rows, beta: float, watch: Watch
) -> tuple[Terms, str | None]:
    """Learn from one batch; return its loss, and what was not finite, if anything: then nothing is learned."""
    optimiser.zero_grad()
    found = []
    for part in _parts(rows, x.device):
        batch = x[torch.from_numpy(part)]
        coded = network(batch)
        reconstruction = surprise(batch, coded.mean, coded.log_variance)
        divergence = coded.divergence()
        watch.least_log_variance = min(watch.least_log_variance, float(coded.log_variance.detach().min()))
        watch.largest_latent = max(watch.largest_latent, float(coded.latent_log_variance.detach().max()))
        for name, value in (
            ("latent", coded.latent_log_variance.exp()),
            ("mean", coded.mean),
            ("variance", torch.exp(-coded.log_variance)),
            ("loss", reconstruction + beta * divergence),
        ):
            if not bool(torch.isfinite(value).all()):
                return _terms(reconstruction, divergence, beta), name
        ((reconstruction + beta * divergence).sum() / len(rows)).backward()
        found.append((_terms(reconstruction, divergence, beta), len(part)))
    size = math.sqrt(sum(float((p.grad.double() ** 2).sum()) for p in network.parameters() if p.grad is not None))
    watch.largest_gradient = max(watch.largest_gradient, size)
    if not math.isfinite(size):
        return _mean(found), "gradient"
    optimiser.step()
    return _mean(found), None


def _parts(rows: Rows, device: torch.device) -> Iterator[Rows]:
    yield from np.array_split(rows, -(-len(rows) // PART) if device.type == "cpu" else 1)


def _terms(reconstruction: Tensor, divergence: Tensor, beta: float) -> Terms:
    first, second = float(reconstruction.detach().mean()), float(divergence.detach().mean())
    return Terms(first + beta * second, first, second)


def _mean(found: list[tuple[Terms, int]]) -> Terms:
    """Return the mean of parts of different sizes."""
    weights = np.array([count for _, count in found], float)
    values = np.array([(terms.loss, terms.reconstruction, terms.divergence) for terms, _ in found])
    loss, reconstruction, divergence = (weights / weights.sum()) @ values
    return Terms(float(loss), float(reconstruction), float(divergence))
