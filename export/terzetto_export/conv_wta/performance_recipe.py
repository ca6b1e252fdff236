"""From performances to a trained network: seeded, one performance at a time, k falling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from terzetto.analysis.winners import IN_EACH_COLUMN
from terzetto.errors import InputError
from terzetto.score.performance_events import EVENTS, one_hot
from terzetto_export.conv_wta.event_products import activity_of, error_of_event, lay_back, lay_out
from terzetto_export.conv_wta.network import ConvWta, keep_winners
from terzetto_export.conv_wta.performances import Line
from terzetto_export.conv_wta.recipe import AFTER, Design
from terzetto_export.training import History, Schedule, epochs_done, fit

EPOCHS = 60
LEARNING_RATE = 3e-3
VALIDATED = 256  # columns of a validation performance, from its middle, that an epoch ends with
PAPER = Design(
    atoms=1000, kernel=16, winners=IN_EACH_COLUMN, k_first=100, k_last=75, levels=(8, 16, 24), rows_apart=True
)  # as it is read here: see `terzetto_export.conv_wta.performance_card`


class PerformanceRecipe:
    """Batch size 1, as the paper has it: each training performance as long as it is, in a random order.

    A performance begins anew within its first kernel in each epoch, so that the atoms do not learn where a file's
    columns happen to fall; with ``columns`` an epoch reads an excerpt of so many, at another place each time. The loss
    is the squared error of an event, summed over its 388 rows: the paper's MSE times 388, which changes nothing but
    keeps the gradients far from AdamW's epsilon. Validation is the negative of it with the last k.

    Raises
    ------
    InputError
        All performances of a part are shorter than a kernel.
    """

    def __init__(
        self,
        training: Sequence[Line],
        validation: Sequence[Line],
        design: Design,
        epochs: int,
        device: torch.device | None = None,
        columns: int | None = None,
    ) -> None:
        self.design, self.epochs, self.columns = design, epochs, columns
        self.device = device or torch.device("cpu")
        self._training = self._long_enough(training, "to train on")
        self._validation = self._long_enough(validation, "to choose by")
        self.network = ConvWta(EVENTS, design.atoms, design.kernel, design.levels, rows_apart=design.rows_apart).to(
            self.device
        )
        lay_out(self.network)
        self._epoch = 0

    def at_epoch(self, epoch: int) -> None:
        """Say which epoch comes next: k depends on it."""
        self._epoch = epoch

    def batches(self, random: np.random.Generator) -> Iterator[Tensor]:
        """Yield the columns of each performance or of an excerpt, int64 (columns, kernel), in a random order."""
        kernel = self.design.kernel
        for index in random.permutation(len(self._training)):
            events = self._training[index].events
            longest = len(events) if self.columns is None else self.columns * kernel
            latest = max(len(events) - longest, min(kernel - 1, len(events) - kernel))
            yield self._columns(events[int(random.integers(latest + 1)) :])

    def loss(self, batch: Tensor) -> Tensor:
        """Return the squared error of an event with this epoch's k."""
        k = self.design.k_at(self._epoch / max(self.epochs - 1, 1))
        activity = activity_of(self.network, batch)
        code = activity if self.design.taken == AFTER else keep_winners(activity, k, self.design.winners)
        return error_of_event(self.network, code, batch)

    def validate(self) -> float:
        """Return the negative error on the middle of each validation performance, with the last k."""
        self._epoch += 1
        return -float(np.mean([self.error(line.events) for line in self._validation]))

    def error(self, events: np.ndarray) -> float:
        """Return the squared error of an event in the middle of a performance, with the last k."""
        columns = len(events) // self.design.kernel
        longest = min(self.columns or VALIDATED, columns) * self.design.kernel
        batch = self._columns(events[(len(events) - longest) // 2 :][:longest])
        with torch.no_grad():
            code = keep_winners(activity_of(self.network, batch), self.design.k_last, self.design.winners)
            return float(error_of_event(self.network, code, batch))

    def _columns(self, events: np.ndarray) -> Tensor:
        """Return whole columns, at most as many as an excerpt has."""
        kernel = self.design.kernel
        count = len(events) // kernel
        count = count if self.columns is None else min(count, self.columns)
        return torch.from_numpy(events[: count * kernel].reshape(count, kernel)).to(self.device)

    def _long_enough(self, lines: Sequence[Line], what: str) -> list[Line]:
        found = [line for line in lines if len(line.events) >= self.design.kernel]
        if not found:
            raise InputError(f"no performance {what} has {self.design.kernel} events, the length of one kernel")
        return found


def learn(
    training: Sequence[Line],
    validation: Sequence[Line],
    design: Design = PAPER,
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    minutes: float | None = None,
    device: torch.device | None = None,
    columns: int | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    tell: Callable[[str], None],
) -> tuple[ConvWta, History]:
    """Train a network and return it with what happened."""
    torch.manual_seed(seed)
    recipe = PerformanceRecipe(training, validation, design, epochs, device, columns)
    if resume and checkpoint is not None and checkpoint.is_file():
        recipe.at_epoch(epochs_done(checkpoint))
    schedule = Schedule(epochs, learning_rate=LEARNING_RATE, weight_decay=1e-4, minutes=minutes)
    history = fit(recipe, schedule, seed=seed, checkpoint=checkpoint, resume=resume, tell=tell)
    lay_back(recipe.network)
    return recipe.network, history


def decoded(network: ConvWta, design: Design, events: np.ndarray) -> np.ndarray:
    """Return what a network that is not exported makes of events (n,), whole kernels, float32 (388, n)."""
    with torch.no_grad():
        device = next(network.parameters()).device
        activity = network.activity(torch.from_numpy(one_hot(events)[None]).to(device))
        code = keep_winners(activity, design.k_last, design.winners)
        return np.asarray(network.decoder(code)[0].cpu().numpy(), np.float32)
