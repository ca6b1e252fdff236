"""The autoencoder (figure 1): an optional TCN, one convolution, winners, one transposed convolution without a bias."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from terzetto.analysis.winners import IN_EACH_COLUMN
from terzetto_export.conv_wta.tcn import CausalBlock, RowsApart


class ConvWta(nn.Module):
    """Encoder and dictionary.

    Parameters
    ----------
    rows
        Of the signal.
    atoms
        Size of the dictionary.
    kernel
        Time steps of an atom; also the stride.
    levels
        Feature maps of the TCN's levels; none without one. Level i is dilated 2^i.
    level_kernel
        Width of the TCN's convolutions.
    rows_apart
        Whether the TCN reads each row as a line of its own, not all at once; see `terzetto_export.conv_wta.tcn`.
    """

    def __init__(
        self,
        rows: int,
        atoms: int,
        kernel: int,
        levels: Sequence[int] = (),
        level_kernel: int = 2,
        *,
        rows_apart: bool = False,
    ) -> None:
        super().__init__()
        widths = [rows, *levels]
        self.tcn: nn.Module = nn.Sequential(
            *(CausalBlock(a, b, level_kernel, 2**i) for i, (a, b) in enumerate(pairwise(widths)))
        )
        if rows_apart:
            self.tcn, widths = RowsApart(levels, level_kernel), [rows]
        self.encoder = nn.Conv1d(widths[-1], atoms, kernel, stride=kernel)
        self.decoder = nn.ConvTranspose1d(atoms, rows, kernel, stride=kernel, bias=False)

    def activity(self, rows: Tensor) -> Tensor:
        """Return the activities before the winners are chosen: (n, rows, time) to (n, atoms, columns)."""
        return torch.relu(self.encoder(self.tcn(rows)))

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return activities and atoms: what an exported dictionary gives."""
        return self.activity(rows), self.decoder.weight.detach()


def keep_winners(activity: Tensor, k: int, winners: str) -> Tensor:
    """Set all but the winners of (n, atoms, columns) to 0, and with them their derivatives (2.4).

    What `terzetto.analysis.winners.keep_winners` does for the engine; a section is a batch's item here.
    """
    axis = 1 if winners == IN_EACH_COLUMN else 2
    if k >= activity.shape[axis]:
        return activity
    if k == 1:
        values, index = activity.max(dim=axis, keepdim=True)
    else:
        values, index = activity.topk(k, dim=axis)
    return torch.zeros_like(activity).scatter(axis, index, values)
