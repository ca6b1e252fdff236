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
SAVE_EVERY = 20.0
"""Seconds: on a GPU an epoch takes less, and 38 MB would be written after each."""
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
        Written whole after the last epoch of a sitting, and after those that end 20 s or more after it was written.
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
    before, saved = run.seconds, began
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
        now = time.monotonic()
        run.seconds = before + now - began
        over = epoch + 1 == epochs or (minutes is not None and now - began > 60 * minutes)
        if checkpoint is not None and (over or now - saved > SAVE_EVERY):
            save(checkpoint, run, optimiser, made_by)
            saved = now
        if tell is not None:
            last = run.train[-1]
            tell(
                f"epoch {epoch + 1}/{epochs}: loss {last.loss:.0f} "
                f"({last.reconstruction:.0f} and {last.divergence:.0f}), "
                f"test {run.test[-1].loss if run.test else math.nan:.0f}, β {weight:.2f}"
            )
        if over:
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
            first, second = _numbers(reconstruction.mean(), divergence.mean())
            found.append((Terms(first + beta * second, first, second), len(rows)))
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
        passed = {
            "latent": coded.latent_log_variance.exp(),
            "mean": coded.mean,
            "variance": torch.exp(-coded.log_variance),
            "loss": reconstruction + beta * divergence,
        }
        # All in one: on a GPU every number that is fetched waits for all work before it.
        least, latent, first, second, *finite = _numbers(
            coded.log_variance.min(),
            coded.latent_log_variance.max(),
            reconstruction.mean(),
            divergence.mean(),
            *(torch.isfinite(value).all().float() for value in passed.values()),
        )
        watch.least_log_variance = min(watch.least_log_variance, least)
        watch.largest_latent = max(watch.largest_latent, latent)
        terms = Terms(first + beta * second, first, second)
        for name, good in zip(passed, finite, strict=True):
            if not good:
                return terms, name
        ((reconstruction + beta * divergence).sum() / len(rows)).backward()
        found.append((terms, len(part)))
    squares = [(p.grad.double() ** 2).sum() for p in network.parameters() if p.grad is not None]
    size = math.sqrt(sum(_numbers(*squares)))
    watch.largest_gradient = max(watch.largest_gradient, size)
    if not math.isfinite(size):
        return _mean(found), "gradient"
    optimiser.step()
    return _mean(found), None


def _parts(rows: Rows, device: torch.device) -> Iterator[Rows]:
    yield from np.array_split(rows, -(-len(rows) // PART) if device.type == "cpu" else 1)


def _numbers(*values: Tensor) -> list[float]:
    """Fetch scalars of one type, all at once."""
    found: list[float] = torch.stack(values).detach().tolist()
    return found


def _mean(found: list[tuple[Terms, int]]) -> Terms:
    """Return the mean of parts of different sizes."""
    weights = np.array([count for _, count in found], float)
    values = np.array([(terms.loss, terms.reconstruction, terms.divergence) for terms, _ in found])
    loss, reconstruction, divergence = (weights / weights.sum()) @ values
    return Terms(float(loss), float(reconstruction), float(divergence))
