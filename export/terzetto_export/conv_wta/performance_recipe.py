"""From performances to a trained network: seeded, one excerpt at a time, k falling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from terzetto.analysis.winners import IN_EACH_COLUMN
from terzetto.score.performance_events import EVENTS, one_hot
from terzetto_export.conv_wta.network import ConvWta, keep_winners
from terzetto_export.conv_wta.performances import Line
from terzetto_export.conv_wta.recipe import AFTER, Design
from terzetto_export.training import History, Schedule, fit

EPOCHS = 60
LEARNING_RATE = 3e-3
COLUMNS = 128  # of an excerpt, the most that an epoch reads of one performance; an atom's winners are taken among them
PAPER = Design(
    atoms=1000, kernel=16, winners=IN_EACH_COLUMN, k_first=100, k_last=75, levels=(8, 16, 24)
)  # as it is read here: see `terzetto_export.conv_wta.performance_card`


class PerformanceRecipe:
    """Batch size 1, as the paper has it: an excerpt of each training performance, at another place in each epoch.

    The loss is the squared error of an event, summed over its 388 rows: the paper's MSE times 388, which changes
    nothing but keeps the gradients far from AdamW's epsilon. Validation is the negative of it with the last k.
    """

    def __init__(
        self,
        training: Sequence[Line],
        validation: Sequence[Line],
        design: Design,
        epochs: int,
        device: torch.device | None = None,
        columns: int = COLUMNS,
    ) -> None:
        self.design, self.epochs, self.columns = design, epochs, columns
        self.device = device or torch.device("cpu")
        self.network = ConvWta(EVENTS, design.atoms, design.kernel, design.levels).to(self.device)
        self._training, self._validation = training, validation
        self._epoch = 0

    def at_epoch(self, epoch: int) -> None:
        """Say which epoch comes next: k depends on it."""
        self._epoch = epoch

    def batches(self, random: np.random.Generator) -> Iterator[Tensor]:
        """Yield an excerpt (1, 388, time) of each performance, in a random order."""
        for index in random.permutation(len(self._training)):
            events = self._training[index].events
            longest = self.columns * self.design.kernel
            start = int(random.integers(max(len(events) - longest, 0) + 1))
            yield self._rows(events[start : start + longest])

    def loss(self, batch: Tensor) -> Tensor:
        """Return the squared error of an event with this epoch's k."""
        k = self.design.k_at(self._epoch / max(self.epochs - 1, 1))
        activity = self.network.activity(batch)
        code = activity if self.design.taken == AFTER else keep_winners(activity, k, self.design.winners)
        return EVENTS * torch.nn.functional.mse_loss(self.network.decoder(code), batch)

    def validate(self) -> float:
        """Return the negative error on the middle of each validation performance, with the last k."""
        self._epoch += 1
        return -float(np.mean([self.error(line.events) for line in self._validation]))

    def error(self, events: np.ndarray) -> float:
        """Return the squared error of an event in the middle of a performance, with the last k."""
        longest = self.columns * self.design.kernel
        start = max(len(events) - longest, 0) // 2
        rows = self._rows(events[start : start + longest])
        with torch.no_grad():
            code = keep_winners(self.network.activity(rows), self.design.k_last, self.design.winners)
            return float(EVENTS * torch.nn.functional.mse_loss(self.network.decoder(code), rows))

    def _rows(self, events: np.ndarray) -> Tensor:
        """Return whole kernels of events, filled up with nothing at the end."""
        rows = one_hot(events)
        return torch.from_numpy(np.pad(rows, ((0, 0), (0, -len(events) % self.design.kernel)))[None]).to(self.device)


def learn(
    training: Sequence[Line],
    validation: Sequence[Line],
    design: Design = PAPER,
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    minutes: float | None = None,
    device: torch.device | None = None,
    columns: int = COLUMNS,
    checkpoint: Path | None = None,
    resume: bool = False,
    tell: Callable[[str], None],
) -> tuple[ConvWta, History]:
    """Train a network and return it with what happened."""
    torch.manual_seed(seed)
    recipe = PerformanceRecipe(training, validation, design, epochs, device, columns)
    if resume and checkpoint is not None and checkpoint.is_file():
        recipe.at_epoch(int(torch.load(checkpoint, map_location="cpu", weights_only=True)["done"][0]))
    schedule = Schedule(epochs, learning_rate=LEARNING_RATE, weight_decay=1e-4, minutes=minutes)
    history = fit(recipe, schedule, seed=seed, checkpoint=checkpoint, resume=resume, tell=tell)
    return recipe.network, history


def decoded(network: ConvWta, design: Design, events: np.ndarray) -> np.ndarray:
    """Return what a network that is not exported makes of events (n,), whole kernels, float32 (388, n)."""
    with torch.no_grad():
        device = next(network.parameters()).device
        activity = network.activity(torch.from_numpy(one_hot(events)[None]).to(device))
        code = keep_winners(activity, design.k_last, design.winners)
        return np.asarray(network.decoder(code)[0].cpu().numpy(), np.float32)
