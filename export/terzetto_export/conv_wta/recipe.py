"""What `terzetto_export.training.fit` needs to learn a dictionary of drum music."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terzetto.analysis.winners import OF_EACH_ATOM
from terzetto.drums.dictionary import ROWS
from terzetto.drums.drum_map import DRUMS
from terzetto_export.conv_wta.network import ConvWta, keep_winners

N_DRUMS = len(DRUMS)
Pair = tuple[Tensor, Tensor]
DURING, AFTER = "during", "after"
_VALIDATED = 25  # epochs between two looks at the validation set


@dataclass(frozen=True)
class Design:
    """How a dictionary is learned; the defaults are the paper's (3.2), as it is read here.

    Attributes
    ----------
    atoms : int
    kernel : int
        Steps of an atom, and the stride. A bar is 16.
    winners : str
        Which compete; see `terzetto.analysis.winners`.
    k_first, k_last : int
        k falls on a straight line over the epochs.
    taken : str
        Whether winners are taken during training or only after it (footnote 1).
    noise : float
        What is read has up to this share of its hits dropped and as many spurious ones, drawn anew each epoch and
        section; what is to be written is clean. None in the paper.
    levels : tuple of int
        Feature maps of the TCN before the encoder; none for drums.
    rows_apart : bool
        Whether the TCN reads each row as a line of its own; see `terzetto_export.conv_wta.tcn`.
    """

    atoms: int = 100
    kernel: int = 16
    winners: str = OF_EACH_ATOM
    k_first: int = 4
    k_last: int = 1
    taken: str = DURING
    noise: float = 0.0
    levels: tuple[int, ...] = ()
    rows_apart: bool = False

    def k_at(self, share: float) -> int:
        """Return k when a share (0..1) of the training is done."""
        return round(self.k_first + (self.k_last - self.k_first) * share)


class DrumRecipe:
    """Full batch: all sections at once, as the paper has it; the loss is the mean squared error over all 27 rows.

    Validation is the negative error with the last k, so that epochs of different k can be compared.
    """

    def __init__(
        self,
        training: NDArray[np.float32],
        validation: NDArray[np.float32],
        design: Design,
        epochs: int,
        device: torch.device | None = None,
    ) -> None:
        self.design, self.epochs = design, epochs
        self.device = device or torch.device("cpu")
        self.network = ConvWta(ROWS, design.atoms, design.kernel).to(self.device)
        self._training = torch.from_numpy(training).to(self.device)
        self._validation = torch.from_numpy(validation).to(self.device)
        self._epoch = 0
        self._last = -np.inf

    def at_epoch(self, epoch: int) -> None:
        """Say which epoch comes next: k depends on it."""
        self._epoch = epoch

    def batches(self, random: np.random.Generator) -> Iterator[Pair]:
        """Yield everything at once."""
        yield (self._noisy() if self.design.noise else self._training), self._training

    def _noisy(self) -> Tensor:
        """Return the training sections with hits dropped and added; spurious ones have a velocity by chance."""
        clean = self._training
        n, cells = clean.shape[0], clean[:, :N_DRUMS]
        share = self.design.noise * torch.rand(n, 1, 1, device=self.device)
        chance = torch.rand(cells.shape, device=self.device)
        hit = cells > 0.5
        density = hit.float().mean(dim=(1, 2), keepdim=True)
        gone = hit & (chance < share)
        come = ~hit & (chance < share * density / (1 - density))
        keep = (~gone).float().repeat(1, 3, 1)
        noisy = clean * keep
        noisy[:, :N_DRUMS] += come.float()
        noisy[:, N_DRUMS : 2 * N_DRUMS] += come.float() * torch.rand(n, 1, 1, device=self.device)
        return noisy

    def loss(self, batch: Pair) -> Tensor:
        """Return the mean squared error; advances to the next epoch's k."""
        k = self.design.k_at(self._epoch / max(self.epochs - 1, 1))
        read, written = batch
        activity = self.network.activity(read)
        code = activity if self.design.taken == AFTER else keep_winners(activity, k, self.design.winners)
        return torch.nn.functional.mse_loss(self.network.decoder(code), written)

    def validate(self) -> float:
        """Return the negative error on the validation set with the last k, looked at every 25 epochs."""
        self._epoch += 1
        if self._epoch % _VALIDATED == 0 or self._epoch >= self.epochs:
            self._last = -self.error(self._validation)
        return self._last

    def error(self, rows: Tensor) -> float:
        """Return the mean squared error with the last k."""
        with torch.no_grad():
            activity = self.network.activity(rows)
            code = keep_winners(activity, self.design.k_last, self.design.winners)
            return float(torch.nn.functional.mse_loss(self.network.decoder(code), rows))
